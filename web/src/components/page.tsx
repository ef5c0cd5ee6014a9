import { Alert, Button, Center, Loader } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconAlertTriangle, IconChevronLeft } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { describeError } from "./errors";

/** The head of a page: where one is on the left, what one can do on the right. Sets the window's title. */
export function PageHead({ title, crumb, beside, children }: { title: string; crumb?: ReactNode; beside?: ReactNode; children?: ReactNode }) {
  useDocumentTitle(title === "" ? "OmniDesk" : `${title} · OmniDesk`);
  return (
    <header className="head">
      {crumb}
      {crumb !== undefined && <span className="quiet wide" aria-hidden="true">/</span>}
      <h1 className="clip">{title}</h1>
      {beside}
      <span className="spacer" />
      {children}
    </header>
  );
}

/** The way up from a page; on phones an arrow. */
export function Crumb({ to, label }: { to: "/campaigns" | "/contacts" | "/connections" | "/contacts/imports"; label: string }) {
  return (
    <Link className="crumb" to={to} aria-label={label}>
      <span className="wide">{label}</span>
      <IconChevronLeft className="only-phone" size={18} style={{ verticalAlign: "middle" }} />
    </Link>
  );
}

/** A page without rows: one sentence that teaches, one button. */
export function Empty({ icon, children, action }: { icon: ReactNode; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      {icon}
      <div>{children}</div>
      {action}
    </div>
  );
}

export function Waiting() {
  const { t } = useTranslation();
  return (
    <Center py={96} role="status" aria-label={t("common.loading")}>
      <Loader size="sm" color="gray" />
    </Center>
  );
}

/** Where rows of a list will be. */
export function WaitingRows() {
  const { t } = useTranslation();
  return (
    <div className="bone-rows" role="status" aria-label={t("common.loading")}>
      {Array.from({ length: 8 }, (_, n) => <div key={n}><span style={{ width: `${26 - ((n * 7) % 11)}%` }} /><span style={{ width: "9%" }} /><span style={{ width: `${18 - ((n * 5) % 8)}%` }} /></div>)}
    </div>
  );
}

/** What went wrong, what to do, and a button that tries again. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="page narrow">
      <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={t("error.title")}>
        {describeError(error, t)}
        {retry !== undefined && (
          <div style={{ marginTop: 10 }}>
            <Button variant="default" onClick={retry}>{t("common.retry")}</Button>
          </div>
        )}
      </Alert>
    </div>
  );
}
