import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, unwrap } from "../../api/client";
import type { Contact } from "../../api/types";

const most = 6;

const foundQuery = (search: string) => ({
  queryKey: ["contacts", "picker", search],
  queryFn: ({ signal }: { signal: AbortSignal }) => unwrap(api.GET("/api/v1/contacts", { params: { query: { q: search, limit: most } }, signal })),
});

/** What to call a contact. */
export const titleOf = (contact: Contact, fallback: string) => contact.name || contact.phone || fallback;

/** Finds a contact by name or number. */
export function ContactPicker({ label, error, without, onChoose, other }: {
  label: string; error?: ReactNode; without?: string; onChoose: (contact: Contact) => void;
  /** what else may be chosen for what is typed, such as a number that nobody has */
  other?: (typed: string) => ReactNode;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), 200);
  const found = useQuery({ ...foundQuery(search), enabled: search !== "" });
  const contacts = search === "" ? [] : found.data?.items.filter((one) => one.id !== without) ?? [];
  return (
    <div>
      <TextInput data-autofocus label={label} error={error} placeholder={t("picker.placeholder")} leftSection={<IconSearch size={15} />} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />
      <ul className="picker">
        {contacts.map((one) => (
          <li key={one.id}><button type="button" onClick={() => onChoose(one)}><span className="clip">{titleOf(one, t("contact.noName"))}</span> <span className="quiet num">{one.phone ?? t("contact.noPhone")}</span></button></li>
        ))}
        {other?.(search)}
        {search !== "" && found.isSuccess && contacts.length === 0 && other === undefined && <li className="quiet">{t("picker.none")}</li>}
      </ul>
    </div>
  );
}
