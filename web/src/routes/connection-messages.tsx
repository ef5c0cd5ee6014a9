import { IconInbox } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { Empty, Failed, PageHead, Waiting } from "../components/page";
import { MessageList } from "../features/campaign/messages";
import { connectionMessagesQuery, connectionQuery } from "../features/connection/queries";

const route = getRouteApi("/signed-in/shell/in-company/connections/$id/messages");

/** What was sent on one connection, of campaigns and outside of them. */
export default function ConnectionMessagesPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const connection = useQuery(connectionQuery(id));
  const list = useInfiniteQuery({ ...connectionMessagesQuery(id), refetchInterval: usePolling() });
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const messages = list.data?.pages.flatMap((page) => page.items) ?? [];
  const looking = messages.length === 0 && list.hasNextPage;
  useEffect(() => {
    if (looking && !list.isFetching && !list.isError) loadMore();
  }, [looking, list.isFetching, list.isError, loadMore]);
  return (
    <>
      <PageHead title={t("message.title")} crumb={<Link className="crumb" to="/connections/$id" params={{ id }}>{connection.data?.name ?? t("connection.one")}</Link>} />
      {list.isError && messages.length === 0 ? <Failed error={list.error} retry={() => void list.refetch()} />
        : list.isPending || looking ? <Waiting />
        : messages.length === 0 ? <Empty icon={<IconInbox size={32} stroke={1.4} />}>{t("connection.noMessages")}</Empty>
        : <MessageList messages={messages} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />}
    </>
  );
}
