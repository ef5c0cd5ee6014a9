import { ActionIcon, Button, Group, Menu, TextInput } from "@mantine/core";
import { IconCopy, IconDots, IconDownload, IconExternalLink, IconInbox, IconPencil, IconPlayerPause, IconPlayerPlay, IconRepeat, IconRoute, IconSearch, IconTrash, IconX } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/problem";
import { usePolling } from "../api/realtime";
import type { Campaign, MessageState } from "../api/types";
import { toastDone, toastError } from "../components/errors";
import { Crumb, Empty, Failed, PageHead, Waiting } from "../components/page";
import { ConfirmButton } from "../components/small";
import { CampaignStateLabel } from "../components/state";
import { AgainModal, useDuplicate } from "../features/campaign/again";
import { CourseChart } from "../features/campaign/course";
import { Failures, UncertainNotice } from "../features/campaign/failures";
import { isLedgerState, type MessageFilter, parseStates, phoneOf } from "../features/campaign/filter";
import { Funnel } from "../features/campaign/funnel";
import { MessageList } from "../features/campaign/messages";
import { actOnCampaign, type CampaignAction, campaignLiveQuery, campaignQuery, deleteCampaign, exportUrl, messagesQuery } from "../features/campaign/queries";
import { CampaignFacts, RunProgress, StateTiles } from "../features/campaign/run";
import { canCancel, canPause, canResume, isMoving } from "../features/campaign/states";
import { tagsQuery } from "../features/contact/queries";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell/in-company/campaigns/$id");

export default function CampaignPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { state, code, phone, replied } = route.useSearch();
  const { me } = route.useRouteContext();
  // Beside the socket, for the rate, the finish and what it waits for: nobody tells of a campaign that stands still.
  const campaign = useQuery({ ...campaignQuery(id), refetchInterval: (query) => (query.state.data !== undefined && canCancel(query.state.data) ? 5_000 : 15_000) });
  const active = campaign.data !== undefined && canCancel(campaign.data);
  const live = useQuery({ ...campaignLiveQuery(id), enabled: active, refetchInterval: active ? 5_000 : false });
  const tags = useQuery(tagsQuery);
  const [again, setAgain] = useState(false);

  if (campaign.isPending) return <Waiting />;
  if (campaign.data === undefined) {
    if (campaign.error instanceof ApiError && (campaign.error.status === 404 || campaign.error.status === 422)) return <NotFound />;
    return <Failed error={campaign.error} retry={() => void campaign.refetch()} />;
  }
  const c = campaign.data;
  const tagNames = (c.audience.tag_ids ?? []).map((tag) => tags.data?.items.find((known) => known.id === tag)?.name ?? t("campaign.goneTag"));
  const url = live.data?.workflow_url;
  const temporalUrl = me.temporal_ui && url != null && url !== "" ? url : null;
  return (
    <>
      <PageHead
        title={c.name}
        crumb={<Crumb to="/campaigns" label={t("campaign.title")} />}
        beside={<CampaignStateLabel state={c.state} />}
      >
        <Actions campaign={c} onAgain={() => setAgain(true)} filter={{ states: parseStates(state).filter(isLedgerState), code, phone, replied }} temporalUrl={temporalUrl} />
      </PageHead>
      <div className="run">
        <div style={{ minWidth: 0 }}>
          {c.state === "draft" ? <Draft campaign={c} /> : (
            <>
              <RunProgress campaign={c} live={active ? live.data : undefined} />
              <UncertainNotice campaign={c} />
              <Funnel campaign={c} selected={state} replied={replied === true} />
              <CourseChart campaign={c} />
              <Failures campaign={c} selected={code} onAgain={() => setAgain(true)} />
              <StateTiles campaign={c} selected={state} />
              <Messages campaign={c} states={parseStates(state)} code={code} phone={phone} replied={replied} />
            </>
          )}
        </div>
        <AgainModal campaign={c} opened={again} onClose={() => setAgain(false)} />
        <CampaignFacts campaign={c} tagNames={tagNames} temporalUrl={temporalUrl} />
      </div>
    </>
  );
}

