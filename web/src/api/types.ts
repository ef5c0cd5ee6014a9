// The words of the API under short names. Everything else of the schema stays in schema.gen.ts.
import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Me = Schemas["Me"];
export type Company = Schemas["Company"];
export type Connection = Schemas["Connection"];
export type Line = Schemas["Line"];
export type Usage = Schemas["Usage"];
export type Settings = Schemas["Settings"];
export type Setup = Schemas["Setup"];
export type SetupStep = Schemas["SetupStep"]["name"];
export type ConnectionLive = Schemas["ConnectionLive"];
export type Contact = Schemas["Contact"];
export type Segment = Schemas["Segment"];
export type TimelineEvent = Schemas["TimelineEvent"];
export type TagCount = Schemas["TagCount"];
export type Import = Schemas["Import"];
export type ImportColumn = Schemas["ImportColumn"];
export type ImportMapping = Schemas["ImportMapping"];
export type ImportOptions = Schemas["ImportOptions"];
export type ImportPreview = Schemas["ImportPreview"];
export type ImportUndo = Schemas["ImportUndo"];
export type Campaign = Schemas["Campaign"];
export type CheckSample = Schemas["CheckSample"];
export type DraftInput = Schemas["DraftInput"];
export type DraftTrial = Schemas["DraftTrial"];
export type CampaignInput = Schemas["CampaignInput"];
export type CampaignLive = Schemas["CampaignLive"];
export type CampaignState = Campaign["state"];
export type Check = Schemas["Check"];
export type Course = Schemas["Course"];
export type Failure = Schemas["Failure"];
export type Chapter = Schemas["Chapter"];
export type Content = Schemas["Content"];
export type Counts = Schemas["Counts"];
export type Message = Schemas["Message"];
export type UncertainMessage = Schemas["UncertainMessage"];
export type Settling = Schemas["Settling"];
/** A recipient's state; "planned" is the one that has no message in the ledger yet. */
export type MessageState = keyof Counts;
export type LedgerState = Message["state"];
export type SyncedTemplate = Schemas["SyncedTemplate"];
export type TemplateSync = Schemas["TemplateSync"];
export type DashboardTraffic = Schemas["DashboardTraffic"];
export type TrafficShare = Schemas["TrafficShare"];
export type Concern = Schemas["Concern"];
export type Problem = Schemas["ErrorModel"];
