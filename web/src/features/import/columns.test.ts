import { expect, test } from "vitest";
import { attributeName } from "./columns";

test("a field's name is written as the server keeps it", () => {
  for (const [title, name] of Object.entries({ City: "city", " Last Name ": "last_name", "Endereço (casa)": "endereço_casa", "--": "", a__b: "a_b", já: "já", ["x".repeat(60)]: "x".repeat(40) })) {
    expect(attributeName(title)).toBe(name);
    expect(attributeName(name)).toBe(name);
  }
});
