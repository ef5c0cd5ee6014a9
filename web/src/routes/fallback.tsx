import { Button } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconMapQuestion } from "@tabler/icons-react";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/problem";
import { Empty, Failed } from "../components/page";

export function NotFound() {
  const { t } = useTranslation();
  useDocumentTitle(`${t("notFound.title")} · OmniDesk`);
  return (
    <Empty
      icon={<IconMapQuestion size={32} stroke={1.4} />}
      action={<Button component={Link} to="/campaigns" variant="default">{t("notFound.back")}</Button>}
    >
      {t("notFound.text")}
    </Empty>
  );
}

/** The error boundary of every page: the rest of the app stays usable. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (error instanceof ApiError && error.status === 404) return <NotFound />;
  return <Failed error={error} retry={() => { reset(); void router.invalidate(); }} />;
}
