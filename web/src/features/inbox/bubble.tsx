import { ActionIcon } from "@mantine/core";
import { IconArrowBackUp, IconCornerUpRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import type { ThreadMessage } from "../../api/types";
import { MessageDot } from "../../components/state";
import { isMessageState } from "../../lib/segments";
import { formatExact, formatInstant } from "../../lib/format";
import { Attachment, type FileKind } from "./attachment";
import { Asked, Cards, Place, Templated } from "./parts";
import { replyTo } from "./replying";

type Said = NonNullable<ThreadMessage["said"]>;
type Content = NonNullable<ThreadMessage["content"]>;

const atProvider = ["received", "sent", "delivered", "read"]; // only what the provider knows can be answered

/** One message, chosen by what it says and never by its channel. */
export function Bubble({ message }: { message: ThreadMessage }) {
  const { t } = useTranslation();
  return (
    <li className={message.inbound ? "said theirs" : "said ours"} data-message={message.id}>
      <div className="said-line">
        <div className="said-box">
          {message.campaign_id != null && (
            <div className="said-note">{t("inbox.campaign")}: <Link className="text" to="/campaigns/$id" params={{ id: message.campaign_id }}>{message.campaign_name}</Link></div>
          )}
          {message.quote != null && <Quote quote={message.quote} />}
          {message.deleted === true ? <em className="quiet">{t("inbox.deleted")}</em> : message.said == null ? <Ours message={message} /> : <Theirs message={message} said={message.said} />}
          {message.reaction != null && <span className="reaction" title={t("inbox.reaction")}>{message.reaction}</span>}
        </div>
        {atProvider.includes(message.state) && message.deleted !== true && (
          <ActionIcon className="said-reply" variant="subtle" color="gray" size="sm" aria-label={t("inbox.reply")} title={t("inbox.reply")} onClick={() => replyTo(message)}><IconArrowBackUp size={15} /></ActionIcon>
        )}
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

/** The message that another one answers; a click leads to it when it is on the page. */
export function Quote({ quote }: { quote: NonNullable<ThreadMessage["quote"]> }) {
  const { t } = useTranslation();
  return (
    <button type="button" className="said-quote" onClick={() => document.querySelector(`[data-message="${quote.id}"]`)?.scrollIntoView({ block: "center" })}>
      <strong>{t(quote.inbound ? "inbox.them" : "inbox.you")}</strong> <span className="clip">{quote.text}</span>
    </button>
  );
}

function Ours({ message }: { message: ThreadMessage }) {
  const { t } = useTranslation();
  const { content, text } = message;
  if (text === "") return <em className="quiet">{t("inbox.waitsText")}</em>;
  return content == null ? <>{text}</> : <Sent message={message} content={content} />;
}

function Sent({ message, content }: { message: ThreadMessage; content: Content }) {
  const { t } = useTranslation();
  if (content.file != null) return <><Attachment message={message} kind={content.file.kind} name={content.file.name} />{content.text}</>;
  if (content.location != null) return <Place at={content.location} />;
  if (content.cards != null) return <Cards cards={content.cards} />;
  if (content.offer != null) return <Asked text={content.text ?? ""} offer={content.offer} />;
  if (content.template != null) return <Templated name={content.template.name}>{content.template.parameters?.join(" · ")}</Templated>;
  if (content.reaction != null) return <>{t("inbox.reacted", { emoji: content.reaction })}</>;
  return <>{message.text}</>;
}

const fileKinds: readonly string[] = ["image", "video", "audio", "voice", "document", "sticker"] satisfies FileKind[];
const isFile = (kind: string): kind is FileKind => fileKinds.includes(kind);

function Theirs({ message, said }: { message: ThreadMessage; said: Said }) {
  const { t } = useTranslation();
  return (
    <>
      {said.forwarded === true && <div className="said-note"><IconCornerUpRight size={13} /> {t("inbox.forwarded")}</div>}
      {said.ad != null && <div className="said-note">{t("inbox.ad", { name: said.ad.headline ?? said.ad.id })}</div>}
      <Part message={message} said={said} />
      {said.kind === "unsupported" ? <em className="quiet">{t("inbox.unsupported")}</em> : said.kind !== "choice" && said.text}
    </>
  );
}

/** What a message has besides words. */
function Part({ message, said }: { message: ThreadMessage; said: Said }) {
  const { t } = useTranslation();
  if (isFile(said.kind)) return <Attachment message={message} kind={said.kind} name={said.media?.name} />;
  if (said.location != null) return <Place at={said.location} />;
  if (said.cards != null) return <Cards cards={said.cards} />;
  if (said.kind === "choice") return <div><span className="said-note">{t("inbox.kind.choice")}</span> <strong>{said.text}</strong></div>;
  if (said.kind === "order" || said.kind === "form") {
    return (
      <div>
        <div className="said-note">{t(`inbox.kind.${said.kind}`)}</div>
        {said.items?.map((item, n) => <div key={n}>{item.quantity} × {item.product}, {item.price} {item.currency}</div>)}
      </div>
    );
  }
  return null;
}
