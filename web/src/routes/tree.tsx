// The map of addresses. Pages are loaded when first visited.
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import type { CampaignState, SetupStep } from "../api/types";
import type { AuditChoice } from "../features/audit/queries";
import { meQuery } from "../features/account/queries";
import { isForUsers, runsCompany } from "../features/account/role";
import { parseStates } from "../features/campaign/filter";
import { type Choice, outcomes } from "../features/contact/choice";
import { campaignStates } from "../features/campaign/states";
import { readSearch } from "../features/dashboard/span";
import { type EventState, eventStates } from "../features/event/queries";
import { type Standing, standings } from "../features/template/group";
import { readChosen } from "../features/inbox/view";
import { setupSteps } from "../features/settings/steps";
import { NotFound, PageError } from "./fallback";
import { first } from "./first";
import { Shell } from "./shell";

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: PageError,
});

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** What was typed: an address that looks like a number is read as one. */
const words = (value: unknown) => (typeof value === "number" ? String(value) : text(value));

/** A path of this app to go to after the login; anything that could leave it is dropped. */
const ownPath = (value: unknown) => {
  const path = text(value);
  return path !== undefined && /^\/(?![/\\])/.test(path) ? path : undefined;
};

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: (search): { next?: string } => ({ next: ownPath(search.next) }),
  beforeLoad: async ({ context, search }) => {
    const me = await context.queries.ensureQueryData(meQuery).catch(() => null);
    if (me !== null) throw redirect({ href: search.next ?? "/", replace: true });
  },
  component: lazyRouteComponent(() => import("./login")),
});

const signup = createRoute({
  getParentRoute: () => root,
  path: "/signup",
  component: lazyRouteComponent(() => import("./signup")),
});

const forgot = createRoute({
  getParentRoute: () => root,
  path: "/forgot",
  component: lazyRouteComponent(() => import("./forgot")),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset",
  component: lazyRouteComponent(() => import("./reset")),
});

const verify = createRoute({
  getParentRoute: () => root,
  path: "/verify",
  component: lazyRouteComponent(() => import("./verify")),
});

const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitation",
  component: lazyRouteComponent(() => import("./invitation")),
});

const email = createRoute({
  getParentRoute: () => root,
  path: "/email",
  component: lazyRouteComponent(() => import("./email")),
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    const me = await context.queries.ensureQueryData(meQuery);
    if (me === null) throw redirect({ to: "/login", search: { next: location.href === "/" ? undefined : location.href }, replace: true });
    if (me.user.must_change_password && location.pathname !== "/password") throw redirect({ to: "/password", replace: true });
    if (!me.user.verified && !me.user.must_change_password) throw redirect({ to: "/verify", replace: true });
    return { me };
  },
  component: Outlet,
});

const password = createRoute({
  getParentRoute: () => signedIn,
  path: "/password",
  component: lazyRouteComponent(() => import("./password")),
});

const shell = createRoute({ getParentRoute: () => signedIn, id: "shell", component: Shell });

const companies = createRoute({
  getParentRoute: () => shell,
  path: "/companies",
  component: lazyRouteComponent(() => import("./companies")),
});

const platform = createRoute({
  getParentRoute: () => shell,
  path: "/platform",
  component: lazyRouteComponent(() => import("./platform")),
});

const health = createRoute({
  getParentRoute: () => shell,
  path: "/health",
  loader: first.health,
  component: lazyRouteComponent(() => import("./health")),
});

const you = createRoute({
  getParentRoute: () => shell,
  path: "/settings/you",
  component: lazyRouteComponent(() => import("./settings-you")),
});

const roles = createRoute({
  getParentRoute: () => shell,
  path: "/settings/roles",
  component: lazyRouteComponent(() => import("./settings-roles")),
});

const inCompany = createRoute({
  getParentRoute: () => shell,
  id: "in-company",
  beforeLoad: ({ context, location }) => {
    if (!runsCompany(context.me) && !isForUsers(location.pathname)) throw redirect({ to: "/contacts", search: {}, replace: true });
    if (context.me.company == null) throw redirect({ to: "/companies", replace: true });
  },
  component: Outlet,
});

