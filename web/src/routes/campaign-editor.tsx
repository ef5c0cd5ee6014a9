import { Button, Group } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Navigate, useBlocker, useNavigate } from "@tanstack/react-router";
import type { TFunction } from "i18next";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, fieldComplaints, fieldPath, toFormErrors } from "../api/problem";
import type { Campaign } from "../api/types";
import { toastDone, toastError } from "../components/errors";
import { useNow } from "../components/small";
import { storable, useAutosave } from "../features/campaign/autosave";
import { CheckPanel } from "../features/campaign/check";
import { Conflict } from "../features/campaign/conflict";
import { complaints, type Draft, differences, draftField, sameDraft, toDraft, toInput } from "../features/campaign/draft";
import { CampaignForm, type CampaignParts } from "../features/campaign/form";
import { useDraftCheck } from "../features/campaign/live";
import { Preview, shownSample } from "../features/campaign/preview";
import { actOnCampaign, campaignQuery, createCampaign, saveCampaign } from "../features/campaign/queries";
import { StartDialog } from "../features/campaign/summary";
import { TestSend } from "../features/campaign/trial";
import { settingsQuery } from "../features/settings/queries";
import { useTemplateSync } from "../features/template/sync";
import { formatCount } from "../lib/format";

interface Props {
  /** the saved draft; absent for a new campaign */
  campaign?: Campaign;
  initial: Draft;
  parts: CampaignParts;
  /** the company's */
  zone: string;
  /** the draft has just been kept for the first time */
  onMade?: (id: string) => void;
}

/** Writes a draft with a live look at what it would do; saves it as one types, and starts it. */
export function CampaignEditor({ campaign, initial, parts, zone, onMade }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const now = useNow(30_000);
  const [saved, setSaved] = useState(campaign); // the version this form is based on, whatever is fetched meanwhile
  const base = useRef(campaign); // the same, for saves that follow one another
  const adopt = (version: Campaign) => { base.current = version; setSaved(version); };
  const [confirming, setConfirming] = useState(false);
  const [at, flip] = useState(0); // which contact is looked at
  const form = useForm<Draft>({
    initialValues: initial,
    validate: (draft) => Object.fromEntries(Object.entries(complaints(draft, new Date(), zone)).map(([field, what]) => [field, t(`form.${what ?? "missing"}`)])),
  });
  const draft = form.values;
  const store = storable(draft, t("form.untitled"));
  const dirty = saved === undefined ? differences(draft, initial).length > 0 : !sameDraft("draft" in store ? store.draft : draft, toDraft(saved, zone), zone);

  const sync = useTemplateSync(parts.templates);
  const live = useDraftCheck(draft, zone);
  const latest = useQuery({ ...campaignQuery(saved?.id ?? ""), enabled: saved !== undefined }).data;

  const keep = (changed: Campaign) => {
    adopt(changed);
    queries.setQueryData(campaignQuery(changed.id).queryKey, changed);
    void queries.invalidateQueries({ queryKey: ["campaigns", "list"] });
  };
  const complain = (error: unknown) => {
    const said = toFormErrors(fieldComplaints(error), draftField);
    if (Object.keys(said.fields).length > 0) form.setErrors(said.fields);
    if (saved !== undefined && error instanceof ApiError && error.status === 409) void queries.invalidateQueries({ queryKey: campaignQuery(saved.id).queryKey });
    else if (Object.keys(said.fields).length === 0 && said.rest.length === 0) toastError(error, t);
  };
  const save = useMutation({
    scope: { id: "draft" },
    mutationFn: (values: Draft) => {
      const on = base.current;
      return on === undefined ? createCampaign(toInput(values, zone)) : saveCampaign(on.id, on.version, toInput(values, zone));
    },
    onError: complain,
    onSuccess: (made) => {
      const first = base.current === undefined;
      keep(made);
      if (first) onMade?.(made.id);
    },
  });
  const start = useMutation({
    mutationFn: async () => {
      const made = dirty || saved === undefined ? await save.mutateAsync(draft) : saved;
      return actOnCampaign(made.id, "start");
    },
    onError: (error) => { setConfirming(false); if (!save.isError) complain(error); live.again(); },
    onSuccess: async (started) => {
      keep(started);
      toastDone(started.starts_at == null ? t("campaign.did.start") : t("campaign.did.schedule"));
      await navigate({ to: "/campaigns/$id", params: { id: started.id }, search: {}, ignoreBlocker: true });
    },
  });
  const busy = save.isPending || start.isPending;
  const settings = useQuery(settingsQuery).data;
  const hours = settings === undefined || (settings.window_from === "00:00" && settings.window_until === "24:00") ? null : { from: settings.window_from, until: settings.window_until };

  const theirs = saved !== undefined && latest !== undefined && !busy && latest.version > saved.version ? latest : undefined;
  const template = parts.templates.items.find((one) => one.connection_id === draft.connection_id && one.name === draft.template_name && one.language === draft.language);
  const connection = parts.connections.find((one) => one.id === draft.connection_id)?.name ?? "";
  const hints = toFormErrors((live.check?.problems ?? []).map((p) => ({ field: fieldPath(p.field), message: p.message })), draftField).fields;
  const loose = toFormErrors(fieldComplaints(save.error ?? start.error), draftField).rest;
  const ready = live.check !== undefined && !live.stale && live.check.problems.length === 0 && live.check.recipients > 0 && theirs === undefined;

  const unsaved = dirty && theirs === undefined && "draft" in store ? store.draft : null;
  useAutosave(start.isPending ? null : unsaved, saved?.version ?? 0, save);
  useBlocker({
    // What can be kept is kept on the way out; only what can't be is asked about.
    shouldBlockFn: async () => {
      if (!dirty) return false;
      const left = unsaved !== null && await save.mutateAsync(unsaved).then(() => true, () => false);
      return !left && !window.confirm(t("form.leave"));
    },
    enableBeforeUnload: () => dirty,
  });
  useTheirs(dirty ? undefined : theirs, (draftOfTheirs) => { adopt(draftOfTheirs); form.setValues(toDraft(draftOfTheirs, zone)); form.clearErrors(); });

  if (theirs !== undefined && theirs.state !== "draft" && !dirty) return <Navigate to="/campaigns/$id" params={{ id: theirs.id }} search={{}} replace />;
  const submit = () => { if (unsaved !== null) save.mutate(unsaved); };
  return (
    <div className="page form">
      <div>
        {theirs !== undefined && dirty && (
          <Conflict
            theirs={theirs} form={form} zone={zone} read={(field, values) => readField(field, values, parts)}
            onTake={() => { adopt(theirs); form.setValues(toDraft(theirs, zone)); form.clearErrors(); }}
            onKeep={() => adopt(theirs)}
          />
        )}
        <CampaignForm
          {...parts} form={form} template={template} zone={zone} hints={hints} loose={loose} syncing={sync.isPending} onSync={(id) => sync.mutate([id])} onSubmit={submit}
          footer={
            <Group gap="xs">
              <Button size="sm" leftSection={<IconPlayerPlay size={15} />} disabled={!ready && !live.incomplete} onClick={() => { if (!form.validate().hasErrors && ready) setConfirming(true); }}>
                {draft.when === "at" ? t("form.scheduleMore") : live.check === undefined || live.check.recipients === 0 ? t("form.start") : t("form.startMore", { count: live.check.recipients, n: formatCount(live.check.recipients) })}
              </Button>
              <span className="quiet" role="status" data-saved={!dirty && saved !== undefined}>{standing(t, { dirty, saved: saved !== undefined, saving: save.isPending, failed: save.isError, missing: "missing" in store ? store.missing : undefined })}</span>
            </Group>
          }
        />
      </div>
      <aside className="aside stack-gap">
        <Preview draft={draft} template={template} live={live} at={at} onFlip={flip} />
        <CheckPanel live={live} filter={filterOf(draft, parts)} zone={zone} />
        <TestSend draft={draft} zone={zone} sample={shownSample(live.samples, at)} />
      </aside>
      {live.check !== undefined && (
        <StartDialog opened={confirming} onClose={() => setConfirming(false)} draft={draft} check={live.check} connection={connection} zone={zone} hours={hours} now={now} starting={start.isPending} onStart={() => start.mutate()} />
      )}
    </div>
  );
}

