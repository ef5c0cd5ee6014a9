// What a page asks first. Its router asks it beside loading the page's code, not after, and also when a pointer rests on
// a link to it. Nobody waits here: the page itself shows what became of each question.
import type { FetchInfiniteQueryOptions, FetchQueryOptions, QueryClient, QueryKey } from "@tanstack/react-query";
import type { CampaignState, Me } from "../api/types";
import { runsCompany } from "../features/account/role";
import { isLedgerState, parseStates } from "../features/campaign/filter";
import { campaignQuery, campaignsQuery, courseQuery, messagesQuery } from "../features/campaign/queries";
import { connectionLimitsQuery, connectionLiveQuery, connectionMessagesQuery, connectionQuery, connectionsQuery } from "../features/connection/queries";
import { type Choice, toQuery } from "../features/contact/choice";
import { attributesQuery, contactCountQuery, contactQuery, contactSampleQuery, contactsQuery, segmentsQuery, tagsQuery, timelineQuery } from "../features/contact/queries";
import { concernsQuery, fewCampaignsQuery, trafficQuery } from "../features/dashboard/queries";
import { type DashboardSearch, spanOf } from "../features/dashboard/span";
import { healthQuery } from "../features/health/queries";
import { importQuery, importsQuery } from "../features/import/queries";
import { choicesQuery, conversationsQuery } from "../features/inbox/queries";
import type { Chosen } from "../features/inbox/view";
import { settingsQuery } from "../features/settings/queries";
import { templatesQuery } from "../features/template/queries";
import { uncertainCountQuery, uncertainQuery } from "../features/uncertain/queries";

/** What a loader is told: the address, who asks, and where answers are kept. */
interface At<Deps = unknown> {
  context: { queries: QueryClient; me: Me };
  deps: Deps;
}

interface AtOne<Deps = unknown> extends At<Deps> {
  params: { id: string };
}

function one<T, K extends QueryKey>({ context }: At, query: FetchQueryOptions<T, Error, T, K>) {
  void context.queries.prefetchQuery(query);
}

function pages<T, K extends QueryKey, P>({ context }: At, query: FetchInfiniteQueryOptions<T, Error, T, K, P>) {
  void context.queries.prefetchInfiniteQuery(query);
}

function campaignForm(at: At) {
  one(at, connectionsQuery);
  one(at, tagsQuery);
  one(at, contactSampleQuery);
  one(at, templatesQuery);
  one(at, segmentsQuery);
  pages(at, contactCountQuery({}));
}

export const first = {
  dashboard: (at: At<DashboardSearch>) => {
    one(at, trafficQuery(spanOf(at.deps)));
    one(at, concernsQuery);
    one(at, fewCampaignsQuery("running"));
  },
  campaigns: (at: At<{ state?: CampaignState }>) => pages(at, campaignsQuery(at.deps.state)),
  campaign: (at: AtOne<{ state?: string; code?: number; phone?: string; replied?: true }>) => {
    const { state, code, phone, replied } = at.deps;
    one(at, campaignQuery(at.params.id));
    one(at, courseQuery(at.params.id));
    pages(at, messagesQuery(at.params.id, { states: parseStates(state).filter(isLedgerState), code, phone, replied }));
  },
  campaignNew: campaignForm,
  campaignEdit: (at: AtOne) => {
    one(at, campaignQuery(at.params.id));
    campaignForm(at);
  },
  contacts: (at: At<Choice>) => {
    pages(at, contactsQuery(at.deps));
    pages(at, contactCountQuery(toQuery(at.deps)));
    one(at, tagsQuery);
    one(at, attributesQuery);
    if (runsCompany(at.context.me)) one(at, segmentsQuery); // refused to users
  },
  contact: (at: AtOne) => {
    one(at, contactQuery(at.params.id));
    pages(at, timelineQuery(at.params.id));
  },
  inbox: (at: At<Chosen>) => {
    pages(at, conversationsQuery(at.deps));
    one(at, choicesQuery);
  },
  labels: (at: At) => one(at, choicesQuery),
  segments: (at: At) => one(at, segmentsQuery),
  imports: (at: At) => pages(at, importsQuery),
  import: (at: AtOne) => one(at, importQuery(at.params.id)),
  templates: (at: At) => {
    one(at, connectionsQuery);
    one(at, templatesQuery);
  },
  connections: (at: At) => one(at, connectionsQuery),
  connectionMessages: (at: AtOne) => {
    one(at, connectionQuery(at.params.id));
    pages(at, connectionMessagesQuery(at.params.id));
  },
  connection: (at: AtOne) => {
    one(at, connectionQuery(at.params.id));
    one(at, connectionLiveQuery(at.params.id));
    if (runsCompany(at.context.me)) one(at, connectionLimitsQuery(at.params.id));
  },
  uncertain: (at: At<{ campaign?: string }>) => {
    pages(at, uncertainQuery(at.deps.campaign));
    one(at, uncertainCountQuery(at.deps.campaign));
  },
  health: (at: At) => one(at, healthQuery),
  settings: (at: At) => one(at, settingsQuery),
};
