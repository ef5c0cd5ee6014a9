import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Notice } from "../../api/types";
import { toastError } from "../../components/errors";
import { readNotices } from "./queries";

/** Marks as read what one has seen, which is all up to the newest of a list. */
export function ReadAll({ items }: { items: Notice[] }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const read = useMutation({ mutationFn: readNotices, onError: (error) => toastError(error, t), onSettled: () => void queries.invalidateQueries({ queryKey: ["notices"] }) });
  const newest = items[0];
  if (newest === undefined || items.every((one) => one.read)) return null;
  return <Button variant="subtle" size="compact-xs" loading={read.isPending} onClick={() => read.mutate(newest.id)}>{t("notices.readAll")}</Button>;
}
