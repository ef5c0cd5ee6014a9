import { Alert, Button, FileButton, Group, Progress, Stack } from "@mantine/core";
import { IconFileSpreadsheet } from "@tabler/icons-react";
import { type DragEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { describeError } from "../../components/errors";

interface Props {
  /** share of the file that is uploaded, 0 to 1; null while nothing is */
  progress: number | null;
  fileName: string;
  error: unknown;
  onFile: (file: File) => void;
  onStop: () => void;
}

export function ImportDrop({ progress, fileName, error, onFile, onStop }: Props) {
  const { t } = useTranslation();
  return (
    <Stack gap="md">
      <p className="quiet" style={{ margin: 0 }}>{t("import.hint")}</p>
      {error !== null && <Alert color="red" variant="light" role="alert">{fileName !== "" && <strong>{fileName}: </strong>}{describeError(error, t)}</Alert>}
      {progress === null ? <Target onFile={onFile} /> : (
        <div className="panel" role="status">
          <div className="clip" style={{ fontWeight: 500, marginBottom: 10 }}>{fileName}</div>
          <Progress value={progress * 100} animated={progress >= 1} aria-label={t("import.progress")} />
          <Group justify="space-between" mt={8}>
            <span className="quiet num">{progress < 1 ? t("import.uploading", { percent: Math.floor(progress * 100) }) : t("import.kept")}</span>
            <Button variant="default" onClick={onStop}>{t("import.stopUpload")}</Button>
          </Group>
        </div>
      )}
    </Stack>
  );
}

function Target({ onFile }: { onFile: (file: File) => void }) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const dropped = event.dataTransfer.files.item(0);
    if (dropped !== null) onFile(dropped);
  };
  return (
    <div className={over ? "drop over" : "drop"} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <IconFileSpreadsheet size={26} stroke={1.4} />
      <div style={{ margin: "6px 0 12px" }}>{t("import.drop")}</div>
      <FileButton onChange={(file) => { if (file !== null) onFile(file); }} accept=".csv,.tsv,.txt,text/csv" inputProps={{ "aria-label": t("import.choose") }}>
        {(props) => <Button variant="default" {...props}>{t("import.choose")}</Button>}
      </FileButton>
      <div style={{ fontSize: 12, marginTop: 14 }}>{t("import.kinds")}</div>
    </div>
  );
}
