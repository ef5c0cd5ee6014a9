import { Button, Textarea } from "@mantine/core";
import { IconNote } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ThreadMessage } from "../../api/types";
import { describeError } from "../../components/errors";
import { formatExact, formatInstant } from "../../lib/format";
import { addNote } from "./queries";

/** What a colleague wrote for colleagues; clearly no message. */
export function NoteLine({ note }: { note: ThreadMessage }) {
  const { t } = useTranslation();
  return (
    <li className="said noted" data-message={note.id}>
      <div className="said-box"><div className="said-note"><IconNote size={13} aria-hidden="true" />{t("inbox.noteBy", { name: note.author ?? t("inbox.somebody") })}</div>{note.text}</div>
      <div className="said-foot quiet"><time dateTime={note.at} title={formatExact(note.at)}>{formatInstant(note.at, new Date(note.at))}</time></div>
    </li>
  );
}

/** The box for a note. What could not be kept stays in it. */
export function NoteBox({ conversation, onDone }: { conversation: string; onDone: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const keep = useMutation({ mutationFn: () => addNote(conversation, text), onSuccess: () => { setText(""); onDone(); } });
  const submit = () => { if (text.trim() !== "" && !keep.isPending) keep.mutate(); };
  return (
    <form className="composer noting" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Textarea
        autosize minRows={1} maxRows={8} maxLength={4096} autoFocus aria-label={t("inbox.writeNote")} placeholder={t("inbox.writeNote")} value={text} error={keep.isError && describeError(keep.error, t)}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          submit();
        }}
      />
      <Button type="submit" variant="default" leftSection={<IconNote size={15} />} loading={keep.isPending} disabled={text.trim() === ""}>{t("inbox.keepNote")}</Button>
      <span className="quiet composer-hint">{t("inbox.noteHint")}</span>
    </form>
  );
}
