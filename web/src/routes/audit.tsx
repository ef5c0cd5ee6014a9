import { Button, Drawer, Group, Menu, Select, Text } from "@mantine/core";
import { IconDownload, IconHistory } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Fragment, useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import type { AuditLine } from "../api/types";
import { Empty, Failed, PageHead, Waiting } from "../components/page";
import { Copyable, Time } from "../components/small";
import { type Column, VirtualList } from "../components/virtual-list";
import { auditFile, auditQuery } from "../features/audit/queries";
import { subjectPage } from "../features/audit/subject";
import { SettingsTabs } from "../features/settings/tabs";
import { formatExact } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/audit");

/** Who changed what, newest first. */
export default function AuditPage() {
  const { t } = useTranslation();
  const choice = route.useSearch();
  const { me } = route.useRouteContext();
  const navigate = useNavigate();
  const list = useInfiniteQuery(auditQuery(choice));
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const [openId, setOpenId] = useState<string | null>(null);
  const columns = useColumns();
  const lines = list.data?.pages.flatMap((page) => page.items) ?? [];
  const actions = list.data?.pages[0]?.actions ?? [];
  const open = lines.find((line) => line.id === openId);
  const choose = (next: typeof choice) => void navigate({ to: "/audit", search: next, replace: true });
  const all = choice.action === undefined && choice.by === undefined;

  return (
    <>
      <PageHead title={t("audit.title")}>
        <Menu position="bottom-end">
          <Menu.Target><Button variant="default" leftSection={<IconDownload size={15} />} disabled={lines.length === 0}>{t("audit.download")}</Button></Menu.Target>
          <Menu.Dropdown>
            {(["csv", "xlsx"] as const).map((format) => <Menu.Item key={format} component="a" href={auditFile(choice, format)} download>{t(`audit.as.${format}`)}</Menu.Item>)}
          </Menu.Dropdown>
        </Menu>
      </PageHead>
      <SettingsTabs me={me} />
      <Group gap={8} px={16} py={8}>
        <Select size="xs" w={260} searchable clearable aria-label={t("audit.what")} placeholder={t("audit.everything")} value={choice.action ?? null}
          data={actions.map((a) => ({ value: a.value, label: a.words }))} onChange={(action) => choose({ ...choice, action: action ?? undefined })} />
        {choice.by !== undefined && <Button size="xs" variant="light" onClick={() => choose({ ...choice, by: undefined })}>{t("audit.byOne", { name: lines.find((l) => l.user_id === choice.by)?.by || t("audit.platform") })} ×</Button>}
      </Group>
      {list.isPending && <Waiting />}
      {list.isError && lines.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && lines.length === 0 && (
        <Empty icon={<IconHistory size={32} stroke={1.4} />} action={all ? undefined : <Button variant="default" onClick={() => choose({})}>{t("audit.showAll")}</Button>}>{t(all ? "audit.empty" : "audit.none")}</Empty>
      )}
      {lines.length > 0 && (
        <VirtualList label={t("audit.title")} items={lines} columns={columns} keyOf={(line) => line.id} onOpen={(line) => setOpenId(line.id)} rowHeight={36}
          hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />
      )}
      <Drawer opened={open !== undefined} onClose={() => setOpenId(null)} title={<Text fw={600} fz="md">{open?.words}</Text>} size={420}>
        {open !== undefined && <Details line={open} onPerson={() => { setOpenId(null); choose({ ...choice, by: open.user_id }); }} />}
      </Drawer>
    </>
  );
}

function useColumns(): Column<AuditLine>[] {
  const { t } = useTranslation();
  const by = (line: AuditLine) => line.by || t("audit.platform");
  return [
    { key: "what", header: t("audit.what"), width: "minmax(0, 2fr)", cell: (line) => (
      <>
        <div className="clip" style={{ fontWeight: 500 }}>{line.words}</div>
        <div className="only-phone quiet clip" style={{ fontSize: 12 }}>{by(line)}</div>
      </>
    ) },
    { key: "by", header: t("audit.who"), width: "minmax(0, 1fr)", wide: true, cell: (line) => <div className="clip">{by(line)}</div> },
    { key: "from", header: t("audit.from"), width: "160px", wide: true, cell: (line) => <span className="num quiet clip">{line.address}</span> },
    { key: "at", header: t("audit.when"), width: "128px", align: "end", cell: (line) => <Time at={line.at} /> },
  ];
}

function Details({ line, onPerson }: { line: AuditLine; onPerson: () => void }) {
  const { t } = useTranslation();
  const page = subjectPage(line);
  const rows = [
    [t("audit.when"), formatExact(line.at)],
    [t("audit.who"), <Button key="who" variant="transparent" size="compact-sm" px={0} h="auto" onClick={onPerson}>{line.by || t("audit.platform")}</Button>],
    [t("audit.from"), line.address],
    [t("audit.about"), page === undefined ? (line.subject_id ?? "–") : <Link key="about" to={page}>{t(`audit.kind.${line.kind}`, { defaultValue: line.kind })}</Link>],
    [t("audit.request"), line.request_id === undefined ? "–" : <Copyable key="request" value={line.request_id} />],
  ] as const;
  return (
    <dl className="facts">
      {rows.map(([term, value]) => <Fragment key={term}><dt>{term}</dt><dd>{value}</dd></Fragment>)}
    </dl>
  );
}
