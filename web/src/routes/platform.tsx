import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Platform } from "../api/types";
import { Failed, PageHead, Waiting } from "../components/page";
import { Time } from "../components/small";
import { Drain } from "../features/platform/drain";
import { figuresQuery, platformQuery } from "../features/platform/queries";
import { Superadmins } from "../features/platform/superadmins";
import { NewCompany } from "../features/settings/company-form";
import { formatCount } from "../lib/format";
import { useEnter } from "./enter";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell");

export default function PlatformPage() {
  const { me } = route.useRouteContext();
  return me.user.role === "superadmin" ? <Whole /> : <NotFound />;
}

/** The whole installation: what is on its way, who is at work, whom it serves, and who runs it. */
function Whole() {
  const { t } = useTranslation();
  const platform = useQuery({ ...platformQuery, refetchInterval: 2_000 });
  const figures = useInfiniteQuery(figuresQuery);
  const enter = useEnter();
  const [making, setMaking] = useState(false);
  const companies = figures.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHead title={t("platform.title")} beside={platform.data !== undefined && <span className="quiet num">OmniDesk {platform.data.version}<span className="wide"> · {t("platform.schema", { n: platform.data.schema })}</span></span>}>
        <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>{t("settings.newCompany")}</Button>
      </PageHead>
      <NewCompany opened={making} onClose={() => setMaking(false)} onEnter={enter.mutate} />
      {platform.isPending && <Waiting />}
      {platform.isError && platform.data === undefined && <Failed error={platform.error} retry={() => void platform.refetch()} />}
      {platform.data !== undefined && (
        <div className="page health-page">
          <Drain platform={platform.data} companies={new Map(companies.map((c) => [c.id, c.name]))} />
          <section className="widget" aria-labelledby="companies">
            <header><h2 id="companies">{t("company.title")}</h2></header>
            <table className="plain-table">
              <thead><tr><th>{t("platform.company")}</th><th className="end wide">{t("platform.people")}</th><th className="end wide">{t("platform.connections")}</th><th className="end">{t("platform.sent")}</th><th className="end wide">{t("platform.lastSeen")}</th><th><span className="sr">{t("company.enter")}</span></th></tr></thead>
              <tbody>
                {companies.map((c) => (
                  <tr key={c.id}>
                    <td><strong>{c.name}</strong>{c.demo && <span className="badge calm" style={{ marginLeft: 8 }}>{t("company.demo")}</span>}</td>
                    <td className="end num wide">{formatCount(c.people)}</td>
                    <td className="end num wide">{formatCount(c.connections)}</td>
                    <td className="end num">{formatCount(c.sent)}</td>
                    <td className="end wide"><Time at={c.last_seen_at} /></td>
                    <td className="end"><Button variant="default" size="compact-xs" aria-label={t("settings.enterIt", { name: c.name })} loading={enter.isPending && enter.variables === c.id} onClick={() => enter.mutate(c.id)}>{t("company.enter")}</Button></td>
                  </tr>
                ))}
              </tbody>
            </table>
            {figures.hasNextPage && <div className="widget-none"><Button variant="default" loading={figures.isFetchingNextPage} onClick={() => void figures.fetchNextPage()}>{t("common.more")}</Button></div>}
          </section>
          <Processes processes={platform.data.processes} />
          <Superadmins />
          <section className="widget" aria-labelledby="upgrade">
            <header><h2 id="upgrade">{t("platform.upgrade")}</h2></header>
            <ol className="steps">{(["drain", "wait", "backup", "migrate", "start", "resume"] as const).map((step) => <li key={step}>{t(`platform.step.${step}`)}</li>)}</ol>
          </section>
        </div>
      )}
    </>
  );
}

function Processes({ processes }: { processes: Platform["processes"] }) {
  const { t } = useTranslation();
  const versions = new Set(processes.map((p) => p.version));
  return (
    <section className="widget" aria-labelledby="processes">
      <header><h2 id="processes">{t("platform.processes")}</h2>{versions.size > 1 && <span className="badge">{t("platform.mixed")}</span>}</header>
      {processes.length === 0 ? <div className="widget-none">{t("platform.noProcess")}</div> : (
        <table className="plain-table">
          <thead><tr><th>{t("platform.what")}</th><th>{t("platform.host")}</th><th>{t("platform.version")}</th><th className="end wide">{t("platform.started")}</th></tr></thead>
          <tbody>{processes.map((p) => <tr key={`${p.host}/${p.kind}/${p.started_at}`}><td>{t(`platform.kind.${p.kind}`)}</td><td className="mono">{p.host}</td><td className="num">{p.version}</td><td className="end wide"><Time at={p.started_at} /></td></tr>)}</tbody>
        </table>
      )}
    </section>
  );
}
