/** Argus itself: what the caller knows about its earlier cycles, so that rules can speak about it too. */

import type { Self } from "../types/facts.ts";
import { took } from "../types/quantities.ts";
import type { Collect } from "./collector.ts";
import { count } from "./words.ts";

export function createSelfCollector(): Collect {
  return async ({ self }) => ({ facts: { self }, detail: sentence(self) });
}

function sentence(self: Self): string {
  const parts = [self.cycles === 0 ? "the first cycle here" : `${count(self.cycles, "cycle")} so far`];
  if (self.lastDurationMilliseconds !== null)
    parts.push(`the last took ${took(self.lastDurationMilliseconds)}`);
  if (self.interrupted) parts.push("the one before was cut off");
  if (self.failuresInARow > 0) parts.push(`${count(self.failuresInARow, "failure")} in a row`);
  if (!self.settingsInForce) parts.push("the settings have an error");
  if (self.brokenRuleFiles > 0) parts.push(`${count(self.brokenRuleFiles, "rule file")} with an error`);
  return parts.join(", ");
}
