import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { LoginForm } from "../features/account/login";
import { meQuery } from "../features/account/queries";
import { useDocumentTitle } from "@mantine/hooks";

const route = getRouteApi("/login");

export default function LoginPage() {
  const queries = useQueryClient();
  const router = useRouter();
  const { next } = route.useSearch();
  useDocumentTitle("OmniDesk");
  return (
    <main className="bare">
      <LoginForm
        onDone={(me) => {
          queries.setQueryData(meQuery.queryKey, me);
          router.history.push(next ?? "/");
        }}
      />
    </main>
  );
}
