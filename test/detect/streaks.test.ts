import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detect } from "../../src/detect/detect.ts";
import { readStreaks, StreakFile, type Streaks, writeStreaks } from "../../src/detect/streaks.ts";
import type { Moment } from "../../src/types/moment.ts";
import { madeUpSecret } from "../system/made-up-secrets.ts";
import { at, factsOf, look, type RuleParts, rulesFrom } from "./support.ts";

const orphan = { fact: "process", path: "orphan", operator: "equal", value: true };
const held = (name: string, wanted: { cycles?: number; minutes?: number }): RuleParts => ({
  name,
  forEach: "process",
  conditions: { all: [orphan] },
  for: wanted,
  params: { subject: "{{process.name}}" },
});
const process = (pid: number, startTime: number, isOrphan: boolean | null) => ({
  pid,
  startTime,
  orphan: isOrphan,
  name: `p${pid}`,
});
const maxGapSeconds = 3600;

/** As Argus ends and starts again between two cycles. */
function throughTheFile(streaks: Streaks): Streaks {
  return readStreaks(StreakFile.parse(JSON.parse(JSON.stringify(writeStreaks(streaks)))));
}

describe("against a simple model", () => {
  /** What one look sees of each process: absent, or whether it is an orphan; null: that could not be read. */
  const sights = fc.record({
    "1@1": fc.constantFrom("absent", true, true, true, false, null),
    "1@2": fc.constantFrom("absent", "absent", true, true),
    "2@1": fc.constantFrom(true, true, true, true, null),
  });
  const steps = fc.record({
    seen: fc.oneof({ arbitrary: sights, weight: 9 }, { arbitrary: fc.constant(null), weight: 1 }),
    scheduled: fc.constantFrom(true, true, true, false),
    afterSeconds: fc.constantFrom(0, 60, 300, 300, 300, 300, 3600, 3601, 86_400),
    clockJumpMs: fc.constantFrom(0, 0, 0, -86_400_000, 31_536_000_000),
    reboot: fc.constantFrom("no", "no", "no", "no", "no", "no", "yes", "without a boot id"),
    restart: fc.boolean(),
  });

  const rules = rulesFrom(
    held("three-cycles", { cycles: 3 }),
    held("one-cycle", { cycles: 1 }),
    held("ten-minutes", { minutes: 10 }),
  );

  it("fires exactly when the conditions were seen to hold for long enough", async () => {
    let fired = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 12 }), async (looks) => {
        let streaks: Streaks = new Map();
        let now: Moment = at(0);
        const model = new Map<string, { cycles: number; since: number; last: number; boot: number }>();
        /** Of the rule that asks for minutes: those pass whoever looks. */
        const byTime = new Map<string, { since: number; last: number; boot: number }>();
        let boot = 0;
        let shortestUptime = now.uptimeSeconds;
        for (const { seen, scheduled, afterSeconds, clockJumpMs, reboot, restart } of looks) {
          if (reboot !== "no") boot += 1;
          // A boot without an id shows only by its uptime, which is always shorter than any of the boot before.
          const uptimeOfNewBoot = reboot === "yes" ? 50_000 : Math.floor(shortestUptime / 2);
          const uptimeSeconds = reboot === "no" ? now.uptimeSeconds + afterSeconds : uptimeOfNewBoot;
          shortestUptime = reboot === "yes" ? uptimeSeconds : Math.min(shortestUptime, uptimeSeconds);
          const bootId = reboot === "yes" ? `boot-${boot + 1}` : now.bootId;
          now = { wallMs: now.wallMs + afterSeconds * 1000 + clockJumpMs, uptimeSeconds, bootId };
          if (restart) streaks = throughTheFile(streaks);
          const entries = Object.entries(seen ?? {}).filter(([, sight]) => sight !== "absent");
          const list = entries.map(([identity, sight]) => {
            const [pid, startTime] = identity.split("@").map(Number);
            return process(pid ?? 0, startTime ?? 0, sight as boolean | null);
          });
          const output = await detect({
            rules,
            facts: factsOf(seen === null ? {} : { process: list }),
            streaks,
            problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }),
            now,
            scheduled,
            maxGapSeconds,
          });
          streaks = output.streaks;

          const expected: string[] = [];
          for (const identity of ["1@1", "1@2", "2@1"] as const) {
            const sight = seen === null ? null : seen[identity];
            const known = model.get(identity);
            const goesOn =
              known !== undefined && known.boot === boot && now.uptimeSeconds - known.last <= maxGapSeconds;
            const timed = byTime.get(identity);
            const timedGoesOn =
              timed !== undefined && timed.boot === boot && now.uptimeSeconds - timed.last <= maxGapSeconds;
            if (sight === false || sight === "absent" || !goesOn) model.delete(identity);
            if (sight === false || sight === "absent" || !timedGoesOn) byTime.delete(identity);
            if (sight !== true) continue;
            const begun = byTime.get(identity)?.since ?? now.uptimeSeconds;
            byTime.set(identity, { since: begun, last: now.uptimeSeconds, boot });
            const streak = model.get(identity) ?? {
              cycles: 0,
              since: now.uptimeSeconds,
              last: now.uptimeSeconds,
              boot,
            };
            if (scheduled)
              model.set(identity, { ...streak, cycles: streak.cycles + 1, last: now.uptimeSeconds });
            const cycles = model.get(identity)?.cycles ?? 0;
            expected.push(`one-cycle ${identity}`);
            if (cycles >= 3) expected.push(`three-cycles ${identity}`);
            if (now.uptimeSeconds - begun >= 600) expected.push(`ten-minutes ${identity}`);
          }
          const found = output.findings.map(({ rule, entity }) => `${rule} ${entity?.identity}`);
          expect(found.sort()).toEqual(expected.sort());
          fired += found.filter((each) => !each.startsWith("one-cycle")).length;
        }
      }),
      { numRuns: 400 },
    );
    expect(fired).toBeGreaterThan(100);
  });
});

