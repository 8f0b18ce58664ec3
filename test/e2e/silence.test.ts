/** `argus silence` as a user types it. */
import { expect, test } from "vitest";
import { argus, unwrapped } from "./argus.ts";

const rule = {
  rules: [
    {
      name: "always",
      description: "Holds on every machine",
      conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
      event: {
        type: "check",
        params: { condition: "always", severity: "warning", subject: "cores", summary: "there are cores" },
      },
    },
  ],
};

test("a silence is made, listed, shown, explained and ended", () => {
  const watch = argus({ SUDO_USER: "bob" });
  watch.rule("mine.json", rule);
  const made = watch.run("silence", "add", "--rule", "always", "--for", "2h", "--reason", "known");
  expect([made.status, made.stderr]).toEqual([0, ""]);
  const [, id = ""] =
    /^Silenced until [\d :-]+ UTC \(([a-z0-9]{4})\): no message about rule always; the watching goes on\.\n$/.exec(
      made.stdout,
    ) ?? [];
  expect(id).not.toBe("");
  const cycle = watch.once();
  expect(cycle.actions).toMatchObject([{ type: "alert", result: "suppressed", refusal: "silenced" }]);
  expect(unwrapped(watch.run("explain").stdout)).toContain(`(${id}): known`);
  expect(watch.run("silence", "list").stdout).toMatch(
    new RegExp(`^${id}  rule always  until .* UTC  bob: known\n$`),
  );
  expect(JSON.parse(watch.run("silence", "list", "--json").stdout)).toMatchObject([
    { id, match: { rule: "always" } },
  ]);
  expect(watch.run("status").stdout).toMatch(new RegExp(`Silenced +${id}`));
  expect(watch.run("silence", "remove", id).stdout).toBe(
    `Ended ${id}: the next cycle notifies about what is still there.\n`,
  );
  expect(watch.once().actions).toMatchObject([{ type: "alert", result: "success" }]);
  expect(watch.run("silence", "list").stdout).toBe("Nothing is silenced.\n");
});

test("what cannot be meant is an error that says what can", () => {
  const watch = argus();
  const cases: [string[], string][] = [
    [["add", "--for", "2h"], "argus: a silence needs at least one of --rule, --key, --subject and --type\n"],
    [["add", "--rule", "x"], "argus: say until when: either --for, such as 2h, or --until\n"],
    [
      ["add", "--rule", "x", "--for", "1h", "--until", "2099-01-01T00:00Z"],
      "argus: say until when: either --for, such as 2h, or --until\n",
    ],
    [["add", "--rule", "x", "--until", "2020-01-01T00:00Z"], "argus: --until lies in the past\n"],
    [["remove", "zzzz"], 'argus: there is no silence "zzzz"; argus silence list names those in force\n'],
  ];
  for (const [args, stderr] of cases)
    expect([args, watch.run("silence", ...args).stderr, watch.run("silence", ...args).status]).toEqual([
      args,
      stderr,
      2,
    ]);
  expect(watch.run("silence", "add", "--rule", "x", "--until", "18:00").stderr).toContain(
    "must be a time with its zone",
  );
  expect(watch.run("silence", "add", "--type", "disc", "--for", "1h").stderr).toContain(
    "Allowed choices are disk, memory",
  );
});

test("an open maintenance window is shown, holds the message back and is explained; a broken one is an error", () => {
  const watch = argus();
  watch.rule("mine.json", rule);
  const window = { name: "nightly backup", from: "00:00", to: "00:00", timeZone: "Europe/Berlin" };
  watch.settings({ maintenance: [{ ...window, rules: ["always"] }] });
  expect(watch.once().actions).toMatchObject([{ type: "alert", result: "suppressed", refusal: "silenced" }]);
  const held = "the maintenance window nightly backup is open until 00:00 Europe/Berlin";
  expect(unwrapped(watch.run("explain").stdout)).toContain(held);
  expect(watch.run("status").stdout).toMatch(/Maintenance +open: nightly backup/);
  watch.settings({ maintenance: [{ ...window, rules: ["other"] }] });
  expect(watch.once().actions).toMatchObject([{ type: "alert", result: "success" }]);
  watch.settings({ maintenance: [{ ...window, timeZone: "Mars/Base" }] });
  const fault = '"Mars/Base" is no time zone such as Europe/Berlin or UTC';
  const { status, stdout } = watch.run("check");
  expect([status, unwrapped(stdout)]).toEqual([2, expect.stringContaining(fault)]);
  expect(unwrapped(watch.run("status").stdout)).toContain(fault);
});

test("all matchers of one silence must fit", () => {
  const watch = argus();
  watch.rule("mine.json", rule);
  watch.run("silence", "add", "--rule", "always", "--subject", "memory", "--for", "2h");
  expect(watch.once().actions).toMatchObject([{ type: "alert", result: "success" }]);
  watch.run("silence", "add", "--rule", "always", "--type", "check", "--subject", "cores", "--for", "2h");
  const held = watch.once().actions;
  expect(held).toMatchObject([{ type: "alert", result: "suppressed", refusal: "silenced" }]);
});
