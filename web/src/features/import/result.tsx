import { Button, Group, Modal, Progress, Text } from "@mantine/core";
import { IconArrowBackUp, IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Import, ImportUndo } from "../../api/types";
import { Failed } from "../../components/page";
import { ConfirmButton, useNow } from "../../components/small";
import { formatCount, formatFinish, formatSpan } from "../../lib/format";
import { outcomes } from "../contact/choice";
import { undoForecastQuery } from "./queries";

/** A run or an undo on its way. */
export function ImportProgress({ of, onStop, stopping }: { of: Import; onStop: () => void; stopping: boolean }) {
  const { t } = useTranslation();
  const now = useNow();
  const { done, total, finish_at: finish } = of.progress ?? { done: 0, total: 0, finish_at: undefined };
  const rows = { done: formatCount(done), total: formatCount(total) };
  return (
    <div role="status">
      <Progress size={10} value={total === 0 ? 0 : (done / total) * 100} aria-label={t(`import.state.${of.state}`)} />
      <Group justify="space-between" mt={10} gap="xs">
        <span className="num">
          {done === 0 ? <span className="quiet">{t("import.starting")}</span> : t(of.state === "running" ? "import.running" : "import.undoingRows", rows)}
          {finish !== undefined && <span className="quiet"> · {t("import.finish", { at: formatFinish(finish, now) })}</span>}
        </span>
        {of.state === "running" && <ConfirmButton label={t("import.stop")} question={t("import.stopAsk")} confirm={t("import.stopYes")} loading={stopping} onConfirm={onStop} />}
      </Group>
    </div>
  );
}

const sums = ["read", "added", "updated", "unchanged", "duplicates", "refused"] as const;
const fates = ["deleted", "restored", "used", "edited", "gone"] as const;

export function ImportSums({ of }: { of: Import }) {
  return (
    <div className="tiles" style={{ gridTemplateColumns: "repeat(auto-fit, minmax(96px, 1fr))" }} role="status">
      {sums.map((sum) => <Sum key={sum} of={of} sum={sum} />)}
    </div>
  );
}

/** One number with the way to its contacts or rows. */
function Sum({ of, sum }: { of: Import; sum: (typeof sums)[number] }) {
  const { t } = useTranslation();
  const n = of.counts[sum];
  const about = { className: n === 0 ? "tile zero" : "tile", "data-sum": sum };
  const inside = (
    <>
      <span className="n" style={sum === "refused" && n > 0 ? { color: "var(--mantine-color-error)" } : undefined}>{formatCount(n)}</span>
      <span className="l">{t(`import.sum.${sum}`)}</span>
    </>
  );
  if (n === 0 || sum === "read" || of.finished_at === undefined || of.state === "undone" || of.forgotten_at !== undefined) return <div {...about}>{inside}</div>;
  if (sum === "refused" || sum === "duplicates") return <a {...about} href={`/api/v1/imports/${of.id}/refused`} download title={t("import.download")}>{inside}</a>;
  return <Link {...about} to="/contacts" search={{ import: of.id, outcome: outcomes.find((o) => o === sum) }}>{inside}</Link>;
}

export function UndoSums({ undo }: { undo: ImportUndo }) {
  const { t } = useTranslation();
  return (
    <div className="tiles" style={{ gridTemplateColumns: "repeat(auto-fit, minmax(96px, 1fr))", marginTop: 16 }}>
      {fates.map((fate) => (
        <div key={fate} className={undo[fate] === 0 ? "tile zero" : "tile"} data-fate={fate}><span className="n">{formatCount(undo[fate])}</span><span className="l">{t(`import.undone.${fate}`)}</span></div>
      ))}
    </div>
  );
}

