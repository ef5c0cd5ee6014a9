import { ActionIcon, Group, Select, Tooltip } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { SyncedTemplate } from "../../api/types";
import { useNow } from "../../components/small";
import { formatAgo } from "../../lib/format";
import { canSend } from "../template/group";
import { TemplateDot } from "../template/label";
import type { Templates } from "../template/queries";

interface Props {
  connection: string | null;
  templates: Templates;
  name: string;
  language: string;
  error?: React.ReactNode;
  syncing: boolean;
  onSync: (connection: string) => void;
  onChoose: (template: SyncedTemplate) => void;
}

const keyOf = (t: { name: string; language: string }) => `${t.name} ${t.language}`;

/** The synced templates of one connection. Those that can't be sent are shown with the reason. */
export function TemplatePicker({ connection, templates, name, language, error, syncing, onSync, onChoose }: Props) {
  const { t } = useTranslation();
  const now = useNow(30_000);
  const of = templates.items.filter((one) => one.connection_id === connection);
  const known = [...of.filter(canSend), ...of.filter((one) => !canSend(one))];
  const byKey = new Map(known.map((one) => [keyOf(one), one]));
  const value = name === "" ? null : keyOf({ name, language });
  const sync = templates.syncs.find((s) => s.connection_id === connection);
  const data = known.map((one) => ({ value: keyOf(one), label: `${one.name} · ${one.language}`, disabled: !canSend(one) }));
  if (value !== null && !byKey.has(value)) data.unshift({ value, label: `${name} · ${language}`, disabled: false });
  return (
    <Group gap={6} align="flex-end" wrap="nowrap">
      <Select
        style={{ flex: 1, minWidth: 0 }}
        label={t("form.template")}
        placeholder={connection === null ? t("form.connectionFirst") : t("form.templatePlaceholder")}
        description={sync?.problem !== undefined && sync.problem !== "" ? sync.problem : sync?.synced_at == null ? undefined : t("template.synced", { ago: formatAgo(sync.synced_at, now) })}
        data={data}
        value={value}
        error={error}
        disabled={connection === null}
        searchable
        allowDeselect={false}
        nothingFoundMessage={syncing ? t("common.loading") : t("form.noTemplate")}
        onChange={(key) => { const chosen = byKey.get(key ?? ""); if (chosen !== undefined) onChoose(chosen); }}
        renderOption={({ option }) => <Option template={byKey.get(option.value)} label={option.label} />}
        maxDropdownHeight={320}
      />
      <Tooltip label={t("form.syncTemplates")}>
        <ActionIcon size={36} variant="default" aria-label={t("form.syncTemplates")} disabled={connection === null} loading={syncing} onClick={() => { if (connection !== null) onSync(connection); }} mb={error === undefined || error === null ? 0 : 22}>
          <IconRefresh size={16} />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

function Option({ template, label }: { template: SyncedTemplate | undefined; label: string }) {
  if (template === undefined) return <span>{label}</span>;
  return (
    <div style={{ minWidth: 0 }}>
      <span className="state"><TemplateDot template={template} />{template.name} <span className="quiet">{template.language}</span></span>
      <div className="quiet clip" style={{ fontSize: 12, paddingLeft: 15, whiteSpace: canSend(template) ? undefined : "normal" }}>{canSend(template) ? template.body : template.unfit}</div>
    </div>
  );
}
