import { Alert, Button, Group } from "@mantine/core";
import { IconEdit, IconPlayerPlay } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Campaign } from "../api/types";
import { describeError, toastError } from "../components/errors";
import { Failed, Waiting } from "../components/page";
import { useNow } from "../components/small";
import { CampaignStateLabel } from "../components/state";
import { CheckPanel } from "../features/campaign/check";
import { type Draft, toDraft, toInput } from "../features/campaign/draft";
import { firstDraft } from "../features/campaign/first";
import type { CampaignParts } from "../features/campaign/form";
import { useDraftCheck } from "../features/campaign/live";
import { Preview } from "../features/campaign/preview";
import { actOnCampaign, campaignsQuery, createCampaign } from "../features/campaign/queries";
import { putSettings, settingsQuery, setupQuery } from "../features/settings/queries";
import { formatCount } from "../lib/format";
import { readField } from "./campaign-editor";
import { useCampaignParts } from "./campaign-parts";
import { type BodyProps, ConnectFirst } from "./welcome-steps";

const route = getRouteApi("/signed-in/shell/in-company/welcome");

/** The first campaign: filled in, looked at, and started right here; or opened to be changed. */
export function CampaignStep({ done }: BodyProps) {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const { parts, pending, error } = useCampaignParts();
  const list = useInfiniteQuery(campaignsQuery(undefined));
  const failure = error ?? list.error;
  if (failure !== null) return <Failed error={failure} retry={() => void list.refetch()} />;
  if (pending || list.data === undefined) return <Waiting />;
  const campaigns = list.data.pages.flatMap((page) => page.items);
  if (done) return <Started campaigns={campaigns.filter((one) => one.state !== "draft")} />;
  if (parts.connections.length === 0) return <ConnectFirst />;
  const saved = campaigns.find((one) => one.state === "draft");
  const zone = me.company?.zone ?? "UTC";
  const draft = saved === undefined ? firstDraft({ connections: parts.connections, templates: parts.templates.items, importId: parts.imports[0]?.id, name: t("setup.campaignName") }) : toDraft(saved, zone);
  return <First key={saved?.id} saved={saved} initial={draft} parts={parts} zone={zone} />;
}

function Started({ campaigns }: { campaigns: Campaign[] }) {
  const { t } = useTranslation();
  return (
    <>
      <ul className="plain-list">
        {campaigns.slice(0, 3).map((one) => <li key={one.id}><Link className="text" to="/campaigns/$id" params={{ id: one.id }} search={{}}>{one.name}</Link> <CampaignStateLabel state={one.state} /></li>)}
      </ul>
      <Button component={Link} to="/campaigns/new" size="sm" variant="default" mt="md">{t("setup.write")}</Button>
    </>
  );
}

interface FirstProps {
  /** the draft that stands already */
  saved: Campaign | undefined;
  initial: Draft;
  parts: CampaignParts;
  zone: string;
}

function First({ saved, initial, parts, zone }: FirstProps) {
  const { t } = useTranslation();
  const [draft] = useState(initial);
  const [at, flip] = useState(0);
  const live = useDraftCheck(draft, zone);
  const begin = useBegin(draft, saved, zone);
  const template = parts.templates.items.find((one) => one.connection_id === draft.connection_id && one.name === draft.template_name && one.language === draft.language);
  const connection = parts.connections.find((one) => one.id === draft.connection_id);
  const ready = live.check !== undefined && !live.stale && live.check.problems.length === 0 && live.check.recipients > 0;
  const n = live.check?.recipients ?? 0;
  return (
    <div className="page form">
      <div className="stack-gap">
        <dl className="facts">
          <dt>{t("campaign.name")}</dt><dd>{draft.name}</dd>
          <dt>{t("campaign.audience")}</dt><dd>{audienceWords(draft, parts, t("setup.everyone", { n: formatCount(parts.contactCount ?? 0) }))}</dd>
          <dt>{t("connection.one")}</dt><dd>{connection?.name}{connection?.number ? <span className="quiet num"> · {connection.number}</span> : null}</dd>
          <dt>{t("campaign.content")}</dt><dd>{draft.kind === "text" ? t("form.freeText") : draft.template_name}</dd>
        </dl>
        <CheckPanel live={live} filter={null} zone={zone} />
        {connection?.simulated === true && live.check !== undefined && <AnyHour asleep={live.check.asleep > 0 || isLater(live.check.first_at)} onDone={live.again} />}
        {begin.error !== null && <Alert color="red" variant="light" role="alert">{describeError(begin.error, t)}</Alert>}
        <Group gap="xs">
          <Button size="sm" leftSection={<IconPlayerPlay size={15} />} disabled={!ready} loading={begin.isPending && begin.variables === "start"} onClick={() => begin.mutate("start")}>{t("campaign.startNow", { count: n, n: formatCount(n) })}</Button>
          <Button size="sm" variant="default" leftSection={<IconEdit size={15} />} loading={begin.isPending && begin.variables === "open"} onClick={() => begin.mutate("open")}>{t("setup.change")}</Button>
        </Group>
      </div>
      <aside className="aside"><Preview draft={draft} template={template} live={live} at={at} onFlip={flip} /></aside>
    </div>
  );
}

const isLater = (at: string | undefined) => at !== undefined && new Date(at).getTime() > Date.now() + 60_000;

function audienceWords(draft: Draft, parts: CampaignParts, everyone: string): string {
  switch (draft.audience) {
    case "all": return everyone;
    case "import": return readField("import_id", draft, parts);
    case "segment": return readField("segment_id", draft, parts);
    case "tags": return readField("tag_ids", draft, parts);
    default: return draft.filter;
  }
}

/** Keeps the draft, once, and starts it or opens it. */
function useBegin(draft: Draft, saved: Campaign | undefined, zone: string) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (what: "start" | "open") => {
      const base = saved ?? await createCampaign(toInput(draft, zone));
      return what === "start" ? actOnCampaign(base.id, "start") : base;
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ["campaigns", "list"] }), // what could not start is a draft now
    onSuccess: (made, what) => {
      void queries.invalidateQueries({ queryKey: setupQuery.queryKey });
      void (what === "start" ? navigate({ to: "/campaigns/$id", params: { id: made.id }, search: {} }) : navigate({ to: "/campaigns/$id/edit", params: { id: made.id } }));
    },
  });
}

/** A simulated number wakes nobody: at night its company need not wait for the morning. */
function AnyHour({ asleep, onDone }: { asleep: boolean; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const settings = useQuery(settingsQuery);
  const open = useMutation({
    mutationFn: async () => putSettings({ ...await queries.fetchQuery({ ...settingsQuery, staleTime: 0 }), window_from: "00:00", window_until: "24:00" }),
    onSuccess: (now) => { queries.setQueryData(settingsQuery.queryKey, now); onDone(); },
    onError: (error) => toastError(error, t),
  });
  const now = useNow(60_000);
  if (!asleep || settings.data === undefined) return null;
  return (
    <div className="panel" role="note">
      {t("setup.night", { from: settings.data.window_from, until: settings.data.window_until, now: now.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: settings.data.zone }) })}
      <div style={{ marginTop: 10 }}><Button variant="default" loading={open.isPending} onClick={() => open.mutate()}>{t("setup.anyHour")}</Button></div>
    </div>
  );
}
