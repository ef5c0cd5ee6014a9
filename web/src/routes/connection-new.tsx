import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Crumb, PageHead } from "../components/page";
import { ConnectionForm } from "../features/connection/form";
import { connectionQuery, createConnection } from "../features/connection/queries";

export default function NewConnectionPage() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: createConnection,
    onSuccess: async (connection) => {
      queries.setQueryData(connectionQuery(connection.id).queryKey, connection);
      void queries.invalidateQueries({ queryKey: ["connections", "list"] });
      await navigate({ to: "/connections/$id", params: { id: connection.id }, replace: true });
    },
  });
  return (
    <>
      <PageHead title={t("connection.add")} crumb={<Crumb to="/connections" label={t("connection.title")} />} />
      <div className="page narrow" style={{ maxWidth: 560 }}>
        <p className="quiet" style={{ marginTop: 0 }}>{t("connection.addHint")}</p>
        <ConnectionForm saving={create.isPending} error={create.error} onSave={create.mutate} onLeave={() => void navigate({ to: "/connections" })} />
      </div>
    </>
  );
}
