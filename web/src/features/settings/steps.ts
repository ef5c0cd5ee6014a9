import type { Setup, SetupStep } from "../../api/types";

export const setupSteps = ["company", "connect", "import", "test", "campaign"] as const satisfies readonly SetupStep[];

/** The step to go on with: the first that is neither done nor skipped; null when none is left. */
export function nextStep(setup: Setup): SetupStep | null {
  return setup.steps.find((step) => step.state === "open")?.name ?? null;
}

/** How many steps need nothing more. */
export function stepsBehind(setup: Setup): number {
  return setup.steps.filter((step) => step.state !== "open").length;
}
