/** How a cycle came to be, as explain and status say it. */
import { expect, it } from "vitest";
import { triggerSentence } from "../../src/report/sentences.ts";
import type { TrailCycle } from "../../src/types/trail.ts";
import { healthy } from "./cycles.ts";

it.each<[TrailCycle["cycle"]["trigger"], string[] | undefined, string]>([
  ["schedule", undefined, "by schedule"],
  ["schedule", ["SIGUSR1"], "by schedule, just after SIGUSR1"],
  ["once", undefined, "by hand"],
  ["wake", ["web.service failed", "SIGUSR1"], "by an event: web.service failed, SIGUSR1"],
  // As cycles of earlier versions were recorded.
  ["wake", undefined, "by an event"],
])("%s, woken by %s", (trigger, reasons, sentence) => {
  const woken = reasons === undefined ? {} : { woken_by: reasons };
  expect(triggerSentence({ ...healthy.cycle, trigger, ...woken })).toBe(sentence);
});
