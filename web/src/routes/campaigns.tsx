import { Button } from "@mantine/core";
import { IconPlus, IconSend } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { CampaignList } from "../features/campaign/list";
import { campaignsQuery } from "../features/campaign/queries";
import { campaignStates } from "../features/campaign/states";

const route = getRouteApi("/signed-in/shell/in-company/campaigns");

export default function CampaignsPage() {
  const { t } = useTranslation();
  const { state } = route.useSearch();
  const polling = usePolling(30_000);
  const list = useInfiniteQuery({ ...campaignsQuery(state), refetchInterval: polling });
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const campaigns = list.data?.pages.flatMap((page) => page.items) ?? [];
  const newButton = <Button component={Link} to="/campaigns/new" leftSection={<IconPlus size={15} />}>{t("campaign.new")}</Button>;

  return (
    <>
      <PageHead title={t("campaign.title")}>{newButton}</PageHead>
      <div className="filters" role="group" aria-label={t("campaign.filter")}>
        <Link className={state === undefined ? "chip active" : "chip"} to="/campaigns" search={{}} aria-current={state === undefined ? "true" : undefined}>{t("common.all")}</Link>
        {campaignStates.map((s) => (
          <Link key={s} className={state === s ? "chip active" : "chip"} to="/campaigns" search={{ state: s }} aria-current={state === s ? "true" : undefined}>
            {t(`campaign.state.${s}`)}
          </Link>
        ))}
      </div>
      {list.isPending && <WaitingRows />}
      {list.isError && campaigns.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && campaigns.length === 0 && (
        <Empty icon={<IconSend size={32} stroke={1.4} />} action={state === undefined ? newButton : <Button component={Link} to="/campaigns" variant="default">{t("campaign.showAll")}</Button>}>
          {state === undefined ? t("campaign.empty") : t("campaign.emptyState", { state: t(`campaign.state.${state}`).toLowerCase() })}
        </Empty>
      )}
      {campaigns.length > 0 && (
        <CampaignList campaigns={campaigns} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />
      )}
    </>
  );
}
