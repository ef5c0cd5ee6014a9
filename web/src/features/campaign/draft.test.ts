import { expect, test } from "vitest";
import { fieldPath } from "../../api/problem";
import { complaints, draftField, emptyDraft, toInput } from "./draft";

const now = new Date("2026-11-21T12:00:00Z");
const good = { ...emptyDraft, name: " Spring ", connection_id: "c1", template_name: "promo", parameters: ["{{first_name}}"] };

test.each([
  ["body.name", "name"],
  ["body.content.template.parameters[1]", "parameters.1"],
  ["content.template.parameters", "parameters.0"],
  ["body.content.text", "text"],
  ["body.audience.tag_ids[0]", "tag_ids"],
  ["body.version", null],
])("the API's %j belongs to %j", (location, field) => {
  expect(draftField(fieldPath(location))).toBe(field);
});

test("a template campaign to everyone, now", () => {
  expect(toInput(good)).toEqual({
    name: "Spring",
    connection_id: "c1",
    content: { kind: "template", template: { name: "promo", language: "en_US", parameters: ["{{first_name}}"] } },
    audience: { all: true },
    starts_at: undefined,
    expires_at: undefined,
  });
});

test("a text campaign to tags carries no template", () => {
  const input = toInput({ ...good, kind: "text", text: "Hi", everyone: false, tag_ids: ["t1"] });
  expect(input.content).toEqual({ kind: "text", text: "Hi" });
  expect(input.audience).toEqual({ tag_ids: ["t1"] });
});

test("a start kept from an earlier choice is not sent when the choice is now", () => {
  expect(toInput({ ...good, when: "now", starts_at: "2026-12-01T10:00" }).starts_at).toBeUndefined();
});

test("an empty form names what is missing", () => {
  expect(Object.keys(complaints({ ...emptyDraft, everyone: false, when: "at" }, now)).sort()).toEqual(
    ["connection_id", "name", "starts_at", "tag_ids", "template_name"],
  );
  expect(complaints(good, now)).toEqual({});
});

test("instants must lie ahead and in order", () => {
  expect(complaints({ ...good, when: "at", starts_at: "2026-11-20T10:00" }, now).starts_at).toBe("past");
  expect(complaints({ ...good, expires_at: "2026-11-20T10:00" }, now).expires_at).toBe("past");
  expect(complaints({ ...good, when: "at", starts_at: "2026-11-24T10:00", expires_at: "2026-11-23T10:00" }, now).expires_at).toBe("beforeStart");
});
