import { expect, test } from "vitest";
import { fieldPath } from "../../api/problem";
import { complaints, differences, draftField, emptyDraft, toCheck, toInput } from "./draft";

const now = new Date("2026-11-21T12:00:00Z");
const zone = "America/Sao_Paulo";
const good = { ...emptyDraft, name: " Spring ", connection_id: "c1", template_name: "promo", language: "en_US", parameters: ["{{first_name}}"] };

test.each([
  ["body.name", "name"],
  ["body.content.template.parameters[1]", "parameters.1"],
  ["content.template.parameters", "parameters.0"],
  ["content.template", "template_name"],
  ["body.content.text", "text"],
  ["body.audience.tag_ids[0]", "tag_ids"],
  ["body.audience.segment_id", "segment_id"],
  ["body.audience.filter", "filter"],
  ["body.version", null],
])("the API's %j belongs to %j", (location, field) => {
  expect(draftField(fieldPath(location))).toBe(field);
});

test("a template campaign to everyone, now", () => {
  expect(toInput(good, zone)).toEqual({
    name: "Spring",
    connection_id: "c1",
    content: { kind: "template", template: { name: "promo", language: "en_US", parameters: ["{{first_name}}"] } },
    audience: { all: true },
    starts_at: undefined,
    expires_at: undefined,
  });
});

test("a text campaign to tags carries no template", () => {
  const input = toInput({ ...good, kind: "text", text: "Hi", audience: "tags", tag_ids: ["t1"], segment_id: "s1" }, zone);
  expect(input.content).toEqual({ kind: "text", text: "Hi" });
  expect(input.audience).toEqual({ tag_ids: ["t1"] });
});

test("a start is a time in the company's zone, and not sent when the choice is now", () => {
  expect(toInput({ ...good, when: "at", starts_at: "2026-12-01T09:00" }, zone).starts_at).toBe("2026-12-01T12:00:00.000Z");
  expect(toInput({ ...good, when: "now", starts_at: "2026-12-01T09:00" }, zone).starts_at).toBeUndefined();
});

test("what is half written is checked as far as it can be", () => {
  expect(toCheck({ ...good, connection_id: null }, zone)).toBeNull();
  expect(toCheck({ ...good, audience: "segment" }, zone)).toBeNull();
  expect(toCheck({ ...good, template_name: "" }, zone)?.content).toEqual({ kind: "template" });
  expect(toCheck({ ...good, audience: "segment", segment_id: "s1" }, zone)?.audience).toEqual({ segment_id: "s1" });
});

test("an empty form names what is missing", () => {
  expect(Object.keys(complaints({ ...emptyDraft, audience: "tags", when: "at" }, now, zone)).sort()).toEqual(
    ["connection_id", "name", "starts_at", "tag_ids", "template_name"],
  );
  expect(complaints({ ...good, parameters: ["x", " "] }, now, zone)).toEqual({ "parameters.1": "missing" });
  expect(complaints(good, now, zone)).toEqual({});
});

test("instants must lie ahead and in order", () => {
  expect(complaints({ ...good, when: "at", starts_at: "2026-11-20T10:00" }, now, zone).starts_at).toBe("past");
  expect(complaints({ ...good, expires_at: "2026-11-20T10:00" }, now, zone).expires_at).toBe("past");
  expect(complaints({ ...good, when: "at", starts_at: "2026-11-24T10:00", expires_at: "2026-11-23T10:00" }, now, zone).expires_at).toBe("beforeStart");
});

test("two drafts differ by field", () => {
  expect(differences(good, { ...good, parameters: ["{{name}}"], when: "at" })).toEqual(["parameters", "when"]);
});
