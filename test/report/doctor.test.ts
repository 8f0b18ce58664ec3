/** What doctor says about whoever looks at the machine. */
import { expect, it } from "vitest";
import { livenessCheck } from "../../src/report/doctor.ts";

const daemon = { intervalSeconds: 300, timer: false };
const fine = {
  known: true,
  holder: { pid: 42, what: "argus run" },
  lastCycleSeconds: 12,
  failuresInARow: 0,
  lastError: null,
};

it.each([
  ["a daemon at work", fine, daemon, "ok", "runs as pid 42; the last cycle was 12 s ago"],
  [
    "a timer between two cycles",
    { ...fine, holder: null },
    { ...daemon, timer: true },
    "ok",
    "argus-once.timer starts the cycles; the last cycle was 12 s ago",
  ],
  [
    "nobody",
    { ...fine, holder: null, lastCycleSeconds: 7200 },
    daemon,
    "broken",
    "nobody looks at this machine; the last cycle was 2 h ago",
  ],
  [
    "a daemon whose cycles fail",
    { ...fine, failuresInARow: 3, lastError: "the disk is full" },
    daemon,
    "broken",
    "3 cycles in a row failed: the disk is full",
  ],
  [
    "a daemon that hangs",
    { ...fine, lastCycleSeconds: 661 },
    daemon,
    "broken",
    "the last cycle was 11 min 1 s ago, and there should be one every 5 min",
  ],
  [
    "a daemon that skipped one cycle",
    { ...fine, lastCycleSeconds: 650 },
    daemon,
    "ok",
    "runs as pid 42; the last cycle was 10 min 50 s ago",
  ],
  ["an ordinary user", { ...fine, known: false }, daemon, "limited", "this user may not look into its state"],
] as const)("%s", (_, looking, mode, state, detail) => {
  const check = livenessCheck(looking, mode);
  expect(check).toMatchObject({ state, detail });
  expect(check.mend === null).toBe(state === "ok");
});
