import { notifications } from "@mantine/notifications";
import type { TFunction } from "i18next";
import { ApiError, fieldComplaints } from "../api/problem";

/** An error in words that say what to do. */
export function describeError(error: unknown, t: TFunction): string {
  if (!(error instanceof ApiError)) return t("error.unexpected");
  const complaints = fieldComplaints(error).map((c) => (c.field === "" ? c.message : `${c.field}: ${c.message}`));
  const said = [error.message, ...complaints].filter((text) => text !== "").join(" · ");
  switch (error.status) {
    case 0:
      return t("error.offline");
    case 404:
      return t("error.gone");
    case 409:
      return said === "" ? t("error.conflict") : said;
    case 429:
      return said === "" ? t("error.tooMany") : said;
    case 500:
    case 502:
    case 503:
    case 504:
      return said === "" ? t("error.server") : t("error.serverSaid", { said });
    default:
      return said === "" ? t("error.unexpected") : said;
  }
}

export function toastError(error: unknown, t: TFunction) {
  notifications.show({ color: "red", title: t("error.title"), message: describeError(error, t), autoClose: 8_000 });
}

export function toastDone(message: string) {
  notifications.show({ message, autoClose: 3_500 });
}
