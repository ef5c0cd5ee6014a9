import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { IconCheck, IconChevronLeft, IconRefresh } from "@tabler/icons-react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../../api/realtime";
import type { Conversation, ThreadMessage } from "../../api/types";
import { toastError } from "../../components/errors";
import { Failed, Waiting } from "../../components/page";
import { useKeys } from "../../components/small";
import { formatInstant } from "../../lib/format";
import { Bubble } from "./bubble";
import { Composer } from "./composer";
import { nameOf } from "./list";
import { LabelChip, PriorityMark } from "./marks";
import { NoteBox, NoteLine } from "./note";
import { choicesQuery, conversationQuery, markRead, setState, threadQuery, tickPause } from "./queries";
import type { Chosen } from "./view";
import { Work } from "./work";

const nearEnd = 80; // px from the end within which a thread follows what comes

/** One conversation: who it is with, what was said, the box for an answer. */
export function Thread({ id, chosen }: { id: string; chosen: Chosen }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const polling = usePolling();
  const [noting, setNoting] = useState(false);
  const one = useQuery({ ...conversationQuery(id), refetchInterval: polling });
  const thread = useInfiniteQuery({
    ...threadQuery(id),
    refetchInterval: (query) => tickPause(query.state.data?.pages[0]?.items ?? [], new Date()) || polling,
  });
  const refresh = () => queries.invalidateQueries({ queryKey: ["conversations"] });
  const { mutate: read } = useMutation({ mutationFn: markRead, onSuccess: refresh });
  const unread = one.data?.unread ?? 0;
  useEffect(() => {
    if (unread > 0 && document.visibilityState === "visible") read(id);
  }, [id, unread, read]);

  if (one.isError && one.data === undefined) return <Failed error={one.error} retry={() => void one.refetch()} />;
  const messages = (thread.data?.pages.flatMap((page) => page.items) ?? []).toReversed();
  return (
    <section className="thread" aria-label={one.data === undefined ? t("inbox.thread") : nameOf(one.data)}>
      {one.data !== undefined && <Head conversation={one.data} chosen={chosen} refresh={refresh} />}
      {thread.isPending && <Waiting />}
      {thread.isError && messages.length === 0 && <Failed error={thread.error} retry={() => void thread.refetch()} />}
      {thread.isSuccess && (
        <Messages key={`said ${id}`} messages={messages} older={thread.hasNextPage} loading={thread.isFetchingNextPage} loadOlder={() => void thread.fetchNextPage()} />
      )}
      {one.data !== undefined && (
        <>
          <div className="composer-mode">
            <SegmentedControl size="xs" value={noting ? "note" : "answer"} onChange={(to) => setNoting(to === "note")} aria-label={t("inbox.mode")}
              data={[{ value: "answer", label: t("inbox.answer") }, { value: "note", label: t("inbox.note") }]} />
          </div>
          {noting ? <NoteBox key={`note ${id}`} conversation={id} onDone={refresh} /> : <Composer key={`answer ${id}`} conversation={one.data} />}
        </>
      )}
    </section>
  );
}

function Head({ conversation, chosen, refresh }: { conversation: Conversation; chosen: Chosen; refresh: () => void }) {
  const { t } = useTranslation();
  const turn = useMutation({ mutationFn: (to: "open" | "closed") => setState(conversation.id, to), onSuccess: refresh, onError: (error) => toastError(error, t) });
  const open = conversation.state === "open";
  const labels = useQuery(choicesQuery).data?.labels.filter((label) => conversation.label_ids.includes(label.id)) ?? [];
  useKeys({ e: () => turn.mutate(open ? "closed" : "open") });
  return (
    <header className="thread-head">
      <Link className="crumb only-phone" to="/inbox" search={chosen} aria-label={t("inbox.list")}><IconChevronLeft size={18} /></Link>
      <div className="thread-who">
        <h2><PriorityMark priority={conversation.priority} /><Link className="plain under clip" to="/contacts/$id" params={{ id: conversation.contact_id }}>{nameOf(conversation)}</Link></h2>
        <div className="quiet clip num">{conversation.contact_name !== "" && `${conversation.address} · `}<Link className="plain under" to="/connections/$id" params={{ id: conversation.connection_id }}>{conversation.connection_name}</Link>{conversation.assignee_name !== undefined && <> · {t("inbox.assignedTo", { name: conversation.assignee_name })}</>}{conversation.opted_out && <> · {t("inbox.optedOut")}</>}</div>
        {(labels.length > 0 || conversation.state === "snoozed") && (
          <div className="talk-labels">
            {conversation.state === "snoozed" && <span className="tag">{conversation.snoozed_until == null ? t("inbox.untilAnswer") : t("inbox.until", { at: formatInstant(conversation.snoozed_until, new Date()) })}</span>}
            {labels.map((label) => <LabelChip key={label.id} label={label} />)}
          </div>
        )}
      </div>
      <span className="spacer" />
      <Work conversation={conversation} refresh={refresh} />
      <Button className="tight" variant="default" leftSection={open ? <IconCheck size={15} /> : <IconRefresh size={15} />} loading={turn.isPending} onClick={() => turn.mutate(open ? "closed" : "open")}>
        {t(open ? "inbox.close" : "inbox.reopen")}
      </Button>
    </header>
  );
}

/** The oldest on top. It opens at its end, follows what comes while one is there, and stays where one reads. */
function Messages({ messages, older, loading, loadOlder }: { messages: ThreadMessage[]; older: boolean; loading: boolean; loadOlder: () => void }) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const place = useRef({ atEnd: true, fromEnd: 0 });
  const oldest = messages[0]?.id;
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null) element.scrollTop = place.current.atEnd ? element.scrollHeight : element.scrollTop;
  }, [messages]);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && !place.current.atEnd) element.scrollTop = element.scrollHeight - place.current.fromEnd;
  }, [oldest]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const follow = new ResizeObserver(() => { if (place.current.atEnd) element.scrollTop = element.scrollHeight; }); // the box for an answer grows
    follow.observe(element);
    return () => follow.disconnect();
  }, []);
  return (
    <div
      ref={box} className="said-list" tabIndex={0} role="log" aria-label={t("inbox.thread")}
      onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        place.current = { atEnd: scrollHeight - scrollTop - clientHeight < nearEnd, fromEnd: scrollHeight - scrollTop };
      }}
    >
      <div className="said-begin">{older ? <Button variant="default" loading={loading} onClick={loadOlder}>{t("inbox.older")}</Button> : <span className="quiet">{t("inbox.begin")}</span>}</div>
      <ol>
        {messages.map((message, n) => (
          <Day key={message.id} message={message} before={messages[n - 1]} />
        ))}
      </ol>
    </div>
  );
}

const dayOf = (at: string) => new Date(at).toDateString();

function Day({ message, before }: { message: ThreadMessage; before: ThreadMessage | undefined }) {
  const begins = before === undefined || dayOf(before.at) !== dayOf(message.at);
  return (
    <>
      {begins && <li className="said-day quiet">{new Date(message.at).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" })}</li>}
      {message.state === "note" ? <NoteLine note={message} /> : <Bubble message={message} />}
    </>
  );
}
