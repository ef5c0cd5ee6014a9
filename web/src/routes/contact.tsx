import { Button, Drawer, Text } from "@mantine/core";
import { IconMessage, IconPencil } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import type { Contact } from "../api/types";
import { Crumb, Failed, PageHead, Waiting } from "../components/page";
import { Copyable, Time, useKeys } from "../components/small";
import { useRunsCompany } from "../features/account/role";
import { ContactEditor } from "../features/contact/editor";
import { Identities, MergeButton } from "../features/contact/merge";
import { contactQuery, tagsQuery, timelineQuery } from "../features/contact/queries";
import { StartModal } from "../features/inbox/start";
import { ContactTimeline } from "../features/contact/timeline";

const route = getRouteApi("/signed-in/shell/in-company/contacts/$id");

export default function ContactPage() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const [editing, setEditing] = useState(false);
  const [writing, setWriting] = useState(false);
  const navigate = useNavigate();
  const polling = usePolling();
  const found = useQuery({ ...contactQuery(id), refetchInterval: polling });
  const timeline = useInfiniteQuery({ ...timelineQuery(id), refetchInterval: polling });
  const tags = useQuery(tagsQuery);
  const runs = useRunsCompany();
  const contact = found.data;
  useKeys(runs ? { e: () => setEditing(true) } : {});
  const crumb = <Crumb to="/contacts" label={t("contact.title")} />;
  if (contact === undefined) {
    return <><PageHead title="" crumb={crumb} />{found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : <Waiting />}</>;
  }
  const name = contact.name || contact.phone || t("contact.noName");
  return (
    <>
      <PageHead title={name} crumb={crumb} beside={contact.opted_out_at != null && <span className="tag mute">{t("contact.optedOut")}</span>}>
        <Button className="tight" variant="default" leftSection={<IconMessage size={15} />} onClick={() => setWriting(true)}>{t("start.write")}</Button>
        {runs && <MergeButton contact={contact} />}
        {runs && <Button variant="default" leftSection={<IconPencil size={15} />} onClick={() => setEditing(true)}>{t("contact.edit")}</Button>}
      </PageHead>
      <div className="run contact">
        <section className="page" aria-labelledby="timeline-title">
          <h2 id="timeline-title" className="story-title" style={{ marginTop: 0 }}>{t("contact.timeline")}</h2>
          {timeline.isPending && <Waiting />}
          {timeline.isError && <Failed error={timeline.error} retry={() => void timeline.refetch()} />}
          {timeline.data !== undefined && (
            <ContactTimeline links={runs} phone={contact.phone} events={timeline.data.pages.flatMap((page) => page.items)} hasMore={timeline.hasNextPage} loadingMore={timeline.isFetchingNextPage} loadMore={() => void timeline.fetchNextPage()} />
          )}
        </section>
        <aside className="side" aria-label={t("campaign.details")}>
          <h2 style={{ fontSize: 13 }}>{t("campaign.details")}</h2>
          <Facts contact={contact} runs={runs} />
        </aside>
      </div>
      <StartModal opened={writing} to={contact} onClose={() => setWriting(false)} onStarted={(open) => void navigate({ to: "/inbox", search: { open } })} />
      <Drawer opened={editing} onClose={() => setEditing(false)} size={420} title={<Text fw={600} fz="md">{name}</Text>}>
        {editing && <ContactEditor contact={contact} knownTags={tags.data?.items.map((tag) => tag.name) ?? []} onDone={() => setEditing(false)} />}
      </Drawer>
    </>
  );
}

function Facts({ contact: c, runs }: { contact: Contact; runs: boolean }) {
  const { t } = useTranslation();
  const attributes = Object.entries(c.attributes).sort(([a], [b]) => a.localeCompare(b));
  return (
    <dl className="facts">
      <dt>{t("contact.phone")}</dt>
      <dd>{c.phone == null ? <span className="quiet">{t("contact.noPhone")}</span> : <Copyable plain value={c.phone} />}</dd>
      <Identities contact={c} runs={runs} />
      <dt>{t("contact.zone")}</dt>
      <dd>{c.zone ?? <span className="quiet">{t("contact.zoneByNumber")}</span>}</dd>
      <dt>{t("contact.tags")}</dt>
      <dd>{c.tags.length === 0 ? <span className="quiet">–</span> : c.tags.map((tag) => <Link key={tag.id} className="tag" to="/contacts" search={{ tag: tag.id }}>{tag.name}</Link>)}</dd>
      {attributes.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}><dt>{name}</dt><dd className="wrap">{value}</dd></div>
      ))}
      {c.opted_out_at != null && <><dt>{t("contact.optedOut")}</dt><dd><Time at={c.opted_out_at} /></dd></>}
      <dt>{t("contact.added")}</dt>
      <dd><Time at={c.created_at} /></dd>
    </dl>
  );
}
