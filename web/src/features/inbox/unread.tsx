import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { usePolling } from "../../api/realtime";
import { unreadQuery } from "./queries";

/** How many conversations have something unread; nothing for none. */
export function WaitingBadge() {
  const { t } = useTranslation();
  const unread = useQuery({ ...unreadQuery, refetchInterval: usePolling(60_000) }).data?.unread ?? 0;
  if (unread === 0) return null;
  const n = unread >= 100 ? "99+" : String(unread);
  return <span className="count" title={t("inbox.unreadCount", { n })}>{n}</span>;
}
