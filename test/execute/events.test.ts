/** What happened once is told once, and has no end. */
import { expect, it } from "vitest";
import { problemKey } from "../../src/system/problem-key.ts";
import { bench, manualClock, only, proposal } from "./support.ts";

const subject = "reboot of 2026-11-20T22:40:00Z";
const about = { problemType: "argus", subject, problem: problemKey("argus", subject, "unexpected-reboot") };
const reboot = (more: object = {}) => proposal("alert", { message: "not shut down", ...about, ...more });

it("a reboot that nobody asked for is told once, whatever the window is, and never as over", async () => {
  const clock = manualClock();
  const argus = bench({ system: { clock } });
  const say = async (more: object = {}) => only(await argus.run([reboot(more)]));
  expect((await say()).refusal).toBeNull();
  clock.advance(argus.policy.dedupWindowSeconds + 1);
  argus.restartArgus();
  expect(await say()).toMatchObject({ refusal: "duplicate", detail: "it is an event, and was told already" });
  expect(await say({ recovery: true, source: "self" })).toMatchObject({
    refusal: "duplicate",
    detail: "it is an event, which has no end to tell",
  });
  expect(argus.outbox()).toHaveLength(1);
});

it("the next one is told", async () => {
  const argus = bench();
  await argus.run([reboot()]);
  const next = "reboot of 2026-11-21T09:00:00Z";
  const more = { subject: next, problem: problemKey("argus", next, "unexpected-reboot") };
  expect(only(await argus.run([reboot(more)])).refusal).toBeNull();
});