/** What an import did, what it left out, and the ways on. */
export function ImportResult({ of, onUndo, undoing, onAnother }: { of: Import; onUndo: () => void; undoing: boolean; onAnother?: () => void }) {
  const { t } = useTranslation();
  const leftOut = of.counts.refused + of.counts.duplicates;
  const span = of.started_at !== undefined && of.finished_at !== undefined ? new Date(of.finished_at).getTime() - new Date(of.started_at).getTime() : null;
  return (
    <>
      <ImportSums of={of} />
      {span !== null && <p className="quiet" style={{ margin: "8px 0 0" }}>{t("import.took", { span: formatSpan(span) })}{of.forgotten_at !== undefined && <> {t("import.past")}</>}</p>}
      {of.undo !== undefined && <UndoSums undo={of.undo} />}
      {leftOut > 0 && (
        <section style={{ marginTop: 24 }} aria-labelledby="left-out">
          <h2 id="left-out" style={{ fontSize: 14, margin: "0 0 4px" }}>{t("import.refusedTitle")}</h2>
          <p className="quiet" style={{ margin: "0 0 10px" }}>{of.forgotten_at === undefined ? t("import.refusedText", { n: formatCount(leftOut) }) : t("import.forgotten")} {of.forgotten_at === undefined && leftOut > 20_000 && t("import.refusedCut")}</p>
          {of.forgotten_at === undefined && <Button component="a" href={`/api/v1/imports/${of.id}/refused`} download variant="default" leftSection={<IconDownload size={15} />}>{t("import.download")}</Button>}
        </section>
      )}
      <Group gap="xs" mt={28}>
        {of.state !== "undone" && <Button renderRoot={(props) => <Link {...props} to="/contacts" search={of.forgotten_at === undefined ? { import: of.id } : {}} />} variant={onAnother === undefined ? "filled" : "default"}>{t("import.toContacts")}</Button>}
        {onAnother === undefined
          ? <Button component={Link} to="/contacts/imports/new" variant={of.state === "undone" ? "filled" : "default"}>{t("import.again")}</Button>
          : <Button variant="default" onClick={onAnother}>{t("import.again")}</Button>}
        {of.state !== "undone" && of.forgotten_at === undefined && <UndoButton of={of} onUndo={onUndo} loading={undoing} />}
      </Group>
    </>
  );
}

function UndoButton({ of, onUndo, loading }: { of: Import; onUndo: () => void; loading: boolean }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={<IconArrowBackUp size={15} />} loading={loading} onClick={() => setOpen(true)}>{t("import.undo")}</Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={<Text fw={600}>{t("import.undoTitle")}</Text>} size="md">
        <UndoForecast id={of.id} onKeep={() => setOpen(false)} onUndo={() => { setOpen(false); onUndo(); }} />
      </Modal>
    </>
  );
}

/** Says exactly what an undo will do before it is done. */
function UndoForecast({ id, onKeep, onUndo }: { id: string; onKeep: () => void; onUndo: () => void }) {
  const { t } = useTranslation();
  const forecast = useQuery(undoForecastQuery(id));
  if (forecast.isError) return <Failed error={forecast.error} retry={() => void forecast.refetch()} />;
  const will = fates.filter((fate) => (forecast.data?.[fate] ?? 0) > 0);
  return (
    <>
      {forecast.data === undefined && <Text c="dimmed" role="status">{t("import.undoCounting")}</Text>}
      {forecast.data !== undefined && will.length === 0 && <Text>{t("import.undoNothing")}</Text>}
      <ul style={{ margin: 0, paddingLeft: 18, display: "grid", gap: 6 }}>
        {will.map((fate) => <li key={fate}>{t(`import.undoWill.${fate}`, { count: forecast.data?.[fate] ?? 0, n: formatCount(forecast.data?.[fate] ?? 0) })}</li>)}
      </ul>
      <Group justify="flex-end" mt="lg" gap="xs">
        <Button variant="default" data-autofocus onClick={onKeep}>{t("common.keep")}</Button>
        <Button color="red.9" disabled={forecast.data === undefined} onClick={onUndo}>{t("import.undoYes")}</Button>
      </Group>
    </>
  );
}
