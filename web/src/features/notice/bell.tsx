import { Popover, UnstyledButton } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../../api/realtime";
import { describeError } from "../../components/errors";
import { NoticeLine } from "./line";
import { latestQuery, unreadQuery } from "./queries";
import { ReadAll } from "./read-all";

/** How many notices are unread, kept current. */
export function useUnread(enabled: boolean): number {
  const polling = usePolling(120_000);
  return useQuery({ ...unreadQuery, enabled, refetchInterval: polling }).data?.count ?? 0;
}

export function UnreadBadge({ count }: { count: number }) {
  const { t } = useTranslation();
  return count === 0 ? null : <span className="unread-badge num">{count >= 100 ? "99+" : count}<span className="sr"> {t("notices.unread")}</span></span>;
}

/** The bell of the rail: the latest notices beside it. */
export function Bell() {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const unread = useUnread(true);
  return (
    <Popover opened={opened} onChange={setOpened} position="right-start" width={380} shadow="md" trapFocus returnFocus transitionProps={{ duration: 80 }}>
      <Popover.Target>
        <UnstyledButton className="nav" onClick={() => setOpened(!opened)}>
          <IconBell size={16} stroke={1.7} />{t("notices.title")}<span className="spacer" /><UnreadBadge count={unread} />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown p={0} aria-label={t("notices.title")}>{opened && <Latest close={() => setOpened(false)} />}</Popover.Dropdown>
    </Popover>
  );
}

function Latest({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const latest = useQuery(latestQuery);
  const items = latest.data?.items ?? [];
  return (
    <>
      <header className="notice-head"><strong>{t("notices.title")}</strong><span className="spacer" /><ReadAll items={items} /></header>
      <div className="notice-list">
        {latest.isError && items.length === 0 && <p className="notice-none" role="alert">{describeError(latest.error, t)}</p>}
        {latest.isSuccess && items.length === 0 && <p className="notice-none">{t("notices.none")}</p>}
        {items.map((one) => <NoticeLine key={one.id} notice={one} onFollow={close} />)}
      </div>
      <footer className="notice-foot">
        <Link className="text" to="/notifications" onClick={close}>{t("notices.all")}</Link>
        <span className="spacer" />
        <Link className="text" to="/settings/notifications" onClick={close}>{t("notices.choose")}</Link>
      </footer>
    </>
  );
}
