import { ActionIcon, Button, FileButton, Progress, Textarea } from "@mantine/core";
import { IconPaperclip, IconSend, IconTemplate, IconX } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation } from "../../api/types";
import { describeError } from "../../components/errors";
import { useNow } from "../../components/small";
import { formatInstant } from "../../lib/format";
import { contactQuery } from "../contact/queries";
import { Quote } from "./bubble";
import { hasCaption, kindOf, sizeOf, type Written } from "./media";
import { answer } from "./queries";
import { replyTo, useReplying } from "./replying";
import { StartModal } from "./start";
import { type Picked, useTray } from "./tray";

const longest = 4096; // characters that WhatsApp takes
const emojis = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** What is being written, by conversation: another one may be looked at meanwhile. */
const drafts = new Map<string, string>();

/** The box for an answer. What could not be sent comes back into it. */
export function Composer({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation();
  const now = useNow(30_000);
  const open = conversation.open_until != null && Date.parse(conversation.open_until) > now.getTime();
  if (open) return <Box conversation={conversation} now={now} />;
  return (
    <div className="composer shut">
      <span>{t("inbox.shut")}</span>
      <ByTemplate conversation={conversation} />
    </div>
  );
}

/** The way to somebody whose 24 hours are over. */
function ByTemplate({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [opened, setOpened] = useState(false);
  const contact = useQuery({ ...contactQuery(conversation.contact_id), enabled: opened });
  const sent = () => {
    setOpened(false);
    return queries.invalidateQueries({ queryKey: ["conversations"] });
  };
  return (
    <>
      <Button variant="default" leftSection={<IconTemplate size={15} />} loading={opened && contact.isLoading} onClick={() => { setOpened(true); if (contact.isError) void contact.refetch(); }}>{t("inbox.toTemplate")}</Button>
      {contact.isError && <span className="said-error" role="alert">{describeError(contact.error, t)}</span>}
      <StartModal opened={opened && contact.data !== undefined} to={contact.data} on={conversation.connection_id} onClose={() => setOpened(false)} onStarted={() => void sent()} />
    </>
  );
}

function Box({ conversation, now }: { conversation: Conversation; now: Date }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { id } = conversation;
  const [text, setText] = useState(drafts.get(id) ?? "");
  const [over, setOver] = useState(false);
  const tray = useTray();
  const replying = useReplying();
  useEffect(() => () => replyTo(undefined), []);
  const write = (value: string) => {
    drafts.set(id, value);
    setText(value);
  };
  const done = () => {
    replyTo(undefined);
    return queries.invalidateQueries({ queryKey: ["conversations"] });
  };
  const send = useMutation({
    mutationFn: (body: Written & { key: string }) => answer(id, body),
    onError: (_, body) => write(drafts.get(id) === "" ? (body.text ?? "") : (drafts.get(id) ?? "")),
    onSuccess: done,
  });
  const sendFiles = useMutation({
    mutationFn: async ({ words, about }: { words: string; about: string | undefined }) => {
      let caption = words;
      for (const one of tray.ready()) {
        const kind = kindOf(one.stored?.type ?? "");
        const text = hasCaption(kind) ? caption : "";
        await answer(id, { key: one.key, file: { kind, media_id: one.stored?.id ?? "", ...(kind === "document" && { name: one.file.name.slice(0, 240) }) }, ...(text !== "" && { text }), ...(about !== undefined && { reply_to: about }) });
        tray.drop(one.key);
        if (text !== "") caption = "";
      }
      if (caption !== "") await answer(id, { key: crypto.randomUUID(), text: caption });
    },
    onMutate: () => write(""),
    onError: (_, { words }) => write(words),
    onSuccess: done,
  });
  const longer = text.length - (tray.items.length > 0 ? 1024 : longest);
  const busy = send.isPending || sendFiles.isPending;
  const nothing = text.trim() === "" && tray.items.length === 0;
  const submit = () => {
    if (nothing || longer > 0 || busy || tray.loading) return;
    const about = replying?.id;
    if (tray.items.length > 0) return sendFiles.mutate({ words: text.trim(), about });
    send.mutate({ key: crypto.randomUUID(), text, ...(about !== undefined && { reply_to: about }) });
    write("");
  };
  const failed = send.error ?? sendFiles.error;
  return (
    <form
      className={over ? "composer dropping" : "composer"} onSubmit={(event) => { event.preventDefault(); submit(); }}
      onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
      onDrop={(event) => { event.preventDefault(); setOver(false); tray.add(event.dataTransfer.files); }}
    >
      {replying !== undefined && (
        <div className="composer-reply">
          <Quote quote={{ id: replying.id, inbound: replying.inbound, text: replying.text }} />
          {replying.inbound && emojis.map((emoji) => (
            <button key={emoji} type="button" className="composer-emoji" aria-label={t("inbox.reactWith", { emoji })} onClick={() => send.mutate({ key: crypto.randomUUID(), reaction: { message_id: replying.id, emoji } })}>{emoji}</button>
          ))}
          <ActionIcon variant="subtle" color="gray" aria-label={t("inbox.noReply")} onClick={() => replyTo(undefined)}><IconX size={15} /></ActionIcon>
        </div>
      )}
      {tray.items.length > 0 && <ul className="composer-files">{tray.items.map((one) => <Waiting key={one.key} one={one} drop={() => tray.drop(one.key)} />)}</ul>}
      <FileButton multiple onChange={(files) => tray.add(files)} resetRef={tray.reset}>
        {(props) => <ActionIcon {...props} className="composer-attach" variant="subtle" color="gray" size={36} aria-label={t("inbox.attach")} title={t("inbox.attach")}><IconPaperclip size={18} /></ActionIcon>}
      </FileButton>
      <Textarea
        autosize minRows={1} maxRows={8} aria-label={t("inbox.write")} placeholder={t(tray.items.length > 0 ? "inbox.caption" : "inbox.write")} value={text}
        error={longer > 0 ? t("inbox.tooLong", { n: longer }) : failed !== null && <>{t("inbox.sendAgain")} {describeError(failed, t)}</>}
        onChange={(event) => write(event.currentTarget.value)}
        onPaste={(event) => {
          if (event.clipboardData.files.length === 0) return;
          event.preventDefault();
          tray.add(event.clipboardData.files);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          submit();
        }}
      />
      <Button type="submit" leftSection={<IconSend size={15} />} loading={busy} disabled={nothing || longer > 0 || tray.loading}>{t("inbox.send")}</Button>
      <span className="quiet composer-hint"><span className="wide">{t("inbox.keys")} </span>{conversation.open_until != null && t("inbox.windowUntil", { at: formatInstant(conversation.open_until, now) })}</span>
    </form>
  );
}

function Waiting({ one, drop }: { one: Picked; drop: () => void }) {
  const { t } = useTranslation();
  return (
    <li>
      <span className="clip">{one.file.name}</span> <span className="quiet num">{sizeOf(one.file.size)}</span>
      {one.error !== undefined && <span className="said-error">{describeError(one.error, t)}</span>}
      {one.stored === undefined && one.error === undefined && <Progress className="composer-progress" value={one.share * 100} aria-label={t("inbox.uploading", { name: one.file.name })} />}
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t("inbox.dropFile", { name: one.file.name })} onClick={drop}><IconX size={14} /></ActionIcon>
    </li>
  );
}
