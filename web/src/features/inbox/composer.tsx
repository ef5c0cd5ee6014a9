import { Button, Textarea } from "@mantine/core";
import { IconSend } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation } from "../../api/types";
import { describeError } from "../../components/errors";
import { useNow } from "../../components/small";
import { formatInstant } from "../../lib/format";
import { useRunsCompany } from "../account/role";
import { answer } from "./queries";

const longest = 4096; // characters that WhatsApp takes

/** What is being written, by conversation: another one may be looked at meanwhile. */
const drafts = new Map<string, string>();

/** The box for an answer. What could not be sent comes back into it. */
export function Composer({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const now = useNow(30_000);
  const runs = useRunsCompany();
  const { id } = conversation;
  const [text, setText] = useState(drafts.get(id) ?? "");
  const write = (value: string) => {
    drafts.set(id, value);
    setText(value);
  };
  const send = useMutation({
    mutationFn: (body: { key: string; text: string }) => answer(id, body),
    onError: (_, body) => write(drafts.get(id) === "" ? body.text : (drafts.get(id) ?? "")),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["conversations"] }),
  });
  const open = conversation.open_until != null && Date.parse(conversation.open_until) > now.getTime();
  const over = text.length - longest;
  const submit = () => {
    if (text.trim() === "" || over > 0 || send.isPending) return;
    send.mutate({ key: crypto.randomUUID(), text });
    write("");
  };

  if (!open) {
    return (
      <div className="composer shut">
        <span>{t("inbox.shut")}</span>
        {runs && <Button component={Link} to="/campaigns/new" variant="default">{t("inbox.toCampaign")}</Button>}
      </div>
    );
  }
  return (
    <form className="composer" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Textarea
        autosize minRows={1} maxRows={8} aria-label={t("inbox.write")} placeholder={t("inbox.write")} value={text}
        error={over > 0 ? t("inbox.tooLong", { n: over }) : send.isError && <>{t("inbox.sendAgain")} {describeError(send.error, t)}</>}
        onChange={(event) => write(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          submit();
        }}
      />
      <Button type="submit" leftSection={<IconSend size={15} />} loading={send.isPending} disabled={text.trim() === "" || over > 0}>{t("inbox.send")}</Button>
      <span className="quiet composer-hint"><span className="wide">{t("inbox.keys")} </span>{conversation.open_until != null && t("inbox.windowUntil", { at: formatInstant(conversation.open_until, now) })}</span>
    </form>
  );
}
