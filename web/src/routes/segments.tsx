import { Button } from "@mantine/core";
import { IconChevronLeft, IconFilter, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Segment } from "../api/types";
import { Empty, Failed, PageHead, Waiting } from "../components/page";
import { segmentsQuery, useContactCount } from "../features/contact/queries";
import { SegmentEditor } from "../features/contact/segment-editor";
import { ContactTabs } from "../features/contact/tabs";
import { formatCount } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/contacts/segments");

export default function SegmentsPage() {
  const { t } = useTranslation();
  const { id, filter } = route.useSearch();
  const navigate = useNavigate();
  const list = useQuery(segmentsQuery);
  const segments = list.data?.items ?? [];
  const open = segments.find((s) => s.id === id);
  const editing = open !== undefined || id === "new";
  const go = (to?: string) => void navigate({ to: "/contacts/segments", search: to === undefined ? {} : { id: to } });
  const newButton = <Button leftSection={<IconPlus size={15} />} onClick={() => go("new")}>{t("segment.new")}</Button>;
  return (
    <>
      <PageHead title={t("segment.title")} beside={list.isSuccess && <span className="num quiet">{segments.length}</span>}>{(segments.length > 0 || editing) && newButton}</PageHead>
      <ContactTabs />
      {list.isPending && <Waiting />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && segments.length === 0 && !editing && <Empty icon={<IconFilter size={32} stroke={1.4} />} action={newButton}>{t("segment.empty")}</Empty>}
      {list.isSuccess && (segments.length > 0 || editing) && (
        <div className={editing ? "split editing" : "split"}>
          <nav className="side" aria-label={t("segment.title")}>
            {segments.map((segment) => <SegmentLink key={segment.id} segment={segment} />)}
            {segments.length === 0 && <p className="quiet" style={{ padding: "0 8px" }}>{t("segment.none")}</p>}
          </nav>
          <div className="sheet">
            {editing && (
              <>
                <Link className="only-phone crumb" to="/contacts/segments" search={{}} style={{ marginBottom: 16 }}><IconChevronLeft size={16} style={{ verticalAlign: "text-bottom" }} /> {t("segment.title")}</Link>
                <SegmentEditor key={open?.id ?? "new"} segment={open} initial={filter} onSaved={(saved) => go(saved.id)} onDeleted={() => go()} />
              </>
            )}
            {!editing && <p className="quiet">{t("segment.pick")}</p>}
          </div>
        </div>
      )}
    </>
  );
}

function SegmentLink({ segment }: { segment: Segment }) {
  const { t } = useTranslation();
  const size = useContactCount({ segment_id: segment.id });
  return (
    <Link className="side-item" to="/contacts/segments" search={{ id: segment.id }} activeProps={{ className: "side-item active", "aria-current": "true" }} activeOptions={{ includeSearch: true }}>
      <span className="clip" style={{ fontWeight: 500 }}>{segment.name}</span>
      <span className="num quiet">{size.data === undefined ? "" : size.data.atLeast ? t("segment.atLeast", { n: formatCount(size.data.count) }) : formatCount(size.data.count)}</span>
      <span className="clip quiet code">{segment.filter}</span>
    </Link>
  );
}
