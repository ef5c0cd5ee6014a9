import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Failed, PageHead, Waiting } from "../components/page";
import { Time } from "../components/small";
import { Connections, Parts, Queues } from "../features/health/lines";
import { healthQuery } from "../features/health/queries";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell");

export default function HealthPage() {
  const { me } = route.useRouteContext();
  return me.user.role === "user" ? <NotFound /> : <Health inCompany={me.company != null} />;
}

function Health({ inCompany }: { inCompany: boolean }) {
  const { t } = useTranslation();
  const health = useQuery({ ...healthQuery, refetchInterval: 5_000 });
  const troubles = health.data === undefined ? 0 : [...health.data.parts, ...health.data.connections].filter((line) => line.state === "bad" || line.state === "warn").length;
  return (
    <>
      <PageHead title={t("health.title")} beside={health.data !== undefined && <span className="quiet">{troubles === 0 ? t("health.allGood") : t("health.troubles", { count: troubles })}</span>}>
        {health.data !== undefined && <span className="quiet wide">{t("health.looked")} <Time at={health.data.at} /> · OmniDesk {health.data.version}</span>}
      </PageHead>
      {health.isPending && <Waiting />}
      {health.isError && health.data === undefined && <Failed error={health.error} retry={() => void health.refetch()} />}
      {health.data !== undefined && (
        <div className="page health-page">
          {health.isError && <div className="widget widget-failed" role="alert">{t("health.stale")}</div>}
          <section className="widget"><header><h2>{t("health.platform")}</h2></header><Parts parts={health.data.parts} /></section>
          {inCompany && <section className="widget"><header><h2>{t("health.connections")}</h2></header><Connections connections={health.data.connections} /></section>}
          {health.data.queues != null && <section className="widget"><header><h2>{t("health.queues")}</h2></header><Queues queues={health.data.queues} /></section>}
        </div>
      )}
    </>
  );
}
