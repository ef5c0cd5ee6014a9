// Merge fields: {{field}} and {{field|default}} in a text.

export const builtinFields = ["first_name", "name", "phone", "zone"] as const;

export interface Literal {
  kind: "text";
  text: string;
}

export interface MergeField {
  kind: "field";
  name: string;
  /** what stands in for an empty value; null when none was given */
  fallback: string | null;
}

export type MergePart = Literal | MergeField;

const field = /\{\{\s*([\p{L}\p{N}_.-]+)\s*(?:\|([^{}]*))?\}\}/gu;

/** Splits a text into literals and fields, in order. Braces that form no field stay literal. */
export function parseMerge(text: string): MergePart[] {
  const parts: MergePart[] = [];
  let from = 0;
  for (const match of text.matchAll(field)) {
    if (match.index > from) parts.push({ kind: "text", text: text.slice(from, match.index) });
    parts.push({ kind: "field", name: match[1] ?? "", fallback: match[2] === undefined ? null : match[2].trim() });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ kind: "text", text: text.slice(from) });
  return parts;
}

/** Puts {{name}} in place of the selection. Returns the text and where the cursor goes. */
export function insertField(text: string, name: string, start: number, end: number): { text: string; cursor: number } {
  const token = `{{${name}}}`;
  return { text: text.slice(0, start) + token + text.slice(end), cursor: start + token.length };
}
