import { Progress } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Import } from "../../api/types";
import { Time } from "../../components/small";
import { type Column, VirtualList } from "../../components/virtual-list";
import { formatCount } from "../../lib/format";
import { ImportStateLabel } from "./label";

interface Props {
  imports: Import[];
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

export function ImportList({ imports, ...more }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const columns: Column<Import>[] = [
    { key: "file", header: t("import.file"), width: "minmax(0, 1.6fr)", cell: (i) => <File of={i} /> },
    { key: "state", header: t("import.stateHead"), width: "120px", cell: (i) => <ImportStateLabel state={i.state} /> },
    { key: "result", header: t("import.result"), width: "minmax(0, 1.6fr)", wide: true, cell: (i) => <Result of={i} /> },
    { key: "rows", header: t("import.rows"), width: "90px", align: "end", wide: true, cell: (i) => <span className="num">{i.preview == null ? "–" : formatCount(i.preview.rows)}</span> },
    { key: "when", header: t("import.when"), width: "136px", align: "end", wide: true, cell: (i) => <Time at={i.created_at} /> },
  ];
  return (
    <VirtualList label={t("import.listTitle")} items={imports} columns={columns} keyOf={(i) => i.id} rowHeight={44} phoneHeight={58}
      onOpen={(i) => void navigate({ to: "/contacts/imports/$id", params: { id: i.id } })} {...more} />
  );
}

function File({ of }: { of: Import }) {
  return (
    <>
      <div className="clip"><Link className="plain" to="/contacts/imports/$id" params={{ id: of.id }} tabIndex={-1} style={{ fontWeight: 500 }}>{of.file_name}</Link></div>
      <div className="only-phone quiet clip" style={{ fontSize: 12 }}><Result of={of} /></div>
    </>
  );
}

function Result({ of }: { of: Import }) {
  const { t } = useTranslation();
  if (of.progress !== undefined) return <Progress size={5} value={of.progress.total === 0 ? 0 : (of.progress.done / of.progress.total) * 100} aria-label={t(`import.state.${of.state}`)} />;
  const counts = of.state === "undone" ? [] : (["added", "updated", "duplicates", "refused"] as const).filter((key) => of.counts[key] > 0);
  if (counts.length === 0) return <span className="quiet">–</span>;
  return <span className="quiet num clip">{counts.map((key) => `${formatCount(of.counts[key])} ${t(`import.sum.${key}`).toLowerCase()}`).join(" · ")}</span>;
}
