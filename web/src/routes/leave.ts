import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { logOut, meQuery } from "../features/account/queries";

/** Logs out and forgets what this browser has fetched; also when the server cannot be told. */
export function useLeave(): () => void {
  const queries = useQueryClient();
  const router = useRouter();
  return () => {
    void logOut().catch(() => undefined).then(async () => {
      queries.clear();
      queries.setQueryData(meQuery.queryKey, null);
      await router.navigate({ to: "/login", search: {} });
    });
  };
}
