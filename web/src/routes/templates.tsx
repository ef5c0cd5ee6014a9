import { Alert, Button, Drawer } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconPlus, IconRefresh, IconTemplate } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Connection } from "../api/types";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { useNow } from "../components/small";
import { useRunsCompany } from "../features/account/role";
import { connectionsQuery } from "../features/connection/queries";
import { TemplateDetail } from "../features/template/detail";
import { groupTemplates, oldestSync, standingOf, standings } from "../features/template/group";
import { TemplateList } from "../features/template/list";
import { templatesQuery, type Templates } from "../features/template/queries";
import { useTemplateSync } from "../features/template/sync";
import { formatAgo, formatCount, formatExact } from "../lib/format";

const route = getRouteApi("/signed-in/shell/in-company/templates");

export default function TemplatesPage() {
  const { t } = useTranslation();
  const connections = useQuery(connectionsQuery);
  const templates = useQuery(templatesQuery);
  const sync = useTemplateSync(templates.data);
  const error = connections.error ?? templates.error;
  const runs = useRunsCompany();
  const loaded = connections.data !== undefined && templates.data !== undefined;
  return (
    <>
      <PageHead title={t("template.title")}>
        {loaded && <SyncedAgo syncs={templates.data.syncs} />}
        {loaded && runs && connections.data.items.length > 0 && (
          <Button variant="default" leftSection={<IconRefresh size={15} />} loading={sync.isPending} onClick={() => sync.mutate(templates.data.syncs.map((s) => s.connection_id))}>{t("template.sync")}</Button>
        )}
      </PageHead>
      {error !== null && !loaded && <Failed error={error} retry={() => { void connections.refetch(); void templates.refetch(); }} />}
      {error === null && !loaded && <WaitingRows />}
      {loaded && <Body connections={connections.data.items} templates={templates.data} syncing={sync.isPending} />}
    </>
  );
}

function SyncedAgo({ syncs }: { syncs: Templates["syncs"] }) {
  const { t } = useTranslation();
  const now = useNow(10_000);
  const at = oldestSync(syncs);
  return at === null ? null : <span className="quiet" title={formatExact(at)}>{t("template.synced", { ago: formatAgo(at, now) })}</span>;
}

function Body({ connections, templates, syncing }: { connections: Connection[]; templates: Templates; syncing: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { connection, standing, template } = route.useSearch();
  const narrow = useMediaQuery("(max-width: 1240px)") ?? false;
  const runs = useRunsCompany();
  const several = connections.length > 1;
  const names = new Map(connections.map((c) => [c.id, c.name]));
  const accounts = new Map(connections.map((c) => [c.id, c.account_id]));
  const grouped = (items: Templates["items"]) => groupTemplates(items, (id) => accounts.get(id) ?? id);
  const ofConnection = templates.items.filter((one) => connection === undefined || one.connection_id === connection);
  const groups = grouped(ofConnection.filter((one) => standing === undefined || standingOf(one) === standing));
  const opened = groups.find((group) => group.key === template) ?? (narrow ? undefined : groups[0]);
  const failed = templates.syncs.filter((s) => s.problem !== "" && (connection === undefined || s.connection_id === connection));

  if (connections.length === 0) {
    return <Empty icon={<IconTemplate size={32} stroke={1.4} />} action={runs && <Button component={Link} to="/connections/new" leftSection={<IconPlus size={15} />}>{t("connection.add")}</Button>}>{t(runs ? "template.noConnection" : "department.noConnection")}</Empty>;
  }
  return (
    <>
      <div className="filters" role="group" aria-label={t("template.filter")}>
        <Link className={standing === undefined ? "chip active" : "chip"} to="/templates" search={{ connection }}>{t("common.all")} <Count n={grouped(ofConnection).length} /></Link>
        {standings.map((one) => (
          <Link key={one} className={standing === one ? "chip active" : "chip"} to="/templates" search={{ connection, standing: one }}>
            {t(`template.standing.${one}`)} <Count n={grouped(ofConnection.filter((item) => standingOf(item) === one)).length} />
          </Link>
        ))}
        {several && <span className="divider" aria-hidden="true" />}
        {several && connections.map((one) => (
          <Link key={one.id} className={connection === one.id ? "chip active" : "chip"} to="/templates" search={{ standing, connection: connection === one.id ? undefined : one.id }}>{one.name}</Link>
        ))}
      </div>
      {failed.map((s) => (
        <Alert key={s.connection_id} color="yellow" variant="light" m="sm" py={10}>
          {t("template.syncFailed", { name: names.get(s.connection_id) ?? "", problem: s.problem })} <Link className="text" to="/connections/$id" params={{ id: s.connection_id }}>{t("template.toConnection")}</Link>
        </Alert>
      ))}
      {groups.length === 0 && syncing && <WaitingRows />}
      {groups.length === 0 && !syncing && <Nothing filtered={standing !== undefined || connection !== undefined} />}
      {groups.length > 0 && (
        <div className="run">
          <TemplateList groups={groups} selected={opened?.key} connections={several && connection === undefined ? names : null} onOpen={(group) => void navigate({ to: "/templates", search: { connection, standing, template: group.key }, replace: true, resetScroll: false })} />
          {!narrow && opened !== undefined && <aside className="side" aria-label={t("template.preview")}><TemplateDetail key={opened.key} group={opened} /></aside>}
        </div>
      )}
      {narrow && (
        <Drawer opened={opened !== undefined} onClose={() => void navigate({ to: "/templates", search: { connection, standing }, replace: true, resetScroll: false })} size={400} title={t("template.preview")}>
          {opened !== undefined && <TemplateDetail key={opened.key} group={opened} />}
        </Drawer>
      )}
    </>
  );
}

function Count({ n }: { n: number }) {
  return <span className="num quiet" style={{ fontWeight: 400 }}>{formatCount(n)}</span>;
}

function Nothing({ filtered }: { filtered: boolean }) {
  const { t } = useTranslation();
  const action = filtered
    ? <Button variant="default" renderRoot={(props) => <Link {...props} to="/templates" search={{}} />}>{t("template.showAll")}</Button>
    : <Button component="a" href="https://business.facebook.com/wa/manage/message-templates/" target="_blank" rel="noreferrer" variant="default">{t("template.atMeta")}</Button>;
  return <Empty icon={<IconTemplate size={32} stroke={1.4} />} action={action}>{filtered ? t("template.emptyFilter") : t("template.empty")}</Empty>;
}
