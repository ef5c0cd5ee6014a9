import { Button, Group, TextInput } from "@mantine/core";
import { IconSend2 } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldComplaints } from "../../api/problem";
import type { CheckSample } from "../../api/types";
import { describeError } from "../../components/errors";
import { sendTrial } from "../trial/queries";
import { Ticks } from "../trial/ticks";
import { type Draft, toCheck } from "./draft";

/** Sends what the previewed contact would get to a phone of one's own, and shows its ticks. */
export function TestSend({ draft, zone, sample }: { draft: Draft; zone: string; sample: CheckSample | undefined }) {
  const { t } = useTranslation();
  const [phone, setPhone] = useState("");
  const trial = useMutation({
    mutationFn: () => {
      const input = toCheck({ ...draft, audience: "all" }, zone);
      if (input === null) throw new Error("no connection is chosen");
      return sendTrial({ connection_id: input.connection_id, content: input.content, phone: phone.trim(), contact_id: sample?.contact_id });
    },
  });
  const complaints = fieldComplaints(trial.error);
  const wrong = trial.error === null ? undefined : complaints.length > 0 ? complaints.map((c) => c.message).join(" ") : describeError(trial.error, t);
  return (
    <section className="panel" aria-label={t("trial.title")}>
      <form onSubmit={(event) => { event.preventDefault(); trial.mutate(); }} noValidate>
        <Group gap={6} align="flex-start" wrap="nowrap">
          <TextInput style={{ flex: 1, minWidth: 0 }} aria-label={t("trial.phone")} placeholder={t("trial.placeholder")} inputMode="tel" value={phone} onChange={(event) => setPhone(event.currentTarget.value)} error={wrong} />
          <Button type="submit" size="sm" variant="default" leftSection={<IconSend2 size={15} />} disabled={phone.trim() === "" || draft.connection_id === null} loading={trial.isPending}>{t("trial.send")}</Button>
        </Group>
      </form>
      {trial.data === undefined
        ? <div className="quiet" style={{ marginTop: 6, fontSize: 12 }}>{sample === undefined ? t("trial.hint") : t("trial.hintOf", { name: sample.name === "" ? sample.phone : sample.name })}</div>
        : <Ticks key={trial.data.message_id} id={trial.data.message_id} />}
    </section>
  );
}
