/**
 * A day of random trouble on a simulated host: every outage that is not healed within a minute has a message at its
 * beginning and one at its end, shorter ones are reported, and no message is untrue. Nothing of Argus is replaced: the
 * daemon, its executor, its channels run as ever. Only the far end is simulated: the clock, systemd at the end of the
 * bus, the journal, the disk and the servers. What is said is checked by check-day.mjs, which shares no code with Argus.
 *
 * ARGUS_CAMPAIGN_SEEDS=7,8 runs these days, and `any` one of its own; ARGUS_CAMPAIGN_HOURS=3 shorter ones.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { check, type DayLine, type DayResult, readDay, report } from "./check-day.mjs";
import { anySeed, simulateDay } from "./day/trouble.ts";

const seeds = (process.env["ARGUS_CAMPAIGN_SEEDS"] ?? "1,2")
  .split(",")
  .map((seed) => (seed === "any" ? anySeed() : Number(seed)));
const hours = Number(process.env["ARGUS_CAMPAIGN_HOURS"] ?? 24);

/** A day replaces some 40,000 files: on a disk that is half of its time. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

describe.each(seeds)("the day of seed %i", (seed) => {
  it("has a message for each beginning and each end, and none that is untrue", async () => {
    const root = mkdtempSync(join(memory, "argus-day-"));
    const began = performance.now();
    const { host, argus, events } = await simulateDay(root, seed, hours * 3_600_000);
    const [record, received] = readDay(host.recordFile, host.receivedFile);
    const result = check(record, received);
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(JSON.stringify({ seed, hours, events, cycles: argus.cycles(), seconds }));
    console.log(report(result));
    expect(argus.bugs()).toEqual([]);
    expect(argus.failed()).toBe(0);
    // The checker sees what is wrong with this very day.
    for (const lie of liesOf(received))
      expect(check(record, lie).violations.length).toBeGreaterThan(result.violations.length);
    expect(rulesOf(result)).toEqual({});
    rmSync(root, { recursive: true, force: true });
  });
});

/** The same messages, in each of which one thing is not true: trouble of a unit that rests, or nothing said at all. */
function liesOf(received: readonly DayLine[]): DayLine[][] {
  const text = JSON.stringify(received);
  const rename = (from: string) => JSON.parse(text.replaceAll(`"subject":"${from}"`, '"subject":"backup"'));
  return [rename("alpha"), rename("worker@1"), rename("shop"), []];
}

function rulesOf({ violations }: DayResult): Record<string, number> {
  const rules: Record<string, number> = {};
  for (const { rule } of violations) rules[rule] = (rules[rule] ?? 0) + 1;
  return rules;
}
