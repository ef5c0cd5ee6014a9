import { Button, Group } from "@mantine/core";
import { IconArrowRight, IconCircleCheck, IconCircleDashed, IconCircleMinus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, Navigate, useNavigate, useRouter } from "@tanstack/react-router";
import { type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Setup, SetupStep } from "../api/types";
import { toastError } from "../components/errors";
import { Failed, PageHead, Waiting } from "../components/page";
import { meQuery } from "../features/account/queries";
import { putSetup, setupQuery } from "../features/settings/queries";
import { nextStep, stepsBehind } from "../features/settings/steps";
import { CampaignStep } from "./welcome-campaign";
import { type BodyProps, CompanyStep, ConnectStep, ImportStep, TestStep } from "./welcome-steps";

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
  // The step stands in the address: what is done there by and by does not turn the page.
  if (wished === undefined && next !== null) return <Navigate to="/welcome" search={{ step: next }} replace />;
  return (
    <div className="page setup">
      <nav aria-label={t("setup.title")}>
        <p className="quiet num" style={{ margin: "0 0 8px" }}>{t("setup.progress", { n: stepsBehind(setup), of: setup.steps.length })}</p>
        <ol className="steps">
          {setup.steps.map(({ name, state }) => (
            <li key={name}>
              <Link to="/welcome" search={{ step: name }} className={name === wished ? "step active" : "step"} aria-current={name === wished ? "step" : undefined} data-step={name} data-state={state}>
                <StepIcon state={state} />{t(`setup.step.${name}`)}{state === "skipped" && <span className="quiet"> · {t("setup.skipped")}</span>}
              </Link>
            </li>
          ))}
        </ol>
      </nav>
      <section>{wished === undefined ? <Through setup={setup} /> : <StepBody key={wished} step={wished} setup={setup} />}</section>
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
  const queries = useQueryClient();
  const navigate = useNavigate();
  const show = (now: Setup) => void navigate({ to: "/welcome", search: { step: nextStep(now) ?? undefined } });
  const goOn = () => void queries.fetchQuery(setupQuery).catch(() => setup).then(show); // the rows as they are now
  const keep = useKeepSetup(show);
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
        {state !== "open" && step !== "company" && <Button size="sm" rightSection={<IconArrowRight size={15} />} onClick={goOn}>{t("setup.goOn")}</Button>}
      </Group>
    </>
  );
}

const bodies: Record<SetupStep, (props: BodyProps) => ReactNode> = {
  company: CompanyStep, connect: ConnectStep, import: ImportStep, test: TestStep, campaign: CampaignStep,
};