/** Nothing typed here is at stake: another's version is taken, and said. */
function useTheirs(theirs: Campaign | undefined, take: (theirs: Campaign) => void) {
  const { t } = useTranslation();
  const latest = useRef(take);
  useEffect(() => { latest.current = take; });
  useEffect(() => {
    if (theirs?.state !== "draft") return;
    latest.current(theirs);
    toastDone(t("conflict.taken", { who: theirs.changed_by === "" ? t("conflict.somebody") : theirs.changed_by }));
  }, [theirs, t]);
}

/** Whether what is on the screen is kept, in a word. */
function standing(t: TFunction, of: { dirty: boolean; saved: boolean; saving: boolean; failed: boolean; missing: "connection_id" | "audience" | undefined }): string {
  if (!of.dirty) return of.saved ? t("form.allSaved") : "";
  if (of.missing !== undefined) return t(`form.unsavedFor.${of.missing}`);
  if (of.saving) return t("form.saving");
  return of.failed ? t("form.notSaved") : t("form.unsaved");
}

/** The beginning of a filter that describes the audience, for links to those left out; null when none does. */
function filterOf(draft: Draft, parts: CampaignParts): string | null {
  if (draft.audience === "all") return "";
  if (draft.audience === "filter") return `(${draft.filter}) and `;
  const segment = parts.segments.find((one) => draft.audience === "segment" && one.id === draft.segment_id)?.filter;
  if (segment !== undefined) return `(${segment}) and `;
  if (draft.audience !== "tags") return null;
  const names = parts.tags.filter((tag) => draft.tag_ids.includes(tag.id)).map((tag) => `tag:${JSON.stringify(tag.name)}`);
  return `(${names.join(" or ")}) and `;
}

export function readField(field: keyof Draft, draft: Draft, parts: CampaignParts): string {
  switch (field) {
    case "connection_id": return parts.connections.find((one) => one.id === draft.connection_id)?.name ?? "–";
    case "failed_codes": return draft.failed_codes.join(", ") || "–";
    case "tag_ids": return parts.tags.filter((tag) => draft.tag_ids.includes(tag.id)).map((tag) => tag.name).join(", ") || "–";
    case "segment_id": return parts.segments.find((one) => one.id === draft.segment_id)?.label ?? "–";
    case "import_id": return parts.imports.find((one) => one.id === draft.import_id)?.label ?? "–";
    case "parameters": return draft.parameters.join(" · ") || "–";
    case "starts_at":
    case "expires_at": return draft[field].replace("T", " ") || "–";
    default: return draft[field] || "–";
  }
}
