import { ActionIcon, Button, CopyButton, Group, Modal, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { formatExact, formatInstant } from "../lib/format";

/** The present instant, anew every ms milliseconds. */
export function useNow(ms = 1_000): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}

/** An instant as clock time, exact in its title; a dash for none. */
export function Time({ at }: { at: string | null | undefined }) {
  if (at === null || at === undefined) return <span className="quiet">–</span>;
  return <time dateTime={at} title={formatExact(at)} className="num">{formatInstant(at, new Date())}</time>;
}

/** plain: as text of its line, else in letters of one width. */
export function Copyable({ value, plain = false }: { value: string; plain?: boolean }) {
  const { t } = useTranslation();
  return (
    <Group gap={4} wrap="nowrap" align="flex-start">
      <span className={plain ? "num" : "mono"} style={{ minWidth: 0 }}>{value}</span>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t("common.copied") : t("common.copy")}>
            <ActionIcon size="sm" onClick={copy} aria-label={copied ? t("common.copied") : t("common.copy")}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}

/** A button that asks before it acts. The question names what cannot be undone. */
export function ConfirmButton({ label, question, confirm, icon, loading, onConfirm }: {
  label: string; question: string; confirm: string; icon?: ReactNode; loading?: boolean; onConfirm: () => void;
}) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" leftSection={icon} loading={loading} onClick={() => setOpen(true)}>{label}</Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={<Text fw={600}>{label}</Text>} size="sm">
        <Text>{question}</Text>
        <Group justify="flex-end" mt="lg" gap="xs">
          <Button variant="default" data-autofocus onClick={() => setOpen(false)}>{t("common.keep")}</Button>
          <Button color="red.9" onClick={() => { setOpen(false); onConfirm(); }}>{confirm}</Button>
        </Group>
      </Modal>
    </>
  );
}

/** Key sequences such as "g c" or "c"; silent while someone types. */
export function useKeys(keys: Record<string, () => void>) {
  const latest = useRef(keys);
  useEffect(() => { latest.current = keys; });
  useEffect(() => {
    let first = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.closest("input,textarea,select,[contenteditable],[role=dialog],[role=menu]") !== null;
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
      const act = latest.current[first === "" ? event.key : `${first} ${event.key}`];
      clearTimeout(timer);
      first = first === "" && act === undefined ? event.key : "";
      timer = setTimeout(() => { first = ""; }, 800);
      if (act !== undefined) {
        event.preventDefault();
        act();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => { window.removeEventListener("keydown", onKey); clearTimeout(timer); };
  }, []);
}
