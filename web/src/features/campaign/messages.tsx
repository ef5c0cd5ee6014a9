import { Drawer, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../../api/realtime";
import type { Chapter, Message } from "../../api/types";
import { Failed } from "../../components/page";
import { Copyable, Time, useNow } from "../../components/small";
import { Dot, MessageDot, MessageStateLabel } from "../../components/state";
import { type Column, VirtualList } from "../../components/virtual-list";
import { formatInstant, formatSpan } from "../../lib/format";
import { messageQuery } from "../trial/queries";
import { storyQuery } from "./queries";

interface Props {
  messages: Message[];
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

export function MessageList({ messages, ...more }: Props) {
  const { t } = useTranslation();
  const [opened, open] = useState<Message | null>(null);
  const columns: Column<Message>[] = [
    { key: "contact", header: t("message.contact"), width: "minmax(0, 1.5fr)", cell: (m) => <Who message={m} /> },
    { key: "phone", header: t("message.phone"), width: "140px", wide: true, cell: (m) => <span className="num quiet">{m.phone ?? "–"}</span> },
    { key: "state", header: t("message.stateHead"), width: "104px", cell: (m) => <MessageStateLabel state={m.state} /> },
    { key: "error", header: t("message.note"), width: "minmax(0, 2fr)", wide: true, cell: (m) => <div className="clip quiet">{note(m)}</div> },
    { key: "time", header: t("message.time"), width: "128px", align: "end", wide: true, cell: (m) => <Time at={lastInstant(m)} /> },
  ];
  return (
    <>
      <VirtualList label={t("message.title")} items={messages} columns={columns} keyOf={(m) => m.id} onOpen={open} rowHeight={40} {...more} />
      <Drawer opened={opened !== null} onClose={() => open(null)} title={<Text fw={600} fz="md">{opened?.contact_name || t("contact.noName")}</Text>} size={420}>
        {opened !== null && <OneMessage key={opened.id} listed={messages.find((m) => m.id === opened.id) ?? opened} />}
      </Drawer>
    </>
  );
}

/** The message as it stands now: it may have left the list that it was opened from, when that shows one state. */
function OneMessage({ listed }: { listed: Message }) {
  const { data } = useQuery({ ...messageQuery(listed.id), refetchInterval: usePolling() });
  return <MessageDetails message={data ?? listed} />;
}

/** Why a message is where it is, in the provider's and our words; for good messages the text. */
function note(m: Message): string {
  return m.error_detail ?? m.text;
}

/** The instant of a message's last step. */
export function lastInstant(m: Message): string | null {
  return m.read_at ?? m.delivered_at ?? m.ended_at ?? m.sent_at ?? m.claimed_at ?? m.queued_at ?? null;
}

function Who({ message }: { message: Message }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="clip" style={{ fontWeight: 500 }}>{message.contact_name || t("contact.noName")}</div>
      <div className="only-phone quiet clip" style={{ fontSize: 12 }}>{message.error_detail ?? message.phone ?? ""}</div>
    </>
  );
}

export function MessageDetails({ message: m }: { message: Message }) {
  const { t } = useTranslation();
  return (
    <>
      {m.text !== "" && <div className="bubble" style={{ marginBottom: 16, background: "var(--raised)" }}>{m.text}</div>}
      <dl className="facts">
        <dt>{t("message.stateHead")}</dt>
        <dd><MessageStateLabel state={m.state} /><div className="quiet" style={{ marginTop: 2 }}>{t(`message.meaning.${m.state}`)}</div></dd>
        {m.error_detail != null && m.error_detail !== "" && <><dt>{t("message.reason")}</dt><dd>{m.error_detail}</dd></>}
        {m.error_code != null && m.error_code !== 0 && <><dt>{t("message.code")}</dt><dd className="mono">{m.error_code}</dd></>}
        <dt>{t("message.phone")}</dt>
        <dd className="num">{m.phone ?? "–"}</dd>
        <dt>{t("message.attempts")}</dt>
        <dd className="num">{m.attempts}</dd>
        {m.provider_id != null && m.provider_id !== "" && <><dt>{t("message.providerId")}</dt><dd><Copyable value={m.provider_id} /></dd></>}
        <dt>{t("message.id")}</dt>
        <dd><Copyable value={m.id} /></dd>
      </dl>
      <Story message={m} />
    </>
  );
}

/** What happened to it, told by the server; asked again while it still moves. */
function Story({ message }: { message: Message }) {
  const { t } = useTranslation();
  const now = useNow();
  const story = useQuery({ ...storyQuery(message.id), refetchInterval: ["queued", "sending", "sent", "delivered"].includes(message.state) ? 3_000 : false });
  return (
    <section aria-labelledby="story-title">
      <h2 id="story-title" className="story-title">{t("results.story")}</h2>
      {story.isError && <Failed error={story.error} retry={() => void story.refetch()} />}
      <ol className="story">
        {(story.data?.chapters ?? []).map((chapter) => (
          <li key={`${chapter.kind} ${chapter.at}`} className={chapter.kind === "waited" ? "wait" : undefined}>
            <ChapterDot kind={chapter.kind} />
            <div>
              <div>{chapter.words}</div>
              <div className="quiet num">
                <Time at={chapter.at} />
                {chapter.lasts && chapter.until == null && <> · {t("results.since", { span: formatSpan(now.getTime() - new Date(chapter.at).getTime()) })}</>}
                {chapter.lasts && chapter.until != null && <> · {t("campaign.until", { at: formatInstant(chapter.until, now), left: formatSpan(new Date(chapter.until).getTime() - now.getTime()) })}</>}
              </div>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

function ChapterDot({ kind }: { kind: Chapter["kind"] }) {
  if (kind === "waited") return <Dot color="var(--state-queued)" hollow />;
  if (kind === "tried") return <Dot color="var(--state-uncertain)" hollow />;
  if (kind === "decided") return <Dot color="var(--state-ended)" />;
  return <MessageDot state={kind === "handed" ? "sending" : kind} />;
}
