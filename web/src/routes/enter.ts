import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { toastError } from "../components/errors";
import { enterCompany, meQuery } from "../features/account/queries";

/** The superadmin's switch of company. Nothing fetched for one company survives into the next. */
export function useEnter() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const router = useRouter();
  return useMutation({
    mutationFn: (id: string | null) => enterCompany(id),
    onError: (error) => toastError(error, t),
    onSuccess: async (me) => {
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
      queries.setQueryData(meQuery.queryKey, me);
      await router.navigate({ to: me.company == null ? "/companies" : "/" });
      await router.invalidate();
    },
  });
}