function Draft({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  return (
    <Empty
      icon={<IconPencil size={32} stroke={1.4} />}
      action={<Button component={Link} to={`/campaigns/${campaign.id}/edit`}>{t("campaign.goOn")}</Button>}
    >
      {t("campaign.draftWords")}
    </Empty>
  );
}

function Actions({ campaign, filter, temporalUrl, onAgain }: { campaign: Campaign; filter: MessageFilter; temporalUrl: string | null; onAgain: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: (action: CampaignAction) => actOnCampaign(campaign.id, action),
    onSuccess: (changed, action) => {
      queries.setQueryData(campaignQuery(campaign.id).queryKey, changed);
      if (action !== "start") toastDone(t(`campaign.did.${action}`));
    },
    onError: (error) => toastError(error, t),
    onSettled: () => queries.invalidateQueries({ queryKey: ["campaigns"] }),
  });
  const duplicate = useDuplicate(campaign);
  const navigate = useNavigate();
  const busy = (action: CampaignAction) => act.isPending && act.variables === action;
  return (
    <Group gap={6} wrap="nowrap">
      {campaign.state === "draft" && <Button component={Link} to={`/campaigns/${campaign.id}/edit`} variant="default" leftSection={<IconPencil size={15} />}>{t("common.edit")}</Button>}
      {campaign.state === "draft" && <DeleteDraft campaign={campaign} />}
      {canPause(campaign) && <Button variant="default" leftSection={<IconPlayerPause size={15} />} loading={busy("pause")} onClick={() => act.mutate("pause")}>{t("campaign.pause")}</Button>}
      {canResume(campaign) && <Button leftSection={<IconPlayerPlay size={15} />} loading={busy("resume")} onClick={() => act.mutate("resume")}>{t("campaign.resume")}</Button>}
      {canCancel(campaign) && (
        <ConfirmButton label={t("campaign.cancel")} icon={<IconX size={15} />} question={t("campaign.cancelQuestion")} confirm={t("campaign.cancelConfirm")} loading={busy("cancel")} onConfirm={() => act.mutate("cancel")} />
      )}
        <Menu position="bottom-end" width={240}>
          <Menu.Target><ActionIcon size={30} aria-label={t("common.more")}><IconDots size={16} /></ActionIcon></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconCopy size={15} />} onClick={() => duplicate.mutate()}>{t("again.duplicate")}</Menu.Item>
            {campaign.counts.failed > 0 && <Menu.Item leftSection={<IconRepeat size={15} />} onClick={onAgain}>{t("again.button")}</Menu.Item>}
            {campaign.state !== "draft" && (["csv", "xlsx"] as const).map((format) => (
              <Menu.Item key={format} component="a" href={exportUrl(campaign.id, format, filter)} download leftSection={<IconDownload size={15} />}>
                {t(filter.states.length === 0 && filter.phone === undefined && filter.replied !== true ? "results.export" : "results.exportShown", { format: format.toUpperCase() })}
              </Menu.Item>
            ))}
            {campaign.state !== "draft" && <Menu.Item leftSection={<IconRoute size={15} />} onClick={() => void navigate({ to: "/campaigns/$id/run", params: { id: campaign.id } })}>{t("run.open")}</Menu.Item>}
            {temporalUrl !== null && <Menu.Item component="a" href={temporalUrl} target="_blank" rel="noreferrer" leftSection={<IconExternalLink size={15} />}>{t("campaign.openTemporal")}</Menu.Item>}
          </Menu.Dropdown>
        </Menu>
    </Group>
  );
}

function DeleteDraft({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteCampaign(campaign.id),
    onSuccess: async () => {
      toastDone(t("campaign.deleted"));
      await navigate({ to: "/campaigns" });
      await queries.invalidateQueries({ queryKey: ["campaigns", "list"] });
    },
    onError: (error) => toastError(error, t),
  });
  return <ConfirmButton label={t("common.delete")} icon={<IconTrash size={15} />} question={t("campaign.deleteQuestion")} confirm={t("common.delete")} loading={remove.isPending} onConfirm={() => remove.mutate()} />;
}

function Messages({ campaign, states, code, phone, replied }: { campaign: Campaign; states: MessageState[]; code: number | undefined; phone: string | undefined; replied: true | undefined }) {
  const { t } = useTranslation();
  if (states.length === 1 && states[0] === "planned") return <Empty icon={<IconInbox size={32} stroke={1.4} />}>{t("message.planned")}</Empty>;
  return <Ledger campaign={campaign} filter={{ states: states.filter(isLedgerState), code, phone, replied }} />;
}

function Ledger({ campaign, filter }: { campaign: Campaign; filter: MessageFilter }) {
  const { t } = useTranslation();
  const polling = usePolling();
  const list = useInfiniteQuery({ ...messagesQuery(campaign.id, filter), refetchInterval: polling });
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const messages = list.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = filter.states.length > 0 || filter.phone !== undefined || filter.replied === true;
  const named = filter.states.map((state) => t(`message.state.${state}`).toLowerCase()).join(", ");
  const only = filter.replied === true ? t("results.onlyReplied") : filter.phone !== undefined ? t("results.onlyPhone", { phone: filter.phone }) : filter.code !== undefined ? t("results.onlyCode", { code: filter.code === 0 ? t("results.noCode") : filter.code }) : t("message.only", { state: named });
  const nothing = filter.replied === true ? t("results.noneReplied") : filter.phone !== undefined ? t("results.noneTo", { phone: filter.phone }) : filtered ? t("message.noneIn", { state: named }) : isMoving(campaign) || campaign.state === "scheduled" ? t("message.notYet") : t("message.none");
  return (
    <section aria-label={t("message.title")} style={{ borderTop: "1px solid var(--line)" }}>
      <div className="find">
        {filtered && <span role="status">{only}</span>}
        {filtered && <Link className="chip active" to="/campaigns/$id" params={{ id: campaign.id }} search={{}} resetScroll={false}>{t("message.showAll")} <IconX size={12} /></Link>}
        <FindNumber key={filter.phone ?? ""} campaign={campaign} filter={filter} />
      </div>
      {list.isPending ? <Waiting /> : list.isError && messages.length === 0 ? <Failed error={list.error} retry={() => void list.refetch()} />
        : messages.length === 0 ? <Empty icon={<IconInbox size={32} stroke={1.4} />}>{nothing}</Empty>
        : <MessageList messages={messages} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />}
    </section>
  );
}

/** Finds the messages to one number among those that are shown. */
function FindNumber({ campaign, filter }: { campaign: Campaign; filter: MessageFilter }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [typed, setTyped] = useState(filter.phone ?? "");
  const find = (phone: string | undefined) =>
    navigate({ to: "/campaigns/$id", params: { id: campaign.id }, search: { state: filter.states.join(",") || undefined, phone }, resetScroll: false });
  return (
    <form role="search" onSubmit={(event) => { event.preventDefault(); void find(phoneOf(typed)); }}>
      <TextInput
        type="search" inputMode="tel" size="xs" aria-label={t("results.find")} placeholder={t("results.find")} title={t("results.findHint")}
        leftSection={<IconSearch size={14} />} value={typed} onChange={(event) => setTyped(event.currentTarget.value)}
      />
    </form>
  );
}
