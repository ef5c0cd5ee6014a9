import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { TimelineEvent } from "../../api/types";
import { Time } from "../../components/small";
import { Dot, MessageDot } from "../../components/state";

interface Props {
  /** of the contact: a campaign's name leads to the messages to it */
  phone: string | null | undefined;
  events: TimelineEvent[];
  /** campaigns and imports can be opened */
  links: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
}

/** What became of a contact, newest first. */
export function ContactTimeline({ phone, events, links, hasMore, loadingMore, loadMore }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <ol className="story timeline">
        {events.map((event) => (
          <li key={`${event.kind} ${event.message?.id ?? event.at}`}>
            {event.message == null ? <Dot color="var(--state-ended)" hollow /> : <MessageDot state={event.message.state} />}
            <div style={{ minWidth: 0, flex: 1 }}>
              <div className="between">
                <div style={{ minWidth: 0 }}><What event={event} links={links} phone={phone ?? undefined} /></div>
                <Time at={event.message?.sent_at ?? event.at} />
              </div>
              {event.text != null && <div className="wrap clamp">{event.text}</div>}
              {event.message != null && event.message.text !== "" && <div className="quiet wrap clamp">{event.message.text}</div>}
              {event.message?.error_detail != null && <div style={{ color: "var(--mantine-color-error)" }}>{event.message.error_detail}</div>}
            </div>
          </li>
        ))}
      </ol>
      {hasMore && <Button variant="default" loading={loadingMore} onClick={loadMore}>{t("contact.earlier")}</Button>}
    </>
  );
}

function What({ event, links, phone }: { event: TimelineEvent; links: boolean; phone: string | undefined }) {
  const { t } = useTranslation();
  const message = event.message;
  switch (event.kind) {
    case "message":
      return (
        <>
          <strong style={{ fontWeight: 500 }}>{message == null ? "" : t(`message.state.${message.state}`)}</strong>
          {event.campaign_id == null ? <> · {t("contact.event.single")}</> : !links ? <> · {event.campaign_name}</> : <> · <Link className="text" to="/campaigns/$id" params={{ id: event.campaign_id }} search={{ phone }}>{event.campaign_name}</Link></>}
        </>
      );
    case "imported":
      return <>{t(`contact.event.${event.outcome ?? "added"}`)} {event.subject_id == null || !links ? <span className="quiet">{event.name}</span> : <Link className="text" to="/contacts/imports/$id" params={{ id: event.subject_id }}>{event.name}</Link>}</>;
    case "wrote":
      return <>{t("contact.event.wrote")} {event.subject_id == null ? event.name : <Link className="text" to="/connections/$id" params={{ id: event.subject_id }}>{event.name}</Link>}</>;
    default:
      return <>{t(`contact.event.${event.kind}`)}</>;
  }
}
