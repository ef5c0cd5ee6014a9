import { Loader, Table, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Import, ImportPreview } from "../../api/types";
import { formatCount } from "../../lib/format";

const tiles = [
  { key: "new", label: "import.new_", hint: "import.newHint" },
  { key: "known", label: "import.known", hint: "import.knownHint" },
  { key: "duplicates", label: "import.repeated", hint: "import.repeatedHint" },
  { key: "refused", label: "import.refused", hint: "import.refusedHint" },
] as const;

/** What a run would do, or that it is being found out. */
export function ImportPreviewPanel({ of, companyZone }: { of: Import; companyZone: string }) {
  const { t } = useTranslation();
  const { preview } = of;
  return (
    <section aria-label={t("import.preview")} aria-live="polite">
      <h2 style={{ fontSize: 14, margin: "0 0 10px" }}>{t("import.preview")}</h2>
      {preview == null ? (
        <div className="panel notice" role="status"><Loader size={16} color="gray" /><div>{t("import.reading")}<div className="quiet" style={{ fontSize: 12 }}>{t("import.readingHint")}</div></div></div>
      ) : (
        <>
          <div className="tiles" style={{ gridTemplateColumns: "repeat(4, minmax(0, 1fr))" }}>
            {tiles.map(({ key, label, hint }) => (
              <Tooltip key={key} label={t(hint)} multiline w={220}>
                <div className={preview[key] === 0 ? "tile zero" : "tile"} data-preview={key}>
                  <span className="n" style={key === "refused" && preview.refused > 0 ? { color: "var(--mantine-color-error)" } : undefined}>{formatCount(preview[key])}</span>
                  <span className="l">{t(label)}</span>
                </div>
              </Tooltip>
            ))}
          </div>
          <Shares title={t("import.reasons")} shares={preview.reasons} />
          <Shares title={t("import.zones")} hint={t("import.zonesHint")} shares={preview.zones.map((zone) => ({ ...zone, name: zone.name === "" ? t("import.companyZone", { zone: companyZone }) : zone.name.replaceAll(",", t("import.zoneAnd")) }))} />
          <FirstBad preview={preview} />
        </>
      )}
    </section>
  );
}

function Shares({ title, hint, shares }: { title: string; hint?: string; shares: ImportPreview["zones"] }) {
  if (shares.length === 0) return null;
  return (
    <div style={{ marginTop: 18 }}>
      <div style={{ fontWeight: 500 }}>{title}</div>
      {hint !== undefined && <div className="quiet" style={{ fontSize: 12 }}>{hint}</div>}
      <ul className="import-shares">
        {shares.map((share) => <li key={share.name}><span className="wrap">{share.name}</span><span className="num">{formatCount(share.rows)}</span></li>)}
      </ul>
    </div>
  );
}

function FirstBad({ preview }: { preview: ImportPreview }) {
  const { t } = useTranslation();
  if (preview.bad.length === 0) return null;
  return (
    <details style={{ marginTop: 18 }}>
      <summary style={{ fontWeight: 500, cursor: "pointer" }}>{t("import.firstBad")}</summary>
      <div style={{ maxHeight: 320, overflow: "auto", border: "1px solid var(--line)", borderRadius: 8, marginTop: 8 }} tabIndex={0} role="region" aria-label={t("import.firstBad")}>
        <Table stickyHeader verticalSpacing={5} horizontalSpacing="sm">
          <Table.Thead><Table.Tr><Table.Th w={60}>{t("import.line")}</Table.Th><Table.Th>{t("import.reason")}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {preview.bad.map((row) => <Table.Tr key={row.line}><Table.Td className="num">{row.line}</Table.Td><Table.Td>{row.column !== "" && <span className="quiet">{row.column}: </span>}{row.reason}</Table.Td></Table.Tr>)}
          </Table.Tbody>
        </Table>
      </div>
    </details>
  );
}
