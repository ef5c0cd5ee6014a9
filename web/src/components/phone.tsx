import { IconPhoto } from "@tabler/icons-react";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  /** IMAGE, VIDEO, DOCUMENT …: a file stands in the header */
  headerFormat?: string;
  header?: string;
  body: ReactNode;
  footer?: string;
  buttons?: { text: string }[];
}

/** A message as its recipient's phone shows it. */
export function PhoneBubble({ headerFormat = "", header = "", body, footer = "", buttons = [] }: Props) {
  const { t } = useTranslation();
  const file = headerFormat !== "" && headerFormat !== "TEXT";
  return (
    <div className="phone">
      <div className="phone-bubble">
        {file && <div className="phone-file"><IconPhoto size={22} stroke={1.4} aria-hidden="true" />{t("template.file", { kind: headerFormat.toLowerCase() })}</div>}
        {header !== "" && <div className="phone-header">{header}</div>}
        <div className="wrap">{body}</div>
        {footer !== "" && <div className="phone-footer">{footer}</div>}
        {buttons.map((button, index) => <div key={index} className="phone-button">{button.text}</div>)}
      </div>
    </div>
  );
}

const placeholder = /(\{\{\s*\d+\s*\}\})/;

/** A template's body: its placeholders as chips, or filled with what is given. */
export function TemplateBody({ text, values }: { text: string; values?: string[] }) {
  return (
    <>
      {text.split(placeholder).map((part, index) => {
        if (!placeholder.test(part)) return <Fragment key={index}>{part}</Fragment>;
        const n = Number(part.replace(/\D/g, ""));
        const value = values?.[n - 1] ?? "";
        return value === "" ? <span key={index} className="merge">{n}</span> : <Fragment key={index}>{value}</Fragment>;
      })}
    </>
  );
}
