import { Button } from "@mantine/core";
import { IconInbox, IconMessages } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { ConversationList } from "../features/inbox/list";
import { conversationsQuery } from "../features/inbox/queries";
import { Thread } from "../features/inbox/thread";

const route = getRouteApi("/signed-in/shell/in-company/inbox");

/** What contacts write, and answers to it. */
export default function InboxPage() {
  const { t } = useTranslation();
  const { state, open } = route.useSearch();
  const list = useInfiniteQuery({ ...conversationsQuery(state ?? "open"), refetchInterval: usePolling() });
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const none = list.isSuccess && items.length === 0;

  return (
    <div className={open === undefined ? "inbox" : "inbox reading"}>
      <div className="inbox-list">
        <PageHead title={t("inbox.title")}>
          <Link to="/inbox" search={{ open }} className={state === undefined ? "chip active" : "chip"}>{t("inbox.open")}</Link>
          <Link to="/inbox" search={{ state: "closed", open }} className={state === "closed" ? "chip active" : "chip"}>{t("inbox.closed")}</Link>
        </PageHead>
        {list.isPending && <WaitingRows />}
        {list.isError && items.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
        {none && (
          <Empty icon={<IconInbox size={32} stroke={1.4} />} action={state === undefined && <Button component={Link} to="/connections" variant="default">{t("inbox.toConnections")}</Button>}>
            {t(state === undefined ? "inbox.empty" : "inbox.emptyClosed")}
          </Empty>
        )}
        {items.length > 0 && <ConversationList items={items} state={state} open={open} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />}
      </div>
      {open !== undefined ? <Thread id={open} state={state} /> : <div className="inbox-none">{!none && <Empty icon={<IconMessages size={32} stroke={1.4} />}>{t("inbox.choose")}</Empty>}</div>}
    </div>
  );
}
