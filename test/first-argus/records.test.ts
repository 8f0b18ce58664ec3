/** Lines that the first Argus wrote: each is read, and the same trouble in other words is one problem. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recoveryProposals } from "../../src/escalate/recovery.ts";
import { isOpen, problemFact } from "../../src/record/problems.ts";
import { createRegistry } from "../../src/record/registry.ts";
import { parseRecord, readHistory, readProblems } from "../../src/record/registry-reader.ts";
import { statsOf } from "../../src/report/stats.ts";
import { createFiles } from "../../src/system/files.ts";
import { problemKey } from "../../src/system/problem-key.ts";
import type { RegistryRecord } from "../../src/types/problem.ts";
import { cycleAt, serviceFinding, temporaryDir } from "../record/samples.ts";
import { asLines, type FirstLine, firstRegistry } from "../support/first-argus.ts";

const files = createFiles("/");
let stateDir: string;
beforeEach(() => {
  stateDir = temporaryDir();
  mkdirSync(stateDir, { recursive: true });
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const line = (over: Partial<Record<keyof FirstLine, unknown>> = {}) => ({
  ts: "2026-02-24T09:12:01Z",
  severity: "warning",
  type: "memory",
  description: "Memory usage at 82% on HOST",
  action_taken: "alert:telegram",
  action_result: "success",
  bead_id: null,
  host: "HOST",
  ...over,
});
const read = (over: Partial<Record<keyof FirstLine, unknown>> = {}): RegistryRecord => {
  const record = parseRecord(JSON.stringify(line(over)));
  if (record === null) throw new Error("not read");
  return record;
};
const write = (lines: readonly unknown[]) =>
  writeFileSync(join(stateDir, "problems.jsonl"), asLines(lines), { mode: 0o600 });

describe("what a line is about", () => {
  it.each([
    "Memory usage at 82% on HOST",
    "High memory pressure: 91% used",
    "RAM at 88%, openclaw-gateway.service is the largest",
  ])("%s: is the memory of the host", (description) => {
    expect(read({ description }).key).toBe(problemKey("memory", "HOST", "high"));
  });

  it.each([
    ["Service openclaw-gateway is down", "none", "openclaw-gateway"],
    ["openclaw-gateway.service failed", "none", "openclaw-gateway"],
    ["OpenClaw Gateway unreachable (HTTP 000)", "alert:telegram", "openclaw-gateway"],
    ["it was restarted", "restart_service:openclaw-gateway.service", "openclaw-gateway"],
    ["gateway is down", "restart_service:athena-web", "athena-web"],
    ["MCP Agent Mail is down", "none", "mcp-agent-mail"],
    ["Service nginx is not running", "none", "nginx"],
    ["Unit `app@2` has failed", "none", "app@2"],
    ["Service health is degraded", "none", "HOST"],
    ["Critical service down", "none", "HOST"],
    ["restart went wrong", "restart_service:$(reboot)", "HOST"],
  ])("%s (%s): the unit %s, as service-down calls it", (description, action_taken, subject) => {
    const record = read({ type: "service", description, action_taken });
    expect(record).toMatchObject({ subject, condition: "down", key: problemKey("service", subject, "down") });
  });

  it.each([
    ["disk usage at 91% on /", "/", "full"],
    ["/ is at 93%", "/", "full"],
    ["Disk usage at 91% on /home", "/home", "full"],
    ["/home/dev/.cache/pip takes 9 GB; the root filesystem is 95% full", "/", "full"],
    ["Old files in /tmp/build-3, disk at 91%", "HOST", "full"],
    ["/mnt/data is 99% full.", "/mnt/data", "full"],
    ["Disk usage on /var.", "/var", "full"],
    ["inode usage on / at 95%", "/", "inodes"],
  ])("%s: the mount %s", (description, subject, condition) => {
    expect(read({ type: "disk", description })).toMatchObject({ subject, condition });
  });

  it("tells orphaned test runs as the rule of today does", () => {
    const key = problemKey("process", "node --test", "orphan");
    expect(read({ type: "process", description: "3 orphaned node --test processes" }).key).toBe(key);
    expect(read({ type: "process", description: "cleanup", action_taken: "kill_orphan_tests:3" }).key).toBe(
      key,
    );
    expect(read({ type: "swap", description: "Swap thrashing at 40 MB/s" }).condition).toBe("thrashing");
  });
});

describe("the fields of a line", () => {
  it("keeps what stands there, also what has no field of its own", () => {
    expect(
      read({ bead_id: "athena-12", action_taken: "kill_orphan_tests:3", ...{ pids: [1, 2] } }),
    ).toMatchObject({
      ts: "2026-02-24T09:12:01Z",
      description: "Memory usage at 82% on HOST",
      action_taken: "kill_orphan_tests:3",
      bead_id: "athena-12",
      host: "HOST",
      source: "first-argus",
      event: "past",
      evidence: { pids: [1, 2] },
    });
  });

  it.each([
    ["2026-02-24T10:12:01+01:00", "2026-02-24T09:12:01Z"],
    ["2026-02-24T10:12:01+0100", "2026-02-24T09:12:01Z"],
    ["2026-02-24T09:12:01.734Z", "2026-02-24T09:12:01Z"],
    ["2026-02-24T09:12:01", "2026-02-24T09:12:01Z"],
    ["2026-02-24 09:12:01", "2026-02-24T09:12:01Z"],
    [1771924321, "2026-02-24T09:12:01Z"],
  ])("the time %s is %s", (ts, expected) => expect(read({ ts }).ts).toBe(expected));

  it.each([
    ["WARNING", "warning"],
    ["Critical", "critical"],
    ["error", "critical"],
    ["notice", "info"],
    ["odd", "warning"],
  ])("the severity %s is %s", (severity, expected) => expect(read({ severity }).severity).toBe(expected));

  it.each([
    ["success", "success", ""],
    ["ok", "success", "the first Argus wrote: ok"],
    ["failed", "failure", "the first Argus wrote: failed"],
    ["cooldown", "skipped", "the first Argus wrote: cooldown"],
    [null, "skipped", ""],
  ])("the result %s is %s", (word, action_result, reason) =>
    expect(read({ action_result: word })).toMatchObject({ action_result, reason }),
  );

  it("takes secrets out, and lets no text break out of its line", () => {
    const { description } = read({
      description: "TELEGRAM_BOT_TOKEN=123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw\n\u001b[2Jall well",
    });
    expect(description).not.toContain("AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw");
    expect(description).not.toMatch(/[\n\u001b]/);
  });

  it.each([
    ["no time", line({ ts: "yesterday" })],
    ["no type", { ...line(), type: undefined }],
    ["no description", { ...line(), description: 7 }],
    ["no host", { ...line(), host: undefined }],
    ["a line of today that lost a field", { ...line(), key: "memory:0123456789abcdef", event: "opened" }],
    ["a list", []],
    ["null", null],
  ])("%s: is no line of it, and is counted as unread", (_, value) => {
    expect(parseRecord(JSON.stringify(value) ?? "")).toBeNull();
    write([line(), value]);
    expect(readProblems(files, stateDir).passedOver).toBe(1);
  });
});

it("is read after a byte order mark, and between blank lines", () => {
  const first = JSON.stringify(line());
  writeFileSync(
    join(stateDir, "problems.jsonl"),
    `\uFEFF${first}\r\n\r\n   \n${JSON.stringify(line({ type: "swap" }))}\r\n`,
    { mode: 0o600 },
  );
  const { problems, passedOver } = readProblems(files, stateDir);
  expect([problems.size, passedOver]).toEqual([2, 0]);
  const history = readHistory(files, stateDir);
  expect([[...history.records()].length, history.passedOver()]).toEqual([2, 0]);
});

describe.each([
  [118, 1],
  [178, 2],
  [600, 3],
])("a registry of %i lines", (count, seed) => {
  it("comes to at most 18 problems, all of them over, and no line is lost", () => {
    const lines = firstRegistry(seed, count);
    expect(new Set(lines.map(({ description }) => description)).size).toBeGreaterThan(count * 0.8);
    write(lines);
    const { problems, passedOver } = readProblems(files, stateDir);
    expect(passedOver).toBe(0);
    expect(problems.size).toBeLessThanOrEqual(18);
    expect([...problems.values()].filter(isOpen)).toEqual([]);
    const told = [...readHistory(files, stateDir).records()].reverse();
    const eight = told.map(
      ({ ts, severity, type, description, action_taken, action_result, bead_id, host }) => ({
        ...{ ts, severity, type, description, action_taken, action_result, bead_id, host },
      }),
    );
    expect(eight).toEqual(lines);
  });
});

describe("problems of that time, beside those of today", () => {
  const startMs = Date.parse("2026-02-24T12:00:00Z");
  const at = (minutes: number) =>
    new Date(startMs + minutes * 60_000).toISOString().replace(/\.\d{3}Z$/, "Z");
  const down = (minutes: number, over: Partial<FirstLine> = {}) =>
    line({
      ...{ ts: at(minutes), type: "service", description: "openclaw-gateway is down", action_taken: "none" },
      ...{ action_result: "skipped", host: "landmass", ...over },
    });
  const key = problemKey("service", "openclaw-gateway", "down");
  const open = () =>
    createRegistry({ files, stateDir, nowMs: () => startMs + 3_600_000, note: () => undefined });

  it("counts what lasted once, and what came back after a repair or hours anew", () => {
    const restarted = { action_taken: "restart_service:openclaw-gateway", action_result: "success" };
    write([down(0), down(60), down(65, restarted), down(80), down(300)]);
    const problem = readProblems(files, stateDir).problems.get(key);
    expect(problem?.openings).toEqual([at(0), at(80), at(300)]);
    expect(problemFact(problem, startMs + 301 * 60_000).occurrences24h).toBe(4);
    const stats = statsOf({ from: at(-60), to: at(600) }, readHistory(files, stateDir).records(), []);
    expect(stats.problems).toEqual({ opened: 3, resolved: 0, secondsToHeal: null });
    expect(stats.actions).toEqual([
      expect.objectContaining({ action: "restart_service", source: "first-argus", asked: 1, done: 1 }),
    ]);
  });

  it("is opened by a rule of today under the same key, and stays open whatever the old lines say", () => {
    write([down(0)]);
    const registry = open();
    expect(
      registry.recordFindings([serviceFinding("openclaw-gateway")], cycleAt(startMs + 3_600_000)),
    ).toEqual([key]);
    writeFileSync(join(stateDir, "problems.jsonl"), asLines([down(61)]), { flag: "a" });
    const problem = readProblems(files, stateDir).problems.get(key);
    expect(problem).toMatchObject({ life: "open", openings: [at(0), at(60)] });
  });

  it("is never announced to be over: nobody knows whether it is", () => {
    write(
      [0, 10, 20, 30, 40, 50].map((minutes) =>
        down(minutes, { action_taken: "restart_service:openclaw-gateway", action_result: "success" }),
      ),
    );
    const problems = [...open().problems().values()];
    expect(problems).toHaveLength(1);
    for (const minutes of [51, 100, 130, 600])
      expect(recoveryProposals(problems, [], new Set([key]), startMs + minutes * 60_000)).toEqual([]);
  });
});
