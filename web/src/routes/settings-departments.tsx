import { Button, Modal, Text } from "@mantine/core";
import { IconPlus, IconUsersGroup } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Empty, Failed, PageHead, Waiting } from "../components/page";
import { DepartmentRow, EditDepartment } from "../features/people/departments";
import { departmentsQuery, peopleQuery } from "../features/people/queries";
import { SettingsTabs } from "../features/settings/tabs";

const route = getRouteApi("/signed-in/shell");

export default function DepartmentsPage() {
  const { t } = useTranslation();
  const { me } = route.useRouteContext();
  const departments = useQuery(departmentsQuery);
  const people = useQuery(peopleQuery);
  const [adding, setAdding] = useState(false);
  const failed = departments.error ?? people.error;
  const loaded = departments.data !== undefined && people.data !== undefined;
  const none = loaded && departments.data.items.length === 0;
  const add = <Button leftSection={<IconPlus size={15} />} onClick={() => setAdding(true)}>{t("department.add")}</Button>;
  return (
    <>
      <PageHead title={t("department.title")} beside={loaded && !none && <span className="num quiet">{departments.data.items.length}</span>}>{loaded && !none && add}</PageHead>
      <SettingsTabs me={me} />
      {!loaded && failed === null && <Waiting />}
      {!loaded && failed !== null && <Failed error={failed} retry={() => { void departments.refetch(); void people.refetch(); }} />}
      {none && <Empty icon={<IconUsersGroup size={32} stroke={1.4} />} action={add}>{t("department.empty")}</Empty>}
      {loaded && !none && (
        <div className="page narrow">
          <ul className="rows">{departments.data.items.map((one) => <DepartmentRow key={one.id} department={one} people={people.data} />)}</ul>
        </div>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title={<Text fw={600}>{t("department.add")}</Text>} size="sm">
        {adding && <EditDepartment people={people.data ?? []} onDone={() => setAdding(false)} />}
      </Modal>
    </>
  );
}
