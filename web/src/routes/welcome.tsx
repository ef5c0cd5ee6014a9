import { Button, Group } from "@mantine/core";
import { IconArrowRight, IconCircleCheck, IconCircleDashed, IconCircleMinus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate, useRouter } from "@tanstack/react-router";
import { type ReactNode, useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { LedgerState, Setup, SetupStep } from "../api/types";
import { toastError } from "../components/errors";
import { Failed, PageHead, Waiting } from "../components/page";
import { ConnectionStateLabel, standingOf } from "../components/state";
import { meQuery } from "../features/account/queries";
import { AddConnection } from "../features/connection/add";
import { connectionsQuery } from "../features/connection/queries";
import { contactCountQuery } from "../features/contact/queries";
import { SettingsForm } from "../features/settings/form";
import { putSetup, settingsQuery, setupQuery } from "../features/settings/queries";
import { nextStep, stepsBehind } from "../features/settings/steps";
import { templatesQuery } from "../features/template/queries";
import { TestMessage } from "../features/trial/form";
import { formatCount } from "../lib/format";
import { useSaveSettings } from "./settings";

const route = getRouteApi("/signed-in/shell/in-company/welcome");

/** A company's first steps. Where one is follows from the rows, so that another day goes on here. */
export default function WelcomePage() {
  const { t } = useTranslation();
  const setup = useQuery(setupQuery);
  return (
    <>
      <PageHead title={t("setup.title")}>{setup.data !== undefined && <Leave setup={setup.data} />}</PageHead>
      {setup.isPending && <Waiting />}
      {setup.isError && <Failed error={setup.error} retry={() => void setup.refetch()} />}
      {setup.data !== undefined && <Steps setup={setup.data} />}
    </>
  );
}

function useKeepSetup(then: (setup: Setup) => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const router = useRouter();
  return useMutation({
    mutationFn: putSetup,
    onSuccess: async (kept) => {
      queries.setQueryData(setupQuery.queryKey, kept);
      await queries.refetchQueries({ queryKey: meQuery.queryKey });
      await router.invalidate();
      then(kept);
    },
    onError: (error) => toastError(error, t),
  });
}

const skippedOf = (setup: Setup) => setup.steps.filter((s) => s.state === "skipped").map((s) => s.name);

function Leave({ setup }: { setup: Setup }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const keep = useKeepSetup(() => void navigate({ to: "/" }));
  if (setup.dismissed) return <Button component={Link} to="/" variant="default">{t("setup.toDashboard")}</Button>;
  return <Button variant="default" loading={keep.isPending} onClick={() => keep.mutate({ skipped: skippedOf(setup), dismissed: true })}>{t("setup.dismiss")}</Button>;
}

function Steps({ setup }: { setup: Setup }) {
  const { t } = useTranslation();
  const { step: wished } = route.useSearch();
  const next = nextStep(setup);
  const present = wished ?? next;
  return (
    <div className="page setup">
      <nav aria-label={t("setup.title")}>
        <p className="quiet num" style={{ margin: "0 0 8px" }}>{t("setup.progress", { n: stepsBehind(setup), of: setup.steps.length })}</p>
        <ol className="steps">
          {setup.steps.map(({ name, state }) => (
            <li key={name}>
              <Link to="/welcome" search={{ step: name }} className={name === present ? "step active" : "step"} aria-current={name === present ? "step" : undefined} data-step={name} data-state={state}>
                <StepIcon state={state} />{t(`setup.step.${name}`)}{state === "skipped" && <span className="quiet"> · {t("setup.skipped")}</span>}
              </Link>
            </li>
          ))}
        </ol>
      </nav>
      <section aria-live="polite">
        {present === null ? <Through setup={setup} /> : <StepBody key={present} step={present} setup={setup} />}
      </section>
    </div>
  );
}

function StepIcon({ state }: { state: Setup["steps"][number]["state"] }) {
  const { t } = useTranslation();
  if (state === "done") return <IconCircleCheck size={16} color="var(--good)" aria-label={t("setup.done")} />;
  if (state === "skipped") return <IconCircleMinus size={16} color="var(--quiet)" aria-hidden="true" />;
  return <IconCircleDashed size={16} color="var(--quiet)" aria-hidden="true" />;
}

function Through({ setup }: { setup: Setup }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const keep = useKeepSetup(() => void navigate({ to: "/" }));
  return (
    <>
      <h2>{t("setup.through")}</h2>
      <p className="quiet">{t("setup.throughHint")}</p>
      <Button size="sm" loading={keep.isPending} onClick={() => keep.mutate({ skipped: skippedOf(setup), dismissed: true })}>{t("setup.toDashboard")}</Button>
    </>
  );
}

function StepBody({ step, setup }: { step: SetupStep; setup: Setup }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const goOn = () => void navigate({ to: "/welcome", search: {} });
  const keep = useKeepSetup(goOn);
  const state = setup.steps.find((s) => s.name === step)?.state;
  const Body = bodies[step];
  return (
    <>
      <h2>{t(`setup.head.${step}`)}</h2>
      <p className="quiet" style={{ maxWidth: 560, marginTop: 0 }}>{t(`setup.why.${step}`)}</p>
      <Body onDone={goOn} done={state === "done"} />
      <Group mt="lg" gap="xs">
        {state === "open" && step !== "company" && (
          <Button variant="subtle" color="gray" size="sm" loading={keep.isPending} onClick={() => keep.mutate({ skipped: [...skippedOf(setup), step], dismissed: false })}>{t("setup.skip")}</Button>
        )}
        {state !== "open" && <Button variant="default" size="sm" rightSection={<IconArrowRight size={15} />} onClick={goOn}>{t("setup.goOn")}</Button>}
      </Group>
    </>
  );
}

interface BodyProps { onDone: () => void; done: boolean }

function CompanyStep({ onDone }: BodyProps) {
  const { t } = useTranslation();
  const settings = useQuery(settingsQuery);
  const save = useSaveSettings(onDone);
  if (settings.data === undefined) return settings.isError ? <Failed error={settings.error} /> : <Waiting />;
  return <SettingsForm settings={settings.data} saving={save.isPending} error={save.error} submit={t("setup.saveAndGoOn")} onSave={save.mutate} />;
}

function ConnectStep({ onDone, done }: BodyProps) {
  const { me } = route.useRouteContext();
  const connections = useQuery(connectionsQuery);
  if (!done) return <AddConnection sandbox={me.build.sandbox} onAdded={onDone} />;
  return (
    <ul className="plain-list">
      {connections.data?.items.map((c) => (
        <li key={c.id}><Link className="text" to="/connections/$id" params={{ id: c.id }}>{c.name}</Link> <span className="num quiet">{c.number}</span> <ConnectionStateLabel state={standingOf(c)} /></li>
      ))}
    </ul>
  );
}

function ImportStep({ done }: BodyProps) {
  const { t } = useTranslation();
  const count = useQuery(contactCountQuery());
  return (
    <>
      {done && count.data !== undefined && <p>{t("setup.contacts", { n: formatCount(count.data.count) })}</p>}
      <Group gap="xs">
        <Button component={Link} to="/contacts/imports/new" size="sm" variant={done ? "default" : "filled"}>{t("setup.importCsv")}</Button>
        {done && <Button component={Link} to="/contacts" size="sm" variant="default">{t("import.toContacts")}</Button>}
      </Group>
    </>
  );
}

function TestStep() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { me } = route.useRouteContext();
  const queries = useQueryClient();
  const connections = useQuery(connectionsQuery);
  const templates = useQuery(templatesQuery);
  const arrived = useCallback((state: LedgerState) => {
    if (state === "sent" || state === "delivered" || state === "read") void queries.invalidateQueries({ queryKey: setupQuery.queryKey });
  }, [queries]);
  const error = connections.error ?? templates.error;
  if (error !== null) return <Failed error={error} />;
  if (connections.data === undefined || templates.data === undefined) return <Waiting />;
  if (connections.data.items.length === 0) return <Button size="sm" onClick={() => void navigate({ to: "/welcome", search: { step: "connect" } })}>{t("setup.connectFirst")}</Button>;
  return <TestMessage connections={connections.data.items} templates={templates.data.items} phones={me.build.sandbox ? me.build.sandbox_url : undefined} onState={arrived} />;
}

function CampaignStep({ done }: BodyProps) {
  const { t } = useTranslation();
  return (
    <Group gap="xs">
      {!done && <Button component={Link} to="/campaigns/new" size="sm">{t("setup.write")}</Button>}
      <Button component={Link} to="/campaigns" size="sm" variant="default">{t("setup.toCampaigns")}</Button>
    </Group>
  );
}

const bodies: Record<SetupStep, (props: BodyProps) => ReactNode> = {
  company: CompanyStep, connect: ConnectStep, import: ImportStep, test: TestStep, campaign: CampaignStep,
};
