/** What an alert about a unit says besides: hints, systemd's message about an unmet condition, the last error lines. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { alertProposals } from "../../src/escalate/alerts.ts";
import { unitNews } from "../../src/escalate/unit-news.ts";
import { createRun } from "../../src/system/run.ts";
import type { Problem } from "../../src/types/problem.ts";
import { createPrograms, type Programs } from "../collect/programs.ts";
import { serviceFact } from "./samples.ts";

let programs: Programs;
beforeEach(() => {
  programs = createPrograms();
});
afterEach(() => programs.dispose());

const key = "service:0123456789abcdef";
const finding = (more: object = {}) =>
  ({
    finding: {
      rule: "service-down-hands-off",
      key,
      type: "service",
      severity: "critical",
      subject: "web",
      summary: "web is failed (exit-code)",
      entity: { kind: "service", identity: "web" },
      actions: [],
      evidence: [],
      ...more,
    },
    actions: [],
    remediation: { state: "none", covered: false, why: "no rule has a remedy for it" },
  }) as unknown as Handled;
const signal = new AbortController().signal;
/** Newest first, as journalctl --reverse prints them. */
const journal = (...entries: object[]) =>
  programs.write(
    "journalctl",
    `printf '%s\\n' "$@" > ${programs.folder}/asked; cat <<'END'\n${entries.map((each) => JSON.stringify(each)).join("\n")}\nEND`,
  );
const news = async (handled = [finding()], hints: string[] = []) =>
  (
    await unitNews({ run: createRun(programs.path) }, handled, { service: [serviceFact({ hints })] }, signal)
  ).get(key);
const own = (MESSAGE: unknown, more: object = {}) => ({
  MESSAGE,
  _PID: "9",
  PRIORITY: "6",
  _SYSTEMD_INVOCATION_ID: "b",
  ...more,
});

it("the last error lines of its last run, oldest first, without secrets and on one line each", async () => {
  journal(
    { MESSAGE: "web.service: Failed with result 'exit-code'.", _PID: "1" },
    own("bye"),
    own("error: cannot open\u001b[31m database\npassword=hunter2hunter2"),
    own("connected"),
    own([70, 65, 84, 65, 76, 58, 32, 120]),
    own("Error: of the run before", { _SYSTEMD_INVOCATION_ID: "a" }),
  );
  const lines = (await news()) ?? [];
  expect(lines[0]).toBe("Last lines of the log of web:");
  expect(lines.slice(1)).toEqual([
    "> FATAL: x",
    expect.stringMatching(/^> error: cannot open database password=/),
  ]);
  expect(lines.join("\n")).not.toContain("hunter2hunter2");
});

it("its very last lines, when none speaks of an error", async () => {
  journal(own("three"), own("two"), own("one"), own("zero"));
  expect(await news()).toEqual(["Last lines of the log of web:", "> one", "> two", "> three"]);
});

it("what explains its state, and the condition that was not met", async () => {
  const unmet = "web.service was skipped because of an unmet condition check (ConditionPathExists=/nope).";
  journal({ MESSAGE: unmet, _PID: "1" });
  expect(await news([finding()], ["its endpoint answers all the same"])).toEqual([
    "Also: its endpoint answers all the same.",
    `systemd: ${unmet}`,
  ]);
});

it("that its log could not be read, instead of nothing", async () => {
  programs.write("journalctl", "exit 1");
  expect(await news()).toEqual(["Its log is not to be had: the journal could not be read."]);
});

it("nothing is asked about what nobody is alerted about", async () => {
  programs.write("journalctl", "exit 1");
  expect(await news([{ ...finding(), isGone: true }])).toBeUndefined();
  expect(await news([finding({ severity: "info" })])).toBeUndefined();
});

it("stands in the alert", async () => {
  const [alert] = alertProposals([finding()], {
    problems: new Map<string, Problem>(),
    nowMs: 0,
    news: new Map([[key, ["> it broke"]]]),
  });
  expect(alert).toMatchObject({
    message: "web is failed (exit-code)",
    lines: expect.arrayContaining(["> it broke"]),
  });
});
