import { ActionIcon } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { CheckSample, SyncedTemplate } from "../../api/types";
import { PhoneBubble, TemplateBody } from "../../components/phone";
import { formatCount } from "../../lib/format";
import type { Draft } from "./draft";
import type { DraftCheck } from "./live";

interface Props {
  draft: Draft;
  template: SyncedTemplate | undefined;
  live: DraftCheck;
  at: number;
  onFlip: (at: number) => void;
}

/** The sample that is shown: the list may have become shorter under the reader. */
export const shownSample = (samples: CheckSample[], at: number): CheckSample | undefined => samples[Math.min(at, samples.length - 1)];

/** What each contact gets, one after another, as their phones show it. */
export function Preview({ draft, template, live, at, onFlip }: Props) {
  const { t } = useTranslation();
  const { samples, check } = live;
  const sample = shownSample(samples, at);
  const index = Math.min(at, Math.max(0, samples.length - 1));
  const flip = (to: number) => {
    onFlip(to);
    if (to >= samples.length - 3) live.more();
  };
  return (
    <section aria-label={t("check.preview")} className={live.stale ? "stale" : undefined}>
      <div className="flipper">
        <div style={{ minWidth: 0, flex: 1 }}>
          <div className="clip" style={{ fontWeight: 500 }}>{sample === undefined ? t("check.preview") : sample.name === "" ? t("contact.noName") : sample.name}</div>
          {sample !== undefined && <div className="quiet num clip" style={{ fontSize: 12 }}>{sample.phone}</div>}
        </div>
        {samples.length > 1 && (
          <>
            <span className="quiet num" aria-live="polite">{t("check.nth", { n: formatCount(index + 1), all: formatCount(Math.max(check?.recipients ?? 0, samples.length)) })}</span>
            <ActionIcon variant="default" aria-label={t("check.previous")} disabled={index === 0} onClick={() => flip(index - 1)}><IconChevronLeft size={15} /></ActionIcon>
            <ActionIcon variant="default" aria-label={t("check.next")} disabled={index >= samples.length - 1 && !live.hasMore} onClick={() => flip(Math.min(index + 1, samples.length - 1))}><IconChevronRight size={15} /></ActionIcon>
          </>
        )}
      </div>
      <Bubble draft={draft} template={template} sample={sample} />
    </section>
  );
}

function Bubble({ draft, template, sample }: { draft: Draft; template: SyncedTemplate | undefined; sample: CheckSample | undefined }) {
  const { t } = useTranslation();
  if (draft.kind === "text") return <PhoneBubble body={sample?.text || draft.text || <span className="quiet">{t("check.noText")}</span>} />;
  if (template === undefined) return <PhoneBubble body={sample !== undefined && draft.template_name !== "" ? sample.text : <span className="quiet">{t("check.noTemplate")}</span>} />;
  return <PhoneBubble headerFormat={template.header_format} header={template.header} footer={template.footer} buttons={template.buttons} body={sample?.text ?? <TemplateBody text={template.body} values={draft.parameters} />} />;
}
