import { Link } from "@tanstack/react-router";
import type { CSSProperties } from "react";
import { useTranslation } from "react-i18next";
import type { Campaign } from "../../api/types";
import { formatCount } from "../../lib/format";
import { funnel, percentOf } from "./filter";

/** How far the campaign got with its recipients; each step leads to its messages. */
export function Funnel({ campaign, selected, replied }: { campaign: Campaign; selected: string | undefined; replied: boolean }) {
  const { t } = useTranslation();
  const { opted_out, no_phone, window_shut } = campaign.skipped;
  const audience = campaign.recipients + opted_out + no_phone + window_shut;
  const steps = funnel(campaign);
  return (
    <nav className="funnel" aria-label={t("results.funnel")}>
      {steps.map((step) => {
        const states = step.states.length === 0 ? undefined : step.states.join(",");
        const active = step.key === "replied" ? replied : states !== undefined && states === selected && !replied;
        const share = percentOf(step.count, step.of ?? audience);
        return (
          <Link
            key={step.key}
            className={active ? "step active" : "step"}
            to="/campaigns/$id"
            params={{ id: campaign.id }}
            search={active ? {} : step.key === "replied" ? { replied: true } : { state: states }}
            resetScroll={false}
            activeProps={{}}
            aria-current={active ? "true" : undefined}
            title={t(`results.stepMeaning.${step.key}`)}
            data-step={step.key}
          >
            <span className="l">{t(`results.step.${step.key}`)}</span>
            <span className="n">{formatCount(step.count)}</span>
            <span className="share" style={{ "--share": `${campaign.recipients > 0 ? (step.count / campaign.recipients) * 100 : 0}%` } as CSSProperties} />
            <span className="quiet num of">{t(`results.of.${step.key}`, { share })}</span>
          </Link>
        );
      })}
    </nav>
  );
}
