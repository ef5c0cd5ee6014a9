import { Button } from "@mantine/core";
import { IconFileImport } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { usePolling } from "../api/realtime";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { ContactTabs } from "../features/contact/tabs";
import { ImportList } from "../features/import/list";
import { importsQuery } from "../features/import/queries";

export default function ImportsPage() {
  const { t } = useTranslation();
  const polling = usePolling();
  const list = useInfiniteQuery({ ...importsQuery, refetchInterval: polling });
  const { fetchNextPage } = list;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const imports = list.data?.pages.flatMap((page) => page.items) ?? [];
  const button = <Button component={Link} to="/contacts/imports/new" leftSection={<IconFileImport size={15} />}>{t("import.new")}</Button>;
  return (
    <>
      <PageHead title={t("import.listTitle")}>{button}</PageHead>
      <ContactTabs />
      {list.isPending && <WaitingRows />}
      {list.isError && imports.length === 0 && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && imports.length === 0 && <Empty icon={<IconFileImport size={32} stroke={1.4} />} action={button}>{t("import.empty")}</Empty>}
      {imports.length > 0 && <ImportList imports={imports} hasMore={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={loadMore} />}
    </>
  );
}
