import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";

export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/v1/health", { signal })),
});
