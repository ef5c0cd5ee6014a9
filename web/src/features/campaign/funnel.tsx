import { Link } from "@tanstack/react-router";
import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";
import type { Campaign } from "../../api/types";
import { formatCount } from "../../lib/format";
import { funnel, percentOf } from "./filter";

/** How far the campaign got with its recipients; each step leads to its messages. */
export function Funnel({ campaign, selected }: { campaign: Campaign; selected: string | undefined }) {
  const { t } = useTranslation();
  const { opted_out, no_phone, window_shut } = campaign.skipped;
  const audience = campaign.recipients + opted_out + no_phone + window_shut;
  const steps = funnel(campaign.counts, campaign.recipients);
  return (
    <nav className="funnel" aria-label={t("results.funnel")}>
      {steps.map((step, index) => {
        const before = index === 0 ? undefined : steps[index - 1];
        const states = step.states.length === 0 ? undefined : step.states.join(",");
        const active = states !== undefined && states === selected;
        return (
          <Link
            key={step.key}
            className={active ? "step active" : "step"}
            to="/campaigns/$id"
            params={{ id: campaign.id }}
            search={active ? {} : { state: states }}
            resetScroll={false}
            activeProps={{}}
            aria-current={active ? "true" : undefined}
            title={t(`results.stepMeaning.${step.key}`)}
            data-step={step.key}
          >
            <span className="l">{t(`results.step.${step.key}`)}</span>
            <span className="n">{formatCount(step.count)}</span>
            <span className="share" style={{ "--share": `${campaign.recipients > 0 ? (step.count / campaign.recipients) * 100 : 0}%` } as CSSProperties} />
            <span className="quiet num of">{before === undefined ? t("results.ofAudience", { share: percentOf(step.count, audience) }) : t("results.ofBefore", { share: percentOf(step.count, before.count) })}</span>
          </Link>
        );
      })}
    </nav>
  );
}
