import { useQuery } from "@tanstack/react-query";
import type { Me } from "../../api/types";
import { meQuery } from "./queries";

/** Users read and answer; whatever else changes something is for those who run the company. The server decides, pages only follow. */
export const runsCompany = (me: Me | null | undefined) => me != null && me.user.role !== "user";

export function useRunsCompany(): boolean {
  return runsCompany(useQuery(meQuery).data);
}

const ofUsers = /^\/((inbox|contacts|templates|connections)(\/[0-9a-f-]{36})?|connections\/[0-9a-f-]{36}\/messages|(settings\/)?notifications)\/?$/;

/** The pages inside a company that a user has something to see on. */
export const isForUsers = (path: string) => ofUsers.test(path);