const home = createRoute({
  getParentRoute: () => inCompany,
  path: "/",
  validateSearch: readSearch,
  beforeLoad: ({ context }) => {
    if (context.me.company?.setup === "new") throw redirect({ to: "/welcome", search: {}, replace: true });
  },
  loaderDeps: ({ search }) => search,
  loader: first.dashboard,
  component: lazyRouteComponent(() => import("./dashboard")),
});

const campaigns = createRoute({
  getParentRoute: () => inCompany,
  path: "/campaigns",
  validateSearch: (search): { state?: CampaignState } => ({ state: campaignStates.find((s) => s === search.state) }),
  loaderDeps: ({ search }) => search,
  loader: first.campaigns,
  component: lazyRouteComponent(() => import("./campaigns")),
});

const newCampaign = createRoute({
  getParentRoute: () => inCompany,
  path: "/campaigns/new",
  validateSearch: (search): { connection?: string; template?: string; language?: string; draft?: string } => ({
    connection: text(search.connection), template: text(search.template), language: text(search.language), draft: text(search.draft),
  }),
  loader: first.campaignNew,
  component: lazyRouteComponent(() => import("./campaign-new")),
});

const campaign = createRoute({
  getParentRoute: () => inCompany,
  path: "/campaigns/$id",
  validateSearch: (search): { state?: string; code?: number; phone?: string; replied?: true } => ({
    replied: search.replied === true ? true : undefined,
    phone: text(search.phone),
    state: text(parseStates(text(search.state)).join(",")),
    code: Number.isSafeInteger(search.code) && search.state === "failed" ? Number(search.code) : undefined,
  }),
  loaderDeps: ({ search }) => search,
  loader: first.campaign,
  component: lazyRouteComponent(() => import("./campaign")),
});

const editCampaign = createRoute({
  getParentRoute: () => inCompany,
  path: "/campaigns/$id/edit",
  loader: first.campaignEdit,
  component: lazyRouteComponent(() => import("./campaign-edit")),
});

const inbox = createRoute({
  getParentRoute: () => inCompany,
  path: "/inbox",
  validateSearch: readChosen,
  loaderDeps: ({ search: { view, label, department } }) => ({ view, label, department }),
  loader: first.inbox,
  component: lazyRouteComponent(() => import("./inbox")),
});

const events = createRoute({
  getParentRoute: () => inCompany,
  path: "/events",
  validateSearch: (search): { state?: EventState } => ({ state: eventStates.find((state) => state === search.state) }),
  component: lazyRouteComponent(() => import("./events")),
});

const uncertain = createRoute({
  getParentRoute: () => inCompany,
  path: "/uncertain",
  validateSearch: (search): { campaign?: string } => ({ campaign: text(search.campaign) }),
  loaderDeps: ({ search }) => search,
  loader: first.uncertain,
  component: lazyRouteComponent(() => import("./uncertain")),
});

const audit = createRoute({
  getParentRoute: () => inCompany,
  path: "/audit",
  validateSearch: (search): AuditChoice => ({ action: text(search.action), by: text(search.by) }),
  component: lazyRouteComponent(() => import("./audit")),
});

const contacts = createRoute({
  getParentRoute: () => inCompany,
  path: "/contacts",
  validateSearch: (search): Choice => ({
    q: words(search.q), tag: text(search.tag), segment: text(search.segment), filter: text(search.filter),
    import: text(search.import), outcome: outcomes.find((o) => o === search.outcome),
  }),
  loaderDeps: ({ search }) => search,
  loader: first.contacts,
  component: lazyRouteComponent(() => import("./contacts")),
});

const contact = createRoute({
  getParentRoute: () => inCompany,
  path: "/contacts/$id",
  loader: first.contact,
  component: lazyRouteComponent(() => import("./contact")),
});

const segments = createRoute({
  getParentRoute: () => inCompany,
  path: "/contacts/segments",
  validateSearch: (search): { id?: string; filter?: string } => ({ id: text(search.id), filter: text(search.filter) }),
  loader: first.segments,
  component: lazyRouteComponent(() => import("./segments")),
});

