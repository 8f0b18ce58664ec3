/** When a problem counts as resolved: gone, and gone for the settle time without a doubt in between. */
import { expect, it } from "vitest";
import type { Gone } from "../../src/record/resolvable.ts";
import { createSettling } from "../../src/record/settling.ts";
import type { Moment } from "../../src/types/moment.ts";

const at = (seconds: number, bootId = "b"): Moment => ({
  wallMs: Date.UTC(2026, 10, 21, 8) + seconds * 1000,
  uptimeSeconds: 5000 + seconds,
  bootId,
});
const gone = (key: string, because: Gone["because"] = "not_found"): Gone => ({ key, because });
const a = gone("service:000000000000000a");
const b = gone("service:000000000000000b");

it("is over when it stayed gone for the settle time, since the look that found it gone", () => {
  const settling = createSettling(3);
  expect(settling.look([a], at(0))).toEqual([]);
  expect(settling.dueInSeconds(at(1))).toBe(2);
  expect(settling.look([a], at(2))).toEqual([]);
  expect(settling.look([a], at(3))).toEqual([{ ...a, goneAt: "2026-11-21T08:00:00Z" }]);
  expect(settling.dueInSeconds(at(3))).toBeNull();
});

it("begins anew when it is there again, or when nobody can tell", () => {
  const settling = createSettling(3);
  settling.look([a], at(0));
  settling.look([], at(1));
  expect(settling.look([a], at(4))).toEqual([]);
  expect(settling.look([a], at(7))).toHaveLength(1);
});

it("counts what a remedy has watched for itself", () => {
  const settling = createSettling(3);
  const watched = new Map([[a.key, 3]]);
  expect(settling.look([a, b], at(10), watched)).toEqual([{ ...a, goneAt: "2026-11-21T08:00:07Z" }]);
  expect(settling.dueInSeconds(at(10))).toBe(3);
});

it("waits for nothing where nobody says that it is well", () => {
  const settling = createSettling(3);
  const stopped = gone(a.key, "stopped");
  expect(settling.look([stopped], at(0))).toEqual([{ ...stopped, goneAt: "2026-11-21T08:00:00Z" }]);
});

it("a second look settles only what the first one found", () => {
  const settling = createSettling(3);
  settling.look([a], at(0));
  expect(settling.lookAgain([a, b], at(3))).toEqual([{ ...a, goneAt: "2026-11-21T08:00:00Z" }]);
  expect(settling.dueInSeconds(at(3))).toBeNull();
});
