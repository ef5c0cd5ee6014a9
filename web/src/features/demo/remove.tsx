import { Button, Group, Modal, Text, UnstyledButton } from "@mantine/core";
import { IconFlask } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "../../api/client";
import type { Me } from "../../api/types";
import { toastDone, toastError } from "../../components/errors";
import { meQuery } from "../account/queries";

/** Says that this is the demo company, and removes it after a question. */
export function DemoBadge({ me, className }: { me: Me; className: string }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const remove = useRemoveDemo(() => setAsking(false));
  if (me.company?.demo !== true || me.user.role === "user") return null;
  return (
    <>
      <UnstyledButton className={className} onClick={() => setAsking(true)}>
        <IconFlask size={16} stroke={1.7} aria-hidden="true" />{t("demo.badge")}<span className="badge">{t("demo.remove")}</span>
      </UnstyledButton>
      <Modal opened={asking} onClose={() => { if (!remove.isPending) setAsking(false); }} title={<Text fw={600}>{t("demo.title")}</Text>} size="sm">
        <Text>{t("demo.question")}</Text>
        <Text mt="xs" className="quiet">{t(me.user.role === "superadmin" ? "demo.afterSuperadmin" : "demo.after")}</Text>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus disabled={remove.isPending} onClick={() => setAsking(false)}>{t("common.keep")}</Button>
          <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>{t("demo.confirm")}</Button>
        </Group>
      </Modal>
    </>
  );
}

function useRemoveDemo(close: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const router = useRouter();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/v1/demo")),
    onError: (error) => toastError(error, t),
    onSuccess: async (me) => {
      close();
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
      queries.setQueryData(meQuery.queryKey, me);
      toastDone(t("demo.removed"));
      await router.navigate({ to: me.company == null ? "/companies" : "/welcome" });
      await router.invalidate();
    },
  });
}
