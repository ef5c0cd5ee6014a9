import { Alert, Button, Group, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, fieldComplaints } from "../../api/problem";
import type { Segment } from "../../api/types";
import { describeError, toastDone } from "../../components/errors";
import { ConfirmButton } from "../../components/small";
import { formatCount } from "../../lib/format";
import { mistakeIn } from "./choice";
import { FilterHelp, FilterInput } from "./filter-input";
import { changeSegment, createSegment, deleteSegment, filterSampleQuery, segmentsQuery, useContactCount } from "./queries";

/** A segment being written: its size and some of its contacts follow as one types. */
export function SegmentEditor({ segment, initial = "", onSaved, onDeleted }: {
  segment: Segment | undefined;
  /** the filter of a new one */
  initial?: string; onSaved: (saved: Segment) => void; onDeleted: () => void;
}) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState(segment?.name ?? "");
  const [filter, setFilter] = useState(segment?.filter ?? initial);
  const [version, setVersion] = useState(segment?.version ?? 0);
  const [tried, setTried] = useState(false);
  const again = () => void queries.invalidateQueries({ queryKey: segmentsQuery.queryKey });
  const save = useMutation({
    mutationFn: (over: number) => (segment === undefined ? createSegment({ name: name.trim(), filter }) : changeSegment(segment.id, { version: over, name: name.trim(), filter })),
    onSuccess: (saved) => { setVersion(saved.version); again(); toastDone(t("segment.didSave")); onSaved(saved); },
  });
  const remove = useMutation({ mutationFn: () => deleteSegment(segment?.id ?? ""), onSuccess: () => { again(); toastDone(t("segment.didDelete")); onDeleted(); } });

  const [asked] = useDebouncedValue(filter, 250);
  const live = filter.trim() !== "";
  const size = useContactCount({ filter: asked }, asked.trim() !== "");
  const sample = useQuery({ ...filterSampleQuery(asked), enabled: size.isSuccess && asked.trim() !== "" });
  const mistake = live ? mistakeIn(size.error) ?? (save.isError && save.variables === version ? mistakeIn(save.error) : null) : null;
  const nameSaid = fieldComplaints(save.error).find((c) => c.field === "name")?.message ?? (tried && name.trim() === "" ? t("form.missing") : undefined);
  const stale = save.error instanceof ApiError && save.error.status === 409;
  const loose = save.isError && !stale && mistakeIn(save.error) === null && nameSaid === undefined;
  const submit = () => { setTried(true); if (name.trim() !== "" && live) save.mutate(version); };
  const overwrite = async () => {
    const { items } = await queries.fetchQuery({ ...segmentsQuery, staleTime: 0 });
    const theirs = items.find((s) => s.id === segment?.id);
    if (theirs !== undefined) save.mutate(theirs.version);
  };

  return (
    <form noValidate onSubmit={(e) => { e.preventDefault(); submit(); }} onKeyDown={(e) => { if (e.key === "Enter" && (e.metaKey || e.ctrlKey)) submit(); }}>
      <Stack gap="md">
        {stale && (
          <Alert color="yellow" variant="light" role="alert" title={t("contact.staleTitle")}>
            {t("segment.stale")}
            <Group gap="xs" mt="xs"><Button size="xs" variant="default" onClick={() => void overwrite()}>{t("contact.keepMine")}</Button></Group>
          </Alert>
        )}
        {loose && <Alert color="red" variant="light" role="alert">{describeError(save.error, t)}</Alert>}
        {remove.isError && <Alert color="red" variant="light" role="alert">{describeError(remove.error, t)}</Alert>}
        <TextInput label={t("segment.name")} value={name} maxLength={200} error={nameSaid} onChange={(e) => setName(e.currentTarget.value)} data-autofocus />
        <FilterInput value={filter} mistake={tried && !live ? { at: 0, end: 0, message: t("segment.needsFilter") } : mistake} onChange={setFilter} />
        {live && mistake === null && size.data !== undefined && (
          <section aria-label={t("segment.who")}>
            <div role="status" style={{ marginBottom: 6 }}>
              <strong className="num">{size.data.atLeast ? t("segment.moreThan", { n: formatCount(size.data.count) }) : t("segment.size", { n: formatCount(size.data.count), count: size.data.count })}</strong>
            </div>
            <ul className="sample">
              {(sample.data ?? []).map((c) => (
                <li key={c.id}><Link className="plain under clip" to="/contacts/$id" params={{ id: c.id }}>{c.name || t("contact.noName")}</Link><span className="quiet num">{c.phone ?? "–"}</span></li>
              ))}
            </ul>
            {size.data.count === 0 && <p className="quiet" style={{ margin: 0 }}>{t("segment.nobody")}</p>}
          </section>
        )}
        <Group gap="xs">
          <Button type="submit" loading={save.isPending}>{segment === undefined ? t("segment.create") : t("common.save")}</Button>
          {segment !== undefined && <Button renderRoot={(props) => <Link {...props} to="/contacts" search={{ segment: segment.id }} />} variant="default">{t("segment.see")}</Button>}
          <span className="spacer" />
          {segment !== undefined && (
            <ConfirmButton label={t("segment.delete")} question={t("segment.deleteAsk", { name: segment.name })} confirm={t("segment.delete")} icon={<IconTrash size={15} />} loading={remove.isPending} onConfirm={() => remove.mutate()} />
          )}
        </Group>
        <FilterHelp onExample={(example) => setFilter((was) => (was.trim() === "" ? example : `${was.trimEnd()} and ${example.includes(" or ") ? `(${example})` : example}`))} />
      </Stack>
    </form>
  );
}
