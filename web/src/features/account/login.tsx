import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../../api/problem";
import type { Me } from "../../api/types";
import { describeError } from "../../components/errors";
import { loginOptionsQuery, logIn } from "./queries";

/** why says what the login is for, on a page that needs one. */
export function LoginForm({ why, onDone }: { why?: string; onDone: (me: Me) => void }) {
  const { t } = useTranslation();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const options = useQuery(loginOptionsQuery).data;
  const login = useMutation({ mutationFn: () => logIn(email.trim(), password), onSuccess: onDone });

  function submit(event: FormEvent) {
    event.preventDefault();
    login.mutate();
  }

  const wrong = login.error instanceof ApiError && login.error.status === 401;
  return (
    <form className="card" onSubmit={submit}>
      <Stack gap="sm">
        <img src="/icon.svg" width={32} height={32} alt="" />
        <Title order={1} fz={20} mb={4}>{t("account.loginTitle")}</Title>
        {why !== undefined && <Text className="quiet">{why}</Text>}
        {login.error !== null && (
          <Alert color="red" variant="light" role="alert">
            {wrong ? t("account.wrongLogin") : describeError(login.error, t)}
          </Alert>
        )}
        <TextInput label={t("account.email")} name="email" type="email" autoComplete="username" required withAsterisk={false} autoFocus value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
        <PasswordInput label={t("account.password")} name="password" autoComplete="current-password" required withAsterisk={false} value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
        <Button type="submit" size="sm" mt={4} loading={login.isPending}>{t("account.login")}</Button>
        {options?.mail === true && <Link className="text" to="/forgot">{t("reset.forgot")}</Link>}
        {options?.sign_up === true && <Text className="quiet">{t("signup.new")} <Link className="text" to="/signup">{t("signup.title")}</Link></Text>}
      </Stack>
    </form>
  );
}
