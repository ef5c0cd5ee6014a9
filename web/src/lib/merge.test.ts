import { expect, test } from "vitest";
import { insertField, parseMerge } from "./merge";

test("text and fields come out in order", () => {
  expect(parseMerge("Hi {{first_name|friend}}, {{ city }}!")).toEqual([
    { kind: "text", text: "Hi " },
    { kind: "field", name: "first_name", fallback: "friend" },
    { kind: "text", text: ", " },
    { kind: "field", name: "city", fallback: null },
    { kind: "text", text: "!" },
  ]);
});

test("an empty default is a default", () => {
  expect(parseMerge("{{a|}}")).toEqual([{ kind: "field", name: "a", fallback: "" }]);
});

test.each(["{{}}", "{first_name}", "{{two words}}", "{{open", "{{a|b{c}}"])("%j is no field", (text) => {
  expect(parseMerge(text)).toEqual([{ kind: "text", text }]);
});

test("a field replaces the selection and the cursor follows it", () => {
  expect(insertField("Hi NAME!", "first_name", 3, 7)).toEqual({ text: "Hi {{first_name}}!", cursor: 17 });
});
