import { Button } from "@mantine/core";
import { IconPlugConnected, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty, Failed, PageHead, WaitingRows } from "../components/page";
import { useRunsCompany } from "../features/account/role";
import { ConnectionList } from "../features/connection/list";
import { connectionsQuery } from "../features/connection/queries";

export default function ConnectionsPage() {
  const { t } = useTranslation();
  const list = useQuery(connectionsQuery);
  const runs = useRunsCompany();
  const addButton = runs && <Button component={Link} to="/connections/new" leftSection={<IconPlus size={15} />}>{t("connection.add")}</Button>;
  return (
    <>
      <PageHead title={t("connection.title")}>{addButton}</PageHead>
      {list.isPending && <WaitingRows />}
      {list.isError && <Failed error={list.error} retry={() => void list.refetch()} />}
      {list.data?.items.length === 0 && <Empty icon={<IconPlugConnected size={32} stroke={1.4} />} action={addButton}>{t(runs ? "connection.empty" : "department.noConnection")}</Empty>}
      {list.data !== undefined && list.data.items.length > 0 && <ConnectionList connections={list.data.items} />}
    </>
  );
}
