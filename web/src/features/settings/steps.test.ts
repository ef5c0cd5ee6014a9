import { expect, test } from "vitest";
import type { Setup } from "../../api/types";
import { nextStep, setupSteps, stepsBehind } from "./steps";

const setup = (...states: ("open" | "done" | "skipped")[]): Setup => ({ dismissed: false, steps: setupSteps.map((name, n) => ({ name, state: states[n] ?? "open" })) });

test("goes on with the first step that is neither done nor skipped", () => {
  expect(nextStep(setup())).toBe("company");
  expect(nextStep(setup("done", "skipped", "open", "done"))).toBe("import");
  expect(stepsBehind(setup("done", "skipped", "open", "done"))).toBe(3);
});

test("is through when none is left", () => {
  expect(nextStep(setup("done", "done", "skipped", "done", "done"))).toBeNull();
});
