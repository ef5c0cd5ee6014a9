import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Me } from "../api/types";
import { meQuery } from "../features/account/queries";

/** Goes on as somebody who has just signed in, with nothing of whoever was here before. */
export function useSigned(): (me: Me) => void {
  const queries = useQueryClient();
  const router = useRouter();
  return (me) => {
    queries.clear();
    queries.setQueryData(meQuery.queryKey, me);
    void router.invalidate().then(() => router.navigate({ to: "/", search: {}, replace: true }));
  };
}

/** Looks anew who one is, and goes to a page. */
export function useRenewed(): (to: "/" | "/settings/you") => void {
  const queries = useQueryClient();
  const router = useRouter();
  return (to) => void queries.fetchQuery({ ...meQuery, staleTime: 0 }).then(() => router.invalidate()).then(() => router.navigate({ to, replace: true }));
}
