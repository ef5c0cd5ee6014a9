import { ActionIcon, Button, Menu, Tooltip } from "@mantine/core";
import { IconFilter, IconInbox, IconMessages, IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { useKeys } from "../components/small";
import { ConversationList } from "../features/inbox/list";
import { ColourDot } from "../features/inbox/marks";
import { choicesQuery, conversationsQuery, unreadQuery } from "../features/inbox/queries";
import { StartModal } from "../features/inbox/start";
import { Thread } from "../features/inbox/thread";
import type { Chosen } from "../features/inbox/view";

const route = getRouteApi("/signed-in/shell/in-company/inbox");

/** What contacts write, and answers to it. */
export default function InboxPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { open, ...chosen } = route.useSearch();
  const [starting, setStarting] = useState(false);
  const list = useInfiniteQuery({ ...conversationsQuery(chosen), refetchInterval: usePolling() });
  const labels = useQuery(choicesQuery).data?.labels ?? [];
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  useKeys({ n: () => setStarting(true) });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const none = list.isSuccess && items.length === 0;
  const whole = chosen.view === undefined && chosen.label === undefined && chosen.department === undefined;

  return (
    <div className={open === undefined ? "inbox" : "inbox reading"}>
      <div className="inbox-list">
        <PageHead title={t("inbox.title")}>
          <Filter chosen={chosen} open={open} />
          <Tooltip label={t("start.title")}><ActionIcon size={30} variant="default" aria-label={t("start.title")} onClick={() => setStarting(true)}><IconPlus size={16} /></ActionIcon></Tooltip>
        </PageHead>
        <Views chosen={chosen} open={open} />
        {list.isPending && <WaitingRows />}
        {list.isError && items.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
        {none && (
          <Empty icon={<IconInbox size={32} stroke={1.4} />} action={whole ? <Button component={Link} to="/connections" variant="default">{t("inbox.toConnections")}</Button> : <Button component={Link} to="/inbox" variant="default">{t("inbox.showOpen")}</Button>}>
            {t(whole ? "inbox.empty" : "inbox.emptyView")}
          </Empty>
        )}
        {items.length > 0 && <ConversationList items={items} chosen={chosen} labels={labels} open={open} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />}
      </div>
      {open !== undefined ? <Thread key={open} id={open} chosen={chosen} /> : <div className="inbox-none">{!none && <Empty icon={<IconMessages size={32} stroke={1.4} />}>{t("inbox.choose")}</Empty>}</div>}
      <StartModal opened={starting} onClose={() => setStarting(false)} onStarted={(conversation) => { setStarting(false); void navigate({ to: "/inbox", search: { open: conversation } }); }} />
    </div>
  );
}

/** What the list shows, with how much of it is unread. */
function Views({ chosen, open }: { chosen: Chosen; open: string | undefined }) {
  const { t } = useTranslation();
  const unread = useQuery({ ...unreadQuery, refetchInterval: usePolling(60_000) }).data;
  const { view } = chosen;
  const chip = (to: Chosen["view"], words: string, n = 0) => (
    <Link to="/inbox" search={{ ...chosen, view: to, open }} className={view === to ? "chip active" : "chip"} aria-current={view === to ? "true" : undefined}>{words}{n > 0 && <span className="count">{n}</span>}</Link>
  );
  return (
    <nav className="filters inbox-views" aria-label={t("inbox.views")}>
      {chip(undefined, t("inbox.open"), unread?.unread)}
      {chip("mine", t("inbox.mine"), unread?.unread_mine)}
      {chip("unassigned", t("inbox.unassigned"), unread?.unread_unassigned)}
    </nav>
  );
}

const rarer = ["snoozed", "closed", "all"] as const;

/** The rarer views, and one label or department alone. */
function Filter({ chosen, open }: { chosen: Chosen; open: string | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { labels = [], departments = [] } = useQuery(choicesQuery).data ?? {};
  const { view, label, department } = chosen;
  const go = (search: Chosen) => void navigate({ to: "/inbox", search: { ...search, open } });
  const narrowed = labels.find((one) => one.id === label)?.name ?? departments.find((one) => one.id === department)?.name;
  const rare = rarer.find((one) => one === view);
  const shown = [rare === undefined ? undefined : t(`inbox.view.${rare}`), narrowed].filter((one) => one !== undefined).join(" · ") || undefined;
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <button type="button" className={shown === undefined ? "chip" : "chip active"} title={t("inbox.filter")}>
          <IconFilter size={14} role="img" aria-label={t("inbox.filter")} />{shown !== undefined && <span className="clip">{shown}</span>}
        </button>
      </Menu.Target>
      <Menu.Dropdown className="tall">
        {rarer.map((one) => <Menu.Item key={one} onClick={() => go({ ...chosen, view: one })}>{t(`inbox.view.${one}`)}</Menu.Item>)}
        {labels.length > 0 && <Menu.Label>{t("inbox.labels")}</Menu.Label>}
        {labels.map((one) => <Menu.Item key={one.id} onClick={() => go({ view, label: one.id })} leftSection={<ColourDot label={one} />}>{one.name}</Menu.Item>)}
        {departments.length > 0 && <Menu.Label>{t("department.title")}</Menu.Label>}
        {departments.map((one) => <Menu.Item key={one.id} onClick={() => go({ view, department: one.id })}>{one.name}</Menu.Item>)}
        {narrowed !== undefined && <><Menu.Divider /><Menu.Item onClick={() => go({ view })}>{t("inbox.unfilter")}</Menu.Item></>}
      </Menu.Dropdown>
    </Menu>
  );
}
