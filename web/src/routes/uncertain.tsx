import { Button } from "@mantine/core";
import { IconCheck, IconCircleCheck, IconSend, IconX } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import type { Settling } from "../api/types";
import { toastDone, toastError } from "../components/errors";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { ConfirmButton } from "../components/small";
import { UncertainList } from "../features/uncertain/list";
import { settle, uncertainCountQuery, uncertainQuery } from "../features/uncertain/queries";
import { formatCount } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/uncertain");

/** Messages whose outcome nobody knows, and what a person can decide about them. */
export default function UncertainPage() {
  const { t } = useTranslation();
  const { campaign } = route.useSearch();
  const [chosen, setChosen] = useState(new Set<string>());
  const polling = usePolling();
  const list = useInfiniteQuery({ ...uncertainQuery(campaign), refetchInterval: polling });
  const count = useQuery({ ...uncertainCountQuery(campaign), refetchInterval: polling });
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const messages = list.data?.pages.flatMap((page) => page.items) ?? [];
  const known = messages.filter((m) => chosen.has(m.id)).map((m) => m.id); // one that a status has settled meanwhile is not asked about

  return (
    <>
      <PageHead title={t("uncertain.title")} beside={count.data !== undefined && <span className="num quiet">{formatCount(count.data.count)}{count.data.more && "+"}</span>}>
        {campaign !== undefined && <Button component={Link} to="/uncertain" variant="default">{t("uncertain.all")}</Button>}
      </PageHead>
      {list.isPending && <WaitingRows />}
      {list.isError && messages.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && messages.length === 0 && (
        <Empty icon={<IconCircleCheck size={32} stroke={1.4} />} action={<Button component={Link} to="/campaigns" variant="default">{t("uncertain.toCampaigns")}</Button>}>{t("uncertain.empty")}</Empty>
      )}
      {messages.length > 0 && (
        <>
          <p className="lead quiet">{t("uncertain.means")}</p>
          <Decide chosen={known} onAll={() => setChosen(new Set(messages.slice(0, 1000).map((m) => m.id)))} onDone={() => setChosen(new Set())} />
          <UncertainList messages={messages} chosen={chosen} onChoose={setChosen} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />
        </>
      )}
    </>
  );
}

/** The three decisions, about what is chosen. */
function Decide({ chosen, onAll, onDone }: { chosen: string[]; onAll: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const decide = useMutation({
    mutationFn: (verdict: Settling["verdict"]) => settle({ verdict, message_ids: chosen }),
    onSuccess: (done, verdict) => {
      toastDone([t(`uncertain.did.${verdict}`, { count: done.settled, n: formatCount(done.settled) }), done.left > 0 && t("uncertain.left", { count: done.left, n: formatCount(done.left) }), done.gone.length > 0 && t("uncertain.gone", { count: done.gone.length, n: formatCount(done.gone.length) })].filter(Boolean).join(" "));
      onDone();
    },
    onError: (error) => toastError(error, t),
    onSettled: () => queries.invalidateQueries({ queryKey: ["campaigns"] }),
  });
  const words = { count: chosen.length, n: formatCount(chosen.length) };
  if (chosen.length === 0) {
    return <div className="filters tools"><Button variant="default" onClick={onAll}>{t("uncertain.chooseShown")}</Button><span className="quiet">{t("uncertain.chooseFirst")}</span></div>;
  }
  return (
    <div className="filters tools selection" role="group" aria-label={t("uncertain.decide")}>
      <strong className="num" role="status">{t("uncertain.chosen", words)}</strong>
      <ConfirmButton label={t("uncertain.sent")} icon={<IconCheck size={15} />} question={t("uncertain.ask.sent", words)} confirm={t("uncertain.sent")} loading={decide.isPending} onConfirm={() => decide.mutate("sent")} />
      <ConfirmButton label={t("uncertain.failed")} icon={<IconX size={15} />} question={t("uncertain.ask.failed", words)} confirm={t("uncertain.failed")} loading={decide.isPending} onConfirm={() => decide.mutate("failed")} />
      <ConfirmButton label={t("uncertain.again")} icon={<IconSend size={15} />} question={t("uncertain.ask.again", words)} confirm={t("uncertain.again")} loading={decide.isPending} onConfirm={() => decide.mutate("again")} />
      <span className="spacer" />
      <Button variant="subtle" color="gray" onClick={onDone}>{t("uncertain.none")}</Button>
    </div>
  );
}
