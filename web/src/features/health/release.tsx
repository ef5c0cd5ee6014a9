import { Button, Group, Modal, Radio, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "../../api/client";
import { toastDone, toastError } from "../../components/errors";

const choices = ["doubt", "send"] as const;
type Choice = (typeof choices)[number];

/** Releases what a restore of the database has put on hold, after asking what becomes of it. */
export function Release({ detail }: { detail: string }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [open, setOpen] = useState<Choice>("doubt");
  const release = useRelease(() => setAsking(false));
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setAsking(true)}>{t("health.release.button")}</Button>
      <Modal opened={asking} onClose={() => { if (!release.isPending) setAsking(false); }} title={<Text fw={600}>{t("health.release.title")}</Text>}>
        <Text size="sm" className="quiet">{detail}</Text>
        <Radio.Group mt="md" label={t("health.release.question")} value={open} onChange={(value) => setOpen(value as Choice)}>
          <Stack gap="sm" mt="xs">
            {choices.map((choice) => <Radio key={choice} value={choice} label={t(`health.release.${choice}`)} description={t(`health.release.${choice}Means`)} />)}
          </Stack>
        </Radio.Group>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus disabled={release.isPending} onClick={() => setAsking(false)}>{t("health.release.wait")}</Button>
          <Button color={open === "send" ? "red.9" : undefined} loading={release.isPending} onClick={() => release.mutate(open)}>{t("health.release.confirm")}</Button>
        </Group>
      </Modal>
    </>
  );
}

function useRelease(close: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (open: Choice) => unwrap(api.POST("/api/v1/health/release", { body: { open } })),
    onError: (error) => toastError(error, t),
    onSuccess: () => { close(); toastDone(t("health.release.done")); },
    onSettled: () => void queries.invalidateQueries(),
  });
}
