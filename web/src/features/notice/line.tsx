import { IconAlertTriangle, IconCircleCheck, IconEarOff, IconHelpCircle, IconPlayerPause, IconPlugConnectedX, IconTemplate } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, linkOptions } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { Notice } from "../../api/types";
import { useNow } from "../../components/small";
import { formatAgo, formatCount, formatExact } from "../../lib/format";
import { useRunsCompany } from "../account/role";
import { readNotice } from "./queries";

const looks = {
  campaign_finished: { icon: IconCircleCheck, color: "var(--good)" },
  campaign_paused: { icon: IconPlayerPause, color: "var(--warn)" },
  connection_lost: { icon: IconPlugConnectedX, color: "var(--mantine-color-error)" },
  connection_warned: { icon: IconAlertTriangle, color: "var(--warn)" },
  connection_silent: { icon: IconEarOff, color: "var(--warn)" },
  template_stopped: { icon: IconTemplate, color: "var(--warn)" },
  messages_uncertain: { icon: IconHelpCircle, color: "var(--warn)" },
} as const;

/** Where a notice leads somebody who may decide about uncertain messages, or may not. */
export function pageOf({ kind, about, subject_id: id }: Pick<Notice, "kind" | "about" | "subject_id">, decides = true) {
  if (kind === "messages_uncertain" && decides) return linkOptions({ to: "/uncertain", search: about === "campaign" ? { campaign: id } : {} });
  if (kind === "template_stopped") return linkOptions({ to: "/templates", search: { connection: id, standing: "trouble" } });
  if (about === "campaign") return linkOptions({ to: "/campaigns/$id", params: { id } });
  if (about === "connection") return linkOptions({ to: "/connections/$id", params: { id } });
  return linkOptions({ to: "/health" });
}

/** The words of a notice that depend on more than its kind. */
export function wordsOf({ kind, about, lasts }: Pick<Notice, "kind" | "about" | "lasts">) {
  if (kind === "connection_lost" && about === "company") return "restored" as const;
  if (kind === "connection_lost" || kind === "connection_warned" || kind === "connection_silent" || kind === "campaign_paused") return lasts ? kind : (`${kind}_over` as const);
  return kind;
}

/** One notice: what happened, to what, and when. Following it marks it as read. */
export function NoticeLine({ notice, onFollow }: { notice: Notice; onFollow?: () => void }) {
  const { t } = useTranslation();
  const now = useNow(30_000);
  const decides = useRunsCompany();
  const queries = useQueryClient();
  const read = useMutation({ mutationFn: readNotice, onSettled: () => void queries.invalidateQueries({ queryKey: ["notices"] }) });
  const { icon: Icon, color } = looks[notice.kind];
  const words = wordsOf(notice);
  const name = notice.about === "company" ? t("notices.everything") : notice.name !== "" ? notice.name : t("uncertain.outside");
  return (
    <Link {...pageOf(notice, decides)} className={notice.read ? "notice" : "notice unread"} onClick={() => { if (!notice.read) read.mutate(notice.id); onFollow?.(); }}>
      <Icon size={16} color={words.endsWith("_over") ? "var(--quiet)" : color} aria-hidden="true" />
      <span className="notice-words">
        <strong>{name}</strong> {t(`notices.words.${words}`, { count: notice.count, n: formatCount(notice.count) })}
        {notice.detail !== "" && <span className="quiet clip-2">{notice.detail}</span>}
        <time className="quiet num" dateTime={notice.at} title={formatExact(notice.at)}>{formatAgo(notice.at, now)}</time>
      </span>
      {!notice.read && <span className="notice-new"><span className="sr">{t("notices.new")}</span></span>}
    </Link>
  );
}
