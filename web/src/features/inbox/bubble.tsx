import { IconCornerUpRight, IconFile, IconMapPin, IconMicrophone, IconPhoto, IconSticker, IconUser, IconVideo, IconVolume } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ThreadMessage } from "../../api/types";
import { MessageDot } from "../../components/state";
import { isMessageState } from "../../lib/segments";
import { formatExact, formatInstant } from "../../lib/format";

type Said = NonNullable<ThreadMessage["said"]>;

/** One message, chosen by what it says and never by its channel. */
export function Bubble({ message }: { message: ThreadMessage }) {
  const { t } = useTranslation();
  return (
    <li className={message.inbound ? "said theirs" : "said ours"} data-message={message.id}>
      <div className="said-box">
        {message.campaign_id != null && (
          <div className="said-note">{t("inbox.campaign")}: <Link className="text" to="/campaigns/$id" params={{ id: message.campaign_id }}>{message.campaign_name}</Link></div>
        )}
        {message.deleted === true ? <em className="quiet">{t("inbox.deleted")}</em> : message.said == null ? <Ours message={message} /> : <Theirs said={message.said} />}
        {message.reaction != null && <span className="reaction" title={t("inbox.reaction")}>{message.reaction}</span>}
      </div>
      <div className="said-foot quiet">
        {message.edited === true && <span>{t("inbox.edited")}</span>}
        <time dateTime={message.at} title={formatExact(message.at)}>{formatInstant(message.at, new Date(message.at))}</time>
        {isMessageState(message.state) && <span className="state"><MessageDot state={message.state} />{t(`message.state.${message.state}`)}</span>}
      </div>
      {message.error_detail != null && <div className="said-error">{message.error_detail}</div>}
    </li>
  );
}

function Ours({ message }: { message: ThreadMessage }) {
  const { t } = useTranslation();
  return message.text === "" ? <em className="quiet">{t("inbox.waitsText")}</em> : <>{message.text}</>;
}

const icons: Partial<Record<Said["kind"], typeof IconPhoto>> = {
  image: IconPhoto, video: IconVideo, audio: IconVolume, voice: IconMicrophone, document: IconFile, sticker: IconSticker, location: IconMapPin, cards: IconUser,
};

function Theirs({ said }: { said: Said }) {
  const { t } = useTranslation();
  return (
    <>
      {said.forwarded === true && <div className="said-note"><IconCornerUpRight size={13} /> {t("inbox.forwarded")}</div>}
      {said.ad != null && <div className="said-note">{t("inbox.ad", { name: said.ad.headline ?? said.ad.id })}</div>}
      {said.kind !== "text" && said.kind !== "notice" && <Part said={said} />}
      {said.kind === "unsupported" ? <em className="quiet">{t("inbox.unsupported")}</em> : said.kind !== "choice" && said.text}
    </>
  );
}

/** What a message has besides words. */
function Part({ said }: { said: Said }) {
  const { t } = useTranslation();
  const Icon = icons[said.kind];
  const label: ReactNode = <>{Icon !== undefined && <Icon size={15} stroke={1.6} />}{t(`inbox.kind.${said.kind}`)}</>;
  if (said.kind === "unsupported") return null;
  if (said.kind === "choice") return <div><span className="said-note">{label}</span> <strong>{said.text}</strong></div>;
  if (said.location != null) {
    const { latitude, longitude, name, address } = said.location;
    const place = [name, address].filter((part) => part != null && part !== "").join(", ");
    return (
      <div>
        <div className="said-note">{label}</div>
        <a className="text" href={`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`} target="_blank" rel="noreferrer">{place === "" ? t("inbox.map") : place}</a>
      </div>
    );
  }
  return (
    <div>
      <div className="said-note" title={said.media == null ? undefined : t("inbox.file")}>{label}{said.media?.name != null && <span className="wrap">· {said.media.name}</span>}</div>
      {said.cards?.map((card, n) => <div key={n}>{[card.name, ...(card.phones ?? []), ...(card.emails ?? [])].join(" · ")}</div>)}
      {said.items?.map((item, n) => <div key={n}>{item.quantity} × {item.product}, {item.price} {item.currency}</div>)}
    </div>
  );
}
