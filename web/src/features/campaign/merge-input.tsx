import { Group, Textarea, TextInput } from "@mantine/core";
import { type ChangeEvent, type FocusEventHandler, type ReactNode, useRef } from "react";
import { useTranslation } from "react-i18next";
import { MergeText } from "../../components/merge-text";
import { insertField, parseMerge } from "../../lib/merge";

interface Props {
  label: string;
  description?: string;
  multiline?: boolean;
  fields: string[];
  value?: string;
  error?: ReactNode;
  onChange?: (value: string) => void;
  onFocus?: FocusEventHandler;
  onBlur?: FocusEventHandler;
}

/** A text input with chips that put merge fields at the cursor, and a reading of what was typed. */
export function MergeInput({ label, description, multiline = false, fields, value = "", error, onChange, onFocus, onBlur }: Props) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);

  function insert(name: string) {
    const at = input.current;
    const { text, cursor } = insertField(value, name, at?.selectionStart ?? value.length, at?.selectionEnd ?? value.length);
    onChange?.(text);
    requestAnimationFrame(() => {
      at?.focus();
      at?.setSelectionRange(cursor, cursor);
    });
  }

  const shared = {
    ref: input, label, description, value, error, onFocus, onBlur,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => onChange?.(event.currentTarget.value),
  };
  const hasFields = parseMerge(value).some((part) => part.kind === "field");
  return (
    <div>
      {multiline ? <Textarea autosize minRows={4} maxRows={14} {...shared} /> : <TextInput {...shared} />}
      <Group gap={4} mt={6} role="group" aria-label={t("merge.insert")}>
        {fields.map((name) => (
          <button key={name} type="button" className="token" onClick={() => insert(name)} aria-label={t("merge.insertOne", { field: name })}>{name}</button>
        ))}
      </Group>
      {hasFields && <div className="quiet" style={{ marginTop: 6 }}>{t("merge.reads")} <MergeText text={value} known={fields} /></div>}
    </div>
  );
}
