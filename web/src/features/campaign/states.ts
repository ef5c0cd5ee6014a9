import type { Campaign, CampaignState } from "../../api/types";

/** Every state of a campaign, in the order of a filter. */
export const campaignStates = ["draft", "scheduled", "starting", "running", "paused", "finished", "canceled"] as const satisfies readonly CampaignState[];

/** What can be done to a campaign in a state; the server decides in the end. */
export const canPause = (c: Campaign) => c.state === "running";
export const canResume = (c: Campaign) => c.state === "paused";
export const canCancel = (c: Campaign) => ["starting", "scheduled", "running", "paused"].includes(c.state);
export const isMoving = (c: Campaign) => c.state === "starting" || c.state === "running";
