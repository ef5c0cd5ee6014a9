import { Alert, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouterState } from "@tanstack/react-router";
import type { FormEvent, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, fieldComplaints, toFormErrors } from "../../api/problem";
import { describeError } from "../../components/errors";
import { loginOptionsQuery } from "./queries";

/** A form that stands alone on its page, for people who are not in the app (yet). */
export function Card({ title, onSubmit, children }: { title: string; onSubmit?: () => void; children: ReactNode }) {
  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit?.();
  }
  return (
    <form className="card" noValidate onSubmit={submit}>
      <Stack gap="sm">
        <img src="/icon.svg" width={32} height={32} alt="" />
        <Title order={1} fz={20} mb={4}>{title}</Title>
        {children}
      </Stack>
    </form>
  );
}

/** Where mail is when it goes to the sandbox, which nobody could guess; children stand for real mail. */
export function Mailbox({ to, children }: { to: string; children?: ReactNode }) {
  const { t } = useTranslation();
  const mailbox = useQuery(loginOptionsQuery).data?.mailbox;
  if (mailbox === undefined) return children;
  return <Text>{t("signup.sandbox")} <a className="text" href={`${mailbox}?${new URLSearchParams({ to }).toString()}`} target="_blank" rel="noreferrer">{t("signup.mailbox")}</a></Text>;
}

/** What the server said under each field of a form, and whether anything is left that belongs to none. */
export function unfit(error: unknown, fields: readonly string[]) {
  const said = toFormErrors(fieldComplaints(error), (path) => (fields.includes(path) ? path : null));
  return { fields: said.fields, loose: error !== null && (said.rest.length > 0 || Object.keys(said.fields).length === 0) };
}

/** What is wrong with a link, or with anything else that no field is to blame for. */
export function LooseError({ error, fields = [] }: { error: unknown; fields?: readonly string[] }) {
  const { t } = useTranslation();
  if (!unfit(error, fields).loose) return null;
  return <Alert color="red" variant="light" role="alert">{linkWords(error) ?? describeError(error, t)}</Alert>;
}

/** A link's own fault in the server's words, without the name of a field that nobody sees. */
function linkWords(error: unknown): string | undefined {
  return fieldComplaints(error).find((c) => c.field === "token")?.message;
}

/** The problem's kind, such as link-expired; empty for another error. */
export function kindOf(error: unknown): string {
  return error instanceof ApiError ? (error.problem.type ?? "").split("/").at(-1) ?? "" : "";
}

/** What follows # in the address: it never leaves the browser but in a request's body. */
export const useLinkSecret = () => useRouterState({ select: (state) => state.location.hash });
