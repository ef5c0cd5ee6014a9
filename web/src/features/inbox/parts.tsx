import { IconList, IconMapPin, IconTemplate, IconUser } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/types";

type Location = Schemas["Location"];
type Offer = Schemas["Offer"];

export function Place({ at }: { at: Location }) {
  const { t } = useTranslation();
  const lines = [at.name, at.address].filter((part) => part != null && part !== "");
  return (
    <a className="part-card" href={`https://www.openstreetmap.org/?mlat=${at.latitude}&mlon=${at.longitude}`} target="_blank" rel="noreferrer">
      <IconMapPin size={20} stroke={1.5} />
      <span className="part-lines">
        <span>{lines[0] ?? t("inbox.kind.location")}</span>
        <span className="quiet num">{lines[1] ?? `${at.latitude.toFixed(5)}, ${at.longitude.toFixed(5)}`}</span>
      </span>
    </a>
  );
}

export function Cards({ cards }: { cards: readonly Schemas["Card"][] }) {
  return (
    <>
      {cards.map((card, n) => (
        <div key={n} className="part-card">
          <IconUser size={20} stroke={1.5} />
          <span className="part-lines">
            <span>{card.name}</span>
            {card.phones?.map((phone) => <a key={phone} className="text num" href={`tel:${phone}`}>{phone}</a>)}
            {card.emails?.map((email) => <a key={email} className="text" href={`mailto:${email}`}>{email}</a>)}
          </span>
        </div>
      ))}
    </>
  );
}

/** What a contact was asked: the words, and under them the answers to choose from. */
export function Asked({ text, offer }: { text: string; offer: Offer }) {
  return (
    <>
      {offer.header != null && <strong>{offer.header}{"\n"}</strong>}
      {text}
      {offer.footer != null && <div className="quiet part-footer">{offer.footer}</div>}
      {offer.buttons != null && <Answers answers={offer.buttons.map((one) => one.title)} />}
      {offer.sections != null && (
        <details className="part-list">
          <summary><IconList size={15} />{offer.open}</summary>
          {offer.sections.map((section, n) => (
            <div key={n}>
              {section.title != null && <div className="quiet">{section.title}</div>}
              {section.options?.map((one) => <div key={one.title} className="part-row">{one.title}{one.description != null && <span className="quiet">{one.description}</span>}</div>)}
            </div>
          ))}
        </details>
      )}
    </>
  );
}

const Answers = ({ answers }: { answers: readonly string[] }) => <div className="part-answers">{answers.map((title) => <span key={title}>{title}</span>)}</div>;

export function Templated({ name, children }: { name: string; children: ReactNode }) {
  return <><div className="said-note"><IconTemplate size={14} /> {name}</div>{children}</>;
}
