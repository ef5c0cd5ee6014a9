import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./styles.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/problem";
import { meQuery } from "./features/account/queries";
import { startI18n } from "./lib/i18n";
import { makeRouter } from "./routes/tree";
import { theme } from "./theme";

/** A session that may have ended, or a password that must change: look who is signed in; the guards lead on from there. */
function onError(error: unknown) {
  if (!(error instanceof ApiError) || queries.getQueryData(meQuery.queryKey) == null) return;
  if (error.status !== 401 && !error.mustChangePassword) return;
  void queries.fetchQuery({ ...meQuery, staleTime: 0 }).then(() => router.invalidate());
}

const queries = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});
const router = makeRouter(queries);
startI18n();

const scheme = localStorageColorSchemeManager({ key: "omnidesk-color-scheme" }); // public/theme.js reads the same key
const place = document.getElementById("root");
if (place === null) throw new Error("index.html has no #root");
createRoot(place).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={scheme}>
      <Notifications position="bottom-right" limit={3} className="toasts" />
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
