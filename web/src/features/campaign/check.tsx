import { Alert, Loader } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Check } from "../../api/types";
import { describeError } from "../../components/errors";
import { formatCount } from "../../lib/format";
import { SkippedWords } from "./run";

interface Props {
  /** "unsaved": there is nothing to check yet */
  phase: "unsaved" | "checking" | "done" | "failed";
  check: Check | undefined;
  error: unknown;
}

/** What a start would do: how many, who is left out and why, what is wrong, how it reads. */
export function CheckPanel({ phase, check, error }: Props) {
  const { t } = useTranslation();
  return (
    <section className="panel aside" aria-label={t("check.title")} aria-live="polite">
      <h2 style={{ margin: "0 0 8px", fontSize: 13 }}>{t("check.title")}</h2>
      {phase === "unsaved" && <div className="quiet">{t("check.unsaved")}</div>}
      {phase === "checking" && <div className="state quiet"><Loader size={14} color="gray" />{t("check.checking")}</div>}
      {phase === "failed" && <Alert color="red" variant="light">{describeError(error, t)}</Alert>}
      {phase === "done" && check !== undefined && <Result check={check} />}
    </section>
  );
}

function Result({ check }: { check: Check }) {
  const { t } = useTranslation();
  const good = check.problems.length === 0;
  const left = check.skipped.opted_out + check.skipped.no_phone + check.skipped.window_shut;
  return (
    <>
      <div style={{ display: "flex", alignItems: "baseline", gap: 6 }}>
        <span className="num" style={{ fontSize: 22, fontWeight: 600 }}>{formatCount(check.recipients)}</span>
        <span className="quiet">{t("check.recipients", { count: check.recipients })}</span>
      </div>
      {left > 0 && <div className="quiet" style={{ marginTop: 6 }}><SkippedWords skipped={check.skipped} /></div>}
      <div style={{ marginTop: 12 }}>
        {good ? (
          <span className="state"><IconCircleCheck size={16} color="var(--mantine-color-teal-6)" />{t("check.good")}</span>
        ) : check.problems.map((problem, index) => (
          <div key={index} style={{ display: "flex", gap: 8, marginBottom: 6 }}>
            <IconAlertTriangle size={16} color="var(--state-failed)" style={{ flex: "none", marginTop: 2 }} />
            <span>{problem.message}</span>
          </div>
        ))}
      </div>
      {check.samples.length > 0 && (
        <>
          <h3 className="quiet" style={{ margin: "14px 0 6px", fontSize: 12, fontWeight: 500 }}>{t("check.samples")}</h3>
          {check.samples.map((sample) => (
            <figure key={sample.contact_id} style={{ margin: "0 0 8px" }}>
              <figcaption className="quiet" style={{ fontSize: 12, marginBottom: 3 }}>{sample.name === "" ? t("contact.noName") : sample.name}</figcaption>
              <div className="bubble">{sample.text}</div>
            </figure>
          ))}
        </>
      )}
    </>
  );
}