const imports = createRoute({
  getParentRoute: () => inCompany,
  path: "/contacts/imports",
  loader: first.imports,
  component: lazyRouteComponent(() => import("./imports")),
});

const newImport = createRoute({
  getParentRoute: () => inCompany,
  path: "/contacts/imports/new",
  component: lazyRouteComponent(() => import("./import-new")),
});

const oneImport = createRoute({
  getParentRoute: () => inCompany,
  path: "/contacts/imports/$id",
  loader: first.import,
  component: lazyRouteComponent(() => import("./import")),
});

const templates = createRoute({
  getParentRoute: () => inCompany,
  path: "/templates",
  validateSearch: (search): { connection?: string; standing?: Standing; template?: string } => ({
    connection: text(search.connection),
    standing: standings.find((s) => s === search.standing),
    template: text(search.template),
  }),
  loader: first.templates,
  component: lazyRouteComponent(() => import("./templates")),
});

const connections = createRoute({
  getParentRoute: () => inCompany,
  path: "/connections",
  loader: first.connections,
  component: lazyRouteComponent(() => import("./connections")),
});

const newConnection = createRoute({
  getParentRoute: () => inCompany,
  path: "/connections/new",
  component: lazyRouteComponent(() => import("./connection-new")),
});

const connection = createRoute({
  getParentRoute: () => inCompany,
  path: "/connections/$id",
  loader: first.connection,
  component: lazyRouteComponent(() => import("./connection")),
});

const settings = createRoute({
  getParentRoute: () => inCompany,
  path: "/settings",
  loader: first.settings,
  component: lazyRouteComponent(() => import("./settings")),
});

const people = createRoute({
  getParentRoute: () => inCompany,
  path: "/settings/people",
  component: lazyRouteComponent(() => import("./settings-people")),
});

const notifications = createRoute({
  getParentRoute: () => inCompany,
  path: "/notifications",
  component: lazyRouteComponent(() => import("./notifications")),
});

const noticeSwitches = createRoute({
  getParentRoute: () => inCompany,
  path: "/settings/notifications",
  component: lazyRouteComponent(() => import("./settings-notifications")),
});

const departments = createRoute({
  getParentRoute: () => inCompany,
  path: "/settings/departments",
  component: lazyRouteComponent(() => import("./settings-departments")),
});

const settingsLabels = createRoute({
  getParentRoute: () => inCompany,
  path: "/settings/labels",
  component: lazyRouteComponent(() => import("./settings-labels")),
});

const welcome = createRoute({
  getParentRoute: () => inCompany,
  path: "/welcome",
  validateSearch: (search): { step?: SetupStep } => ({ step: setupSteps.find((s) => s === search.step) }),
  component: lazyRouteComponent(() => import("./welcome")),
});

const anyRun = (search: Record<string, unknown>): { run?: string } => ({ run: text(search.run) });

const campaignRun = createRoute({
  getParentRoute: () => inCompany,
  path: "/campaigns/$id/run",
  validateSearch: anyRun,
  component: lazyRouteComponent(() => import("./campaign-run")),
});

const connectionMessages = createRoute({
  getParentRoute: () => inCompany,
  path: "/connections/$id/messages",
  loader: first.connectionMessages,
  component: lazyRouteComponent(() => import("./connection-messages")),
});

const connectionRun = createRoute({
  getParentRoute: () => inCompany,
  path: "/connections/$id/run",
  validateSearch: anyRun,
  component: lazyRouteComponent(() => import("./connection-run")),
});

const tree = root.addChildren([
  login,
  signup,
  forgot,
  reset,
  verify,
  invitation,
  email,
  signedIn.addChildren([
    password,
    shell.addChildren([
      health,
      platform,
      companies,
      you,
      roles,
      inCompany.addChildren([home, inbox, campaigns, newCampaign, campaign, editCampaign, campaignRun, connectionMessages, connectionRun, uncertain, events, audit, contacts, contact, segments, imports, newImport, oneImport, templates, connections, newConnection, connection, settings, people, departments, settingsLabels, notifications, noticeSwitches, welcome]),
    ]),
  ]),
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFound,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
