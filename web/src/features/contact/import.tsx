import { Alert, Button, FileButton, Group, Progress, Stack, Table, TextInput } from "@mantine/core";
import { IconFileSpreadsheet } from "@tabler/icons-react";
import { type DragEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ImportResult } from "../../api/types";
import { describeError } from "../../components/errors";
import { formatCount } from "../../lib/format";

export interface ImportChoice {
  file: File;
  tag: string;
  region: string;
}

interface Props {
  /** share of the file that is uploaded, 0 to 1; null while nothing runs */
  progress: number | null;
  error: unknown;
  onImport: (choice: ImportChoice) => void;
  onStop: () => void;
}

export function ImportForm({ progress, error, onImport, onStop }: Props) {
  const { t } = useTranslation();
  const [file, setFile] = useState<File | null>(null);
  const [tag, setTag] = useState("");
  const [region, setRegion] = useState("");
  const running = progress !== null;
  return (
    <Stack gap="md">
      <p className="quiet" style={{ margin: 0 }}>{t("import.hint")}</p>
      {error !== null && <Alert color="red" variant="light" role="alert">{describeError(error, t)}</Alert>}
      <Drop file={file} onFile={setFile} disabled={running} />
      <Group gap="sm" align="flex-start" grow>
        <TextInput label={t("import.tag")} description={t("import.tagHint")} value={tag} onChange={(e) => setTag(e.currentTarget.value)} disabled={running} />
        <TextInput label={t("import.region")} description={t("import.regionHint")} placeholder="BR" maxLength={2} value={region} onChange={(e) => setRegion(e.currentTarget.value.toUpperCase())} disabled={running} />
      </Group>
      {running ? (
        <div role="status">
          <Progress value={progress * 100} animated={progress >= 1} aria-label={t("import.progress")} />
          <Group justify="space-between" mt={8}>
            <span className="quiet num">{progress < 1 ? t("import.uploading", { percent: Math.floor(progress * 100) }) : t("import.reading")}</span>
            <Button variant="default" onClick={onStop}>{t("import.stop")}</Button>
          </Group>
        </div>
      ) : (
        <Group><Button size="sm" disabled={file === null} onClick={() => { if (file !== null) onImport({ file, tag: tag.trim(), region: region.trim() }); }}>{t("import.start")}</Button></Group>
      )}
    </Stack>
  );
}

function Drop({ file, onFile, disabled }: { file: File | null; onFile: (file: File | null) => void; disabled: boolean }) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const dropped = event.dataTransfer.files.item(0);
    if (dropped !== null && !disabled) onFile(dropped);
  };
  return (
    <div className={over ? "drop over" : "drop"} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <IconFileSpreadsheet size={26} stroke={1.4} />
      <div style={{ margin: "6px 0 12px" }}>{file === null ? t("import.drop") : <><strong style={{ color: "var(--mantine-color-text)" }}>{file.name}</strong> · <span className="num">{formatSize(file.size)}</span></>}</div>
      <FileButton onChange={onFile} accept=".csv,.tsv,.txt,text/csv" disabled={disabled} inputProps={{ "aria-label": t("import.choose") }}>
        {(props) => <Button variant="default" {...props}>{file === null ? t("import.choose") : t("import.other")}</Button>}
      </FileButton>
    </div>
  );
}

function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1_000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const sums = ["read", "added", "updated", "unchanged", "duplicates", "rejected"] as const;

export function ImportReport({ result }: { result: ImportResult }) {
  const { t } = useTranslation();
  return (
    <div role="status">
      <div className="tiles" style={{ gridTemplateColumns: "repeat(auto-fit, minmax(96px, 1fr))" }}>
        {sums.map((sum) => (
          <div key={sum} className={result[sum] === 0 ? "tile zero" : "tile"} data-sum={sum}>
            <span className="n" style={sum === "rejected" && result.rejected > 0 ? { color: "var(--mantine-color-error)" } : undefined}>{formatCount(result[sum])}</span>
            <span className="l">{t(`import.sum.${sum}`)}</span>
          </div>
        ))}
      </div>
      {result.bad_rows.length > 0 && (
        <>
          <h2 style={{ fontSize: 14, margin: "24px 0 4px" }}>{t("import.badTitle")}</h2>
          <p className="quiet" style={{ margin: "0 0 8px" }}>{result.bad_rows_cut ? t("import.badCut", { n: formatCount(result.bad_rows.length) }) : t("import.badHint")}</p>
          <div style={{ maxHeight: 440, overflow: "auto", border: "1px solid var(--line)", borderRadius: 8 }} tabIndex={0} role="region" aria-label={t("import.badTitle")}>
            <Table stickyHeader verticalSpacing={6} horizontalSpacing="sm">
              <Table.Thead>
                <Table.Tr><Table.Th w={70}>{t("import.line")}</Table.Th><Table.Th w={110}>{t("import.column")}</Table.Th><Table.Th>{t("import.reason")}</Table.Th></Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {result.bad_rows.map((row, index) => (
                  <Table.Tr key={index}><Table.Td className="num">{row.line}</Table.Td><Table.Td className="mono">{row.column}</Table.Td><Table.Td>{row.reason}</Table.Td></Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </>
      )}
    </div>
  );
}
