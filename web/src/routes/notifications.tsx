import { Button } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty, Failed, PageHead, Waiting } from "../components/page";
import { NoticeLine } from "../features/notice/line";
import { noticesQuery } from "../features/notice/queries";
import { ReadAll } from "../features/notice/read-all";

/** What happened in the last 90 days that somebody wanted to hear of. */
export default function NotificationsPage() {
  const { t } = useTranslation();
  const list = useInfiniteQuery(noticesQuery);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const choose = (words: string) => <Button variant="default" renderRoot={(props) => <Link {...props} to="/settings/notifications" />}>{words}</Button>;
  return (
    <>
      <PageHead title={t("notices.title")}><ReadAll items={items} />{choose(t("settings.title"))}</PageHead>
      {list.isPending && <Waiting />}
      {list.isError && items.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && <Empty icon={<IconBell size={32} stroke={1.4} />} action={choose(t("notices.choose"))}>{t("notices.empty")}</Empty>}
      {items.length > 0 && (
        <div className="page narrow">
          <div className="notices">{items.map((one) => <NoticeLine key={one.id} notice={one} />)}</div>
          {list.hasNextPage && <Button variant="default" mt="md" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t("notices.older")}</Button>}
        </div>
      )}
    </>
  );
}
