/** Whatever there is to say at once: every problem is named, in messages that people can be sent, the worst first. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type AlertText, composeMessages } from "../../src/execute/outbox.ts";
import { severities } from "../../src/types/problem.ts";
import { manualClock } from "./support.ts";

const words = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.constantFrom("trouble ".repeat(37), "😀".repeat(300), `token=${"s3cr3t".repeat(40)}`, ""),
);
const lines = fc
  .array(words, { minLength: 1, maxLength: 12 })
  .map((all) => all.map((line) => line.replace(/\s+/g, " ").slice(0, 600)).join("\n"));
const alertText = fc.record({
  type: fc.constant("service" as const),
  subject: fc.oneof(fc.constantFrom("web", "db"), words),
  severity: fc.constantFrom(...severities),
  recovery: fc.boolean(),
  text: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("web is down", "disk at 91 %\nWhat to do: clean") },
    lines,
  ),
  approvals: fc.option(fc.array(fc.constantFrom("a1b2", "c3d4"), { maxLength: 2 }), { nil: undefined }),
});

const rank = ({ recovery, severity }: Pick<AlertText, "recovery" | "severity">): number =>
  recovery ? severities.length : severities.indexOf(severity);

it("any set of alerts", () => {
  const now = manualClock().now();
  const host = fc.constantFrom("landmass", "h".repeat(300));
  const sizes = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 9, max: 150 }));
  const several = sizes.chain((size) => fc.array(alertText, { minLength: size, maxLength: size }));
  fc.assert(
    fc.property(host, several, (name, all) => {
      const alerts = all.map(
        (each, index): AlertText => ({
          ...each,
          problem: `service:${String(index).padStart(16, "0")}`,
        }),
      );
      const messages = composeMessages(name, alerts, now);
      const told = messages.flatMap(({ problems }) => problems);
      expect([...told].sort()).toEqual(alerts.map(({ problem }) => problem).sort());
      const byKey = new Map(alerts.map((alert) => [alert.problem, alert]));
      const ranks = told.map((key) => rank(byKey.get(key) ?? { recovery: false, severity: "info" }));
      expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
      for (const { text, problems, notes = [], severity } of messages) {
        expect(text.length).toBeLessThanOrEqual(3800);
        expect(notes.map(({ problem }) => problem)).toEqual(problems);
        let at = 0;
        // Each of them, and in that order.
        for (const key of problems) {
          const next = text.indexOf(`argus explain ${key}`, at);
          expect(next).toBeGreaterThanOrEqual(at);
          at = next;
        }
        const named = [...text.matchAll(/argus explain (service:\d{16})/g)].map(([, key]) => key);
        expect(named).toEqual(problems);
        const firing = notes.filter(({ state }) => state === "firing");
        expect(severity).toBe(
          severities.find((each) => firing.some((note) => note.severity === each)) ?? "info",
        );
        expect(text).not.toContain("s3cr3ts3cr3t");
      }
    }),
    { numRuns: 150 },
  );
}, 120_000);

it("thirty critical problems: the worst with its advice, every other one in a line", () => {
  const alerts = Array.from(
    { length: 30 },
    (_, index): AlertText => ({
      problem: `service:${String(index).padStart(16, "0")}`,
      type: "service",
      subject: `app-${index}`,
      severity: "critical",
      recovery: false,
      text: `app-${index} is failed (exit-code)\nWhat to do: Read journalctl -e -u app-${index}\n${"more of it ".repeat(10)}`,
    }),
  );
  const [message, ...others] = composeMessages("landmass", alerts, manualClock().now());
  expect(others).toEqual([]);
  expect(message?.text.split("\n")[0]).toBe("landmass: 30 critical");
  expect(message?.text).toContain(
    "CRITICAL app-0 is failed (exit-code)\nWhat to do: Read journalctl -e -u app-0\n",
  );
  expect(message?.text).toContain(
    "\nCRITICAL app-29 is failed (exit-code) — argus explain service:0000000000000029",
  );
});
