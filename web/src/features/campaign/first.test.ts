import { expect, test } from "vitest";
import type { Connection, SyncedTemplate } from "../../api/types";
import { firstDraft } from "./first";

const connection = (id: string, over: Partial<Connection> = {}) => ({ id, state: "connected", ...over }) as Connection;
const template = (name: string, language: string, parameters: number, unfit = "") => ({ connection_id: "a", name, language, parameters, unfit }) as SyncedTemplate;

test("greets the newest import's people by name, in English where there is a choice", () => {
  const draft = firstDraft({
    connections: [connection("b", { disabled_at: "2026-11-01T00:00:00Z" }), connection("c", { state: "failing" }), connection("a")], importId: "i", name: "First",
    templates: [template("plain", "en", 0), template("two", "en", 2), template("hello", "pt_BR", 1), template("hello", "en_US", 1), template("pending", "en", 1, "not approved")],
  });
  expect(draft).toMatchObject({ name: "First", connection_id: "a", audience: "import", import_id: "i", template_name: "hello", language: "en_US", parameters: ["{{first_name|friend}}"] });
});

test("takes another language before more parameters, and one without parameters last", () => {
  const of = (...templates: SyncedTemplate[]) => firstDraft({ connections: [connection("a")], templates, importId: undefined, name: "x" });
  expect(of(template("two", "en", 2), template("hello", "id", 1)).template_name).toBe("hello");
  expect(of(template("plain", "en", 0), template("two", "en", 2))).toMatchObject({ template_name: "two", parameters: ["{{first_name|friend}}", ""] });
  expect(of(template("plain", "en", 0))).toMatchObject({ template_name: "plain", parameters: [] });
});

test("is for everyone without an import, and leaves open what there is none of", () => {
  expect(firstDraft({ connections: [], templates: [template("hello", "en", 1)], importId: undefined, name: "x" })).toMatchObject({ connection_id: null, template_name: "", audience: "all" });
});