describe("a streak", () => {
  const rules = rulesFrom(held("three-cycles", { cycles: 3 }));
  const orphans = { process: [process(7, 1, true)] };

  /** Looks five minutes apart, the last one's output. */
  async function after(
    ...looks: ({ facts?: object; scheduled?: boolean; seconds?: number; bootId?: string } | undefined)[]
  ) {
    let streaks: Streaks = new Map();
    let output = await look(rules, {}, { streaks });
    for (const [index, each] of looks.entries()) {
      const now = at(each?.seconds ?? index * 300, each?.bootId);
      output = await look(rules, each?.facts ?? orphans, {
        streaks,
        now,
        scheduled: each?.scheduled ?? true,
      });
      streaks = output.streaks;
    }
    return output;
  }

  it("is over at the third scheduled cycle, and says how long it was", async () => {
    const second = await after({}, {});
    expect(second.findings).toEqual([]);
    expect(second.verdicts[0]).toMatchObject({ verdict: "quiet", waiting: 1 });
    const third = await after({}, {}, {});
    expect(third.findings[0]?.held).toEqual({ cycles: 3, seconds: 600, wanted: "3 cycles" });
    expect(third.waitingKeys).toEqual(new Set());
  });

  it("names the problem that waits, so that nobody takes it for gone", async () => {
    const waiting = await after({}, {});
    const fired = await after({}, {}, {});
    expect(waiting.waitingKeys).toEqual(new Set([fired.findings[0]?.key]));
  });

  it("is not advanced by a wake-up, however many there are", async () => {
    const wakeUps = Array.from({ length: 20 }, () => ({ scheduled: false }));
    expect((await after({}, ...wakeUps, {})).findings).toEqual([]);
  });

  it("ends when a wake-up sees that the conditions do not hold", async () => {
    const healthy = { facts: { process: [process(7, 1, false)] }, scheduled: false };
    expect((await after({}, {}, healthy, {})).findings).toEqual([]);
  });

  it("of before a pause of Argus counts for nothing, not even in a wake-up", async () => {
    const late = { seconds: 600 + maxGapSeconds + 1 };
    expect((await after({}, {}, {}, late)).findings).toEqual([]);
    expect((await after({}, {}, {}, { ...late, scheduled: false })).findings).toEqual([]);
  });

  it("does not pass to a process that took over the pid", async () => {
    const successor = { facts: { process: [process(7, 2, true)] } };
    expect((await after({}, {}, successor)).findings).toEqual([]);
  });

  it("does not pass to a process of the same pid and start time in another boot", async () => {
    expect((await after({}, {}, { bootId: "boot-2" })).findings).toEqual([]);
  });

  it("does not pass to other conditions under the same name", async () => {
    const edited = rulesFrom({ ...held("three-cycles", { cycles: 3 }), conditions: { any: [orphan] } });
    const { streaks } = await after({}, {});
    expect((await look(edited, orphans, { streaks, now: at(600) })).findings).toEqual([]);
    const reworded = rulesFrom({
      ...held("three-cycles", { cycles: 3 }),
      params: { summary: "other words", severity: "critical" },
    });
    expect((await look(reworded, orphans, { streaks, now: at(600) })).findings).toHaveLength(1);
  });

  it("survives a look that could not see anything, without getting longer", async () => {
    expect((await after({}, {}, { facts: {} })).findings).toEqual([]);
    expect((await after({}, {}, { facts: {} }, {})).findings[0]?.held?.cycles).toBe(3);
  });

  it("is bounded: what is too much to remember is said, and rules of low priority lose theirs first", async () => {
    const many = rulesFrom(
      { ...held("low", { cycles: 2 }) },
      { ...held("high", { cycles: 2 }), priority: 9 },
    );
    const crowd = Array.from({ length: 15_000 }, (_, index) => process(index + 1, 1, true));
    const { streaks, notes } = await look(many, { process: crowd });
    expect(notes).toEqual([
      '30000 entities wait until their rules\' "for" is over; only 20000 can be remembered',
    ]);
    const kept = Object.keys(writeStreaks(streaks).streaks);
    expect([kept.length, kept.filter((key) => key.startsWith("high#")).length]).toEqual([20_000, 15_000]);
  });
});

it("of two sessions whose names differ in a secret alone are two, and hold none of it on disk", async () => {
  const rules = rulesFrom({
    forEach: "session",
    conditions: { all: [{ fact: "session", path: "idleSeconds", operator: "greaterThan", value: 10 }] },
    for: { cycles: 3 },
    params: { subject: "{{session.name}}" },
  });
  const names = [1, 2].map((seed) => `run-${madeUpSecret("github", seed)}`);
  const session = names.map((name) => ({ name, socket: "/tmp/s", idleSeconds: 99 }));
  const { streaks } = await look(rules, { session });
  const keys = [...streaks.keys()];
  expect(keys).toHaveLength(2);
  for (const name of names) expect(keys.join(" ")).not.toContain(name.slice(-12));
});
