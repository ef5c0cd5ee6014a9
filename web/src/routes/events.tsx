import { Button, SegmentedControl } from "@mantine/core";
import { IconCircleCheck, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { toastDone, toastError } from "../components/errors";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { ConfirmButton } from "../components/small";
import { EventList, most } from "../features/event/list";
import { discard, eventsQuery, type EventState, eventStates, replay } from "../features/event/queries";
import { formatCount } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/events");

/** What webhooks said within eight days, those first that could not be taken in. */
export default function EventsPage() {
  const { t } = useTranslation();
  const { state = "parked" } = route.useSearch();
  const navigate = route.useNavigate();
  const [chosen, setChosen] = useState(new Set<string>());
  const list = useInfiniteQuery({ ...eventsQuery(state), refetchInterval: usePolling(15_000) });
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const events = list.data?.pages.flatMap((page) => page.items) ?? [];
  const known = events.filter((e) => chosen.has(e.id)).map((e) => e.id);

  return (
    <>
      <PageHead title={t("event.title")}><Button component={Link} to="/health" variant="default">{t("event.toHealth")}</Button></PageHead>
      <div className="filters tools">
        <SegmentedControl
          size="xs" aria-label={t("event.state")} value={state} data={eventStates.map((value) => ({ value, label: t(`event.is.${value}`) }))}
          onChange={(value) => { setChosen(new Set()); void navigate({ search: { state: value === "parked" ? undefined : (value as EventState) }, replace: true }); }}
        />
      </div>
      {list.isPending && <WaitingRows />}
      {list.isError && events.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && events.length === 0 && (
        <Empty icon={<IconCircleCheck size={32} stroke={1.4} />} action={state === "parked" ? <Button variant="default" onClick={() => void navigate({ search: { state: "taken" } })}>{t("event.seeTaken")}</Button> : undefined}>{t(`event.none.${state}`)}</Empty>
      )}
      {events.length > 0 && (
        <>
          {state === "parked" && <p className="lead quiet">{t("event.means")}</p>}
          {state === "parked" && <Decide chosen={known} onAll={() => setChosen(new Set(events.slice(0, most).map((e) => e.id)))} onDone={() => setChosen(new Set())} />}
          <EventList events={events} chosen={state === "parked" ? chosen : undefined} onChoose={setChosen} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />
        </>
      )}
    </>
  );
}

/** Read again, or not needed. */
function Decide({ chosen, onAll, onDone }: { chosen: string[]; onAll: () => void; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const settled = { onError: (error: Error) => toastError(error, t), onSettled: () => queries.invalidateQueries() };
  const again = useMutation({
    mutationFn: () => replay(chosen), ...settled,
    onSuccess: ({ replayed, left }) => {
      toastDone([replayed > 0 && t("event.replayed", { count: replayed, n: formatCount(replayed) }), left.length > 0 && t("event.left", { count: left.length, n: formatCount(left.length) })].filter(Boolean).join(" "));
      onDone();
    },
  });
  const drop = useMutation({
    mutationFn: () => discard(chosen), ...settled,
    onSuccess: ({ discarded }) => { toastDone(t("event.dropped", { count: discarded, n: formatCount(discarded) })); onDone(); },
  });
  if (chosen.length === 0) {
    return <div className="filters tools"><Button variant="default" onClick={onAll}>{t("event.chooseShown")}</Button><span className="quiet">{t("event.chooseFirst")}</span></div>;
  }
  const words = { count: chosen.length, n: formatCount(chosen.length) };
  return (
    <div className="filters tools selection" role="group" aria-label={t("event.decide")}>
      <strong className="num" role="status">{t("event.chosen", words)}</strong>
      <Button variant="default" leftSection={<IconRefresh size={15} />} loading={again.isPending} disabled={drop.isPending} onClick={() => again.mutate()}>{t("event.replay")}</Button>
      <ConfirmButton label={t("event.discard")} icon={<IconTrash size={15} />} question={t("event.askDiscard", words)} confirm={t("event.discard")} loading={drop.isPending} onConfirm={() => drop.mutate()} />
      <span className="spacer" />
      <Button variant="subtle" color="gray" onClick={onDone}>{t("event.chooseNone")}</Button>
    </div>
  );
}
