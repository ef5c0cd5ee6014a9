import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/problem";
import { Failed, PageHead, Waiting } from "../components/page";
import { connectionLiveQuery, connectionQuery } from "../features/connection/queries";
import { RunView } from "../features/run/view";
import { NotFound } from "./fallback";

const route = getRouteApi("/signed-in/shell/in-company/connections/$id/run");

export default function ConnectionRunPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { run } = route.useSearch();
  const { me } = route.useRouteContext();
  const connection = useQuery(connectionQuery(id));
  const live = useQuery({ ...connectionLiveQuery(id), refetchInterval: 2_000 });
  if (connection.isPending) return <Waiting />;
  if (connection.data === undefined) {
    if (connection.error instanceof ApiError && (connection.error.status === 404 || connection.error.status === 422)) return <NotFound />;
    return <Failed error={connection.error} retry={() => void connection.refetch()} />;
  }
  return (
    <>
      <PageHead title={t("run.title")} crumb={<Link className="crumb clip" to="/connections/$id" params={{ id }}>{connection.data.name}</Link>} />
      <RunView
        owner="connections" id={id} run={run} temporal={me.temporal_ui}
        now={<span role="status">{live.data === undefined ? "" : <>{t(`connection.live.${live.data.state}`)}{live.data.detail === "" ? "" : `: ${live.data.detail}`}</>}</span>}
      />
    </>
  );
}
