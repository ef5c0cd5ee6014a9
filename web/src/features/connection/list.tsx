import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Connection } from "../../api/types";
import { Time } from "../../components/small";
import { ConnectionStateLabel, standingOf } from "../../components/state";
import { type Column, VirtualList } from "../../components/virtual-list";

const nothing = () => undefined;

export function ConnectionList({ connections }: { connections: Connection[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const columns: Column<Connection>[] = [
    { key: "name", header: t("connection.name"), width: "minmax(0, 1.4fr)", cell: (c) => <Name connection={c} /> },
    { key: "number", header: t("connection.number"), width: "150px", wide: true, cell: (c) => <span className="num">{c.number === "" ? "–" : c.number}</span> },
    { key: "channel", header: t("connection.channelHead"), width: "150px", wide: true, cell: (c) => <span className="quiet">{c.simulated ? t("connect.simulated") : t("connection.channel")}</span> },
    { key: "state", header: t("connection.stateHead"), width: "110px", cell: (c) => <ConnectionStateLabel state={standingOf(c)} /> },
    { key: "detail", header: t("connection.says"), width: "minmax(0, 2fr)", wide: true, cell: (c) => <div className="clip quiet" title={c.state_detail}>{c.state_detail}</div> },
    { key: "checked", header: t("connection.checked"), width: "124px", align: "end", wide: true, cell: (c) => <Time at={c.checked_at} /> },
  ];
  return (
    <VirtualList
      label={t("connection.title")} items={connections} columns={columns} keyOf={(c) => c.id}
      onOpen={(c) => void navigate({ to: "/connections/$id", params: { id: c.id } })}
      rowHeight={46} hasMore={false} loadingMore={false} loadMore={nothing}
    />
  );
}

function Name({ connection }: { connection: Connection }) {
  return (
    <>
      <div className="clip"><Link className="plain" tabIndex={-1} style={{ fontWeight: 500 }} to="/connections/$id" params={{ id: connection.id }}>{connection.name}</Link></div>
      <div className="only-phone quiet clip num" style={{ fontSize: 12 }}>{connection.number}</div>
    </>
  );
}
