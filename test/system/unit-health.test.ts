/** Whether a unit that should be up is, and what its nature is, from what systemd and the journal say of it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUnits } from "../../src/system/systemd.ts";
import { causes, type Health, healthOf, natureOf, statuses } from "../../src/system/unit-health.ts";
import { unitNameFault } from "../../src/system/unit-name.ts";
import type { UnitState } from "../../src/system/unit-state.ts";
import type { StopCause } from "../../src/system/unit-stop.ts";
import { spanOf } from "../../src/system/unit-text.ts";

const unit = (properties: Record<string, string> = {}): UnitState => {
  const all = { Id: "x.service", Names: "x.service", LoadState: "loaded", Type: "simple", ...properties };
  const [parsed] = parseUnits(
    Object.entries(all)
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
  );
  return parsed ?? expect.fail();
};
const cause = (by: StopCause["by"], more: Partial<StopCause> = {}): StopCause => ({
  by,
  unit: null,
  byConflict: false,
  ran: true,
  failed: null,
  ...more,
});
const dead = { ActiveState: "inactive", SubState: "dead", InactiveEnterTimestampMonotonic: "7" };
const failed = { ActiveState: "failed", SubState: "failed", InactiveEnterTimestampMonotonic: "7" };
const judge = (
  properties: Record<string, string>,
  given: Partial<{ cause: StopCause; triggers: UnitState[]; since: number; triggersStopped: boolean }> = {},
): Health =>
  healthOf({
    unit: unit(properties),
    triggers: given.triggers ?? [],
    cause: given.cause ?? null,
    triggersStopped: given.triggersStopped ?? false,
    sinceSeconds: given.since ?? null,
  });

describe("a unit that is not up", () => {
  it.each<[string, Record<string, string>, StopCause, Health["because"]]>([
    ["crashed", failed, cause("nobody"), "crashed"],
    ["crashed, and is disabled", { ...failed, UnitFileState: "disabled" }, cause("nobody"), "crashed"],
    ["crashed, and the journal is silent", failed, cause(null), "crashed"],
    ["ended by itself", dead, cause("nobody"), "ended"],
    ["ended cleanly, and the journal is silent", dead, cause(null), "unknown"],
    ["went down with its database", dead, cause("dependency", { unit: "db.service" }), "dependency"],
    [
      "was taken down by a conflict",
      dead,
      cause("dependency", { unit: "b.service", byConflict: true }),
      "conflict",
    ],
    ["had itself stopped", dead, cause("itself"), "own-stop"],
    ["never ran", { ActiveState: "inactive" }, cause("nobody", { ran: false }), "never-started"],
    [
      "never ran, says systemd alone",
      { ActiveState: "inactive", UnitFileState: "enabled" },
      cause(null),
      "never-started",
    ],
    ["has a broken file", { ...failed, LoadState: "bad-setting" }, cause("nobody"), "not-loadable"],
    ["has no file any more", { ...failed, LoadState: "not-found" }, cause("nobody"), "removed"],
    [
      "is a oneshot whose last run failed",
      { ...failed, Type: "oneshot" },
      cause("nobody"),
      "last-run-failed",
    ],
  ])("is down: %s", (_, properties, who, because) => {
    expect(judge(properties, { cause: who })).toMatchObject({ status: "down", down: true, because });
  });

  it.each<[string, Record<string, string>, StopCause | null, Health["status"]]>([
    ["a person stopped it", dead, cause("person"), "stopped"],
    ["a person stopped it, and it ended badly", failed, cause("person"), "stopped"],
    ["it is masked", { ...dead, LoadState: "masked" }, null, "masked"],
    ["it was never here", { LoadState: "not-found", ActiveState: "inactive" }, null, "not-installed"],
    ["it is a oneshot between runs", { ...dead, Type: "oneshot" }, null, "waiting"],
    [
      "a condition is not met",
      { ActiveState: "inactive", ConditionTimestampMonotonic: "5", ConditionResult: "no" },
      null,
      "waiting",
    ],
    ["ExecCondition= said no", { ...dead, Result: "exec-condition" }, null, "waiting"],
    ["the bus starts it", { ...dead, BusName: "org.x", UnitFileState: "static" }, null, "waiting"],
    ["its job waits, as at boot", { ActiveState: "inactive", Job: "12" }, null, "starting"],
  ])("is not down when %s", (_, properties, who, status) => {
    const health = judge(properties, who === null ? {} : { cause: who });
    expect(health).toMatchObject({ status, down: false, because: null });
  });

  it("does not take a condition that nobody looked at for one that is not met", () => {
    expect(judge({ ...dead, ConditionResult: "no" }, { cause: cause("nobody") }).because).toBe("ended");
  });
});

describe("what something else starts", () => {
  const timer = (active: string, more = {}) =>
    unit({ Id: "x.timer", Names: "x.timer", ActiveState: active, UnitFileState: "enabled", ...more });
  const triggered = { ...dead, TriggeredBy: "x.timer" };

  it("rests while its trigger is active", () => {
    expect(judge(triggered, { triggers: [timer("active")] })).toMatchObject({
      status: "waiting",
      nature: "triggered",
    });
  });
  it.each(["inactive", "failed"])("is down when that is %s", (active) => {
    expect(judge(triggered, { triggers: [timer(active)] })).toMatchObject({
      down: true,
      because: "trigger-dead",
    });
  });
  it("is stopped when a person stopped that", () => {
    expect(judge(triggered, { triggers: [timer("inactive")], triggersStopped: true }).status).toBe("stopped");
  });
  it("is down when its last run failed", () => {
    const triggers = [timer("active")];
    const job = { ...failed, TriggeredBy: "x.timer" };
    expect(judge(job, { triggers, cause: cause("nobody") }).because).toBe("last-run-failed");
    // What a socket starts runs until it is stopped: to start it again is no run of a job.
    const socket = [timer("active", { Id: "x.socket", Names: "x.socket" })];
    const server = { ...failed, TriggeredBy: "x.socket" };
    expect(judge(server, { triggers: socket, cause: cause("nobody") }).because).toBe("crashed");
  });
  it("is a continuous service when nobody uses the trigger, as with Debian's ssh.socket", () => {
    const unused = timer("inactive", { Id: "x.socket", Names: "x.socket", UnitFileState: "disabled" });
    expect(natureOf(unit({ ...dead, TriggeredBy: "x.socket" }), [unused])).toBe("continuous");
  });
});

describe("a unit on its way", () => {
  const starting = { ActiveState: "activating", SubState: "start" };
  it.each<[string, Record<string, string>, number]>([
    ["starts for ever", { ...starting, TimeoutStartUSec: "infinity" }, 600],
    ["starts, with a limit of its own", { ...starting, TimeoutStartUSec: "15min" }, 900],
    ["waits for its next automatic start", { ActiveState: "activating", SubState: "auto-restart" }, 60],
    ["stops for ever", { ActiveState: "deactivating", TimeoutStopUSec: "infinity" }, 600],
    ["stops, with a limit of its own", { ActiveState: "deactivating", TimeoutStopUSec: "1min 30s" }, 90],
    ["reloads for ever", { ActiveState: "reloading", TimeoutStartUSec: "infinity" }, 600],
    ["waits with a job", { ActiveState: "inactive", Job: "3" }, 600],
  ])("is stuck once its limit is over: %s", (_, properties, limit) => {
    expect(judge(properties, { since: limit })).toMatchObject({ down: false });
    expect(judge(properties, { since: limit + 1 })).toMatchObject({
      status: "stuck",
      down: true,
      because: "stuck",
      stuckAfterSeconds: limit,
    });
  });
  it("is no trouble when it is a job at work", () => {
    const backup = { ...starting, Type: "oneshot", TimeoutStartUSec: "infinity" };
    expect(judge(backup, { since: 7200 })).toMatchObject({ status: "starting", down: false });
  });
});

describe("whatever systemd says", () => {
  const word = (...words: string[]) => fc.constantFrom(...words);
  const anyUnit = fc
    .record({
      LoadState: word("loaded", "not-found", "masked", "bad-setting", "error", ""),
      ActiveState: word(
        "active",
        "inactive",
        "failed",
        "activating",
        "deactivating",
        "reloading",
        "maintenance",
      ),
      Type: word("", "simple", "oneshot", "notify"),
      UnitFileState: word("enabled", "disabled", "static", "masked"),
      Job: word("0", "7"),
      ConditionResult: word("yes", "no"),
      ConditionTimestampMonotonic: word("0", "9"),
    })
    .map((properties) => unit(properties));
  const by = fc.constantFrom<StopCause["by"]>("person", "dependency", "itself", "nobody", null);

  it("it is down exactly when there is a reason, and never when it is up, stopped or masked", () => {
    fc.assert(
      fc.property(anyUnit, by, fc.option(fc.nat(2000)), (one, who, since) => {
        const given = { unit: one, triggers: [], triggersStopped: false, sinceSeconds: since };
        const { status, down, because } = healthOf({ ...given, cause: cause(who) });
        expect(statuses).toContain(status);
        expect(down).toBe(because !== null);
        expect(down).toBe(status === "down" || status === "stuck");
        if (because !== null) expect(causes).toContain(because);
        // Down is down: of what is installed and continuous, only a person's stop keeps it from being a finding.
        const rests = one.type === "oneshot" || (one.conditionMicroseconds > 0 && !one.conditionMet);
        const isOut = one.activeState === "failed" || (one.activeState === "inactive" && !rests);
        const here = one.loadState !== "not-found" || one.activeState === "failed";
        if (isOut && !one.job && here && who !== "person" && !["masked"].includes(status))
          expect(down).toBe(true);
      }),
    );
  });
});

describe("names and spans", () => {
  it.each([
    ["tmpl@", "is a template, of which only instances run; name an instance, such as tmpl@NAME"],
    ["tmpl@.service", "is a template, of which only instances run; name an instance, such as tmpl@NAME"],
    ["w@.timer", "is a template, of which only instances run; name an instance, such as w@NAME.timer"],
    ["web*", "is a pattern; name each unit by itself"],
    ["/etc/x", "is a path; write the name that systemctl status shows for it"],
    ["a b", "has a character that no unit's name has; systemd-escape makes a name of any text"],
    [".service", "has nothing before its type; write the name of a unit, such as nginx"],
    ["@x", "has nothing before its type; write the name of a unit, such as nginx"],
    ["", "is empty; write the name of a unit, such as nginx"],
    ["a".repeat(250), "is longer than the 255 characters that a unit's name may have"],
  ])("%s %s", (name, fault) => expect(unitNameFault(name)).toBe(fault));

  it.each([
    "nginx",
    "nginx.service",
    "getty@tty1",
    "a@b@c.service",
    String.raw`with-dash@a\x2db`,
    "-.mount",
    "foo.bar",
  ])("%s is a name", (name) => expect(unitNameFault(name)).toBeNull());

  it.each([
    ["1min 30s", 90e6],
    ["100ms", 100e3],
    ["15min", 900e6],
    ["2h 5us", 7200e6 + 5],
    ["1.5s", 1.5e6],
    ["0", 0],
    ["infinity", null],
    ["", null],
    ["soon", null],
  ])("%s", (text, microseconds) => expect(spanOf(text)).toBe(microseconds));
});
