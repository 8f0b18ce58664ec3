/** Backoff and dedup of the first Argus: they go on, they are said once, and the old files are kept. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mayAnnounce } from "../../src/execute/announced.ts";
import { backoffAnswer } from "../../src/execute/backoff.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { openState } from "../../src/execute/state.ts";
import { createFiles } from "../../src/system/files.ts";
import { problemKey } from "../../src/system/problem-key.ts";
import { readOnly } from "../../src/system/read-only.ts";
import type { System } from "../../src/system/system.ts";
import type { Moment } from "../../src/types/moment.ts";
import { temporaryDir } from "../record/samples.ts";
import { asLines, firstDedupKey, firstRegistry } from "../support/first-argus.ts";

const fixture = (name: string) => resolve("test/fixtures/first-argus", name);
const files = createFiles("/");
/** 22 s after the last attempt of mcp-agent-mail. */
const now: Moment = { wallMs: 1_771_935_422_000, uptimeSeconds: 500_000, bootId: "boot" };
const policy = {
  restartSecondDelaySeconds: 60,
  restartThirdDelaySeconds: 300,
  restartCooldownSeconds: 3600,
} as Policy;
const later = (seconds: number): Moment => ({
  ...{ wallMs: now.wallMs + seconds * 1000, uptimeSeconds: now.uptimeSeconds + seconds, bootId: "boot" },
});

let dir: string;
let notes: string[];
beforeEach(() => {
  dir = temporaryDir();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  notes = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const put = (name: string, as = name) => copyFileSync(fixture(name), join(dir, as));
const open = (at: Moment = now, by = files) =>
  openState(by, dir, (sentence) => notes.push(sentence), { now: at, registryDir: dir });

it("keeps attempts and cooldowns, by the names of units, and leaves out what is broken with a word", () => {
  put("restart-backoff.json");
  const backoffs = open().backoffs();
  expect(Object.keys(backoffs)).toEqual(["openclaw-gateway.service", "mcp-agent-mail.service"]);
  const gateway = backoffs["openclaw-gateway.service"];
  expect(backoffAnswer(gateway, policy, later(299))).toMatchObject({ state: "backoff", attempts: 2 });
  expect(backoffAnswer(gateway, policy, later(300)).state).toBe("ready");
  // Its cooldown was of two hours, whatever ours is.
  const mail = backoffs["mcp-agent-mail.service"];
  expect(backoffAnswer(mail, policy, later(7177))).toMatchObject({ state: "cooldown", attempts: 3 });
  expect(backoffAnswer(mail, policy, later(7178)).state).toBe("ready");
  expect(notes).toEqual([
    `${dir}/restart-backoff.json is one of the first Argus (taken over: openclaw-gateway, mcp-agent-mail; ` +
      `not readable, and left out: "athena-web"); it was kept as ${dir}/restart-backoff.json.first-argus-1`,
  ]);
  expect(readFileSync(`${dir}/restart-backoff.json.first-argus-1`, "utf8")).toBe(
    readFileSync(fixture("restart-backoff.json"), "utf8"),
  );
});

it("reads its own form from then on, and says nothing any more", () => {
  put("restart-backoff.json");
  put("dedup.json");
  put("problems.jsonl");
  const first = open();
  notes = [];
  const second = open(later(10));
  expect([second.backoffs(), second.announced()]).toEqual([first.backoffs(), first.announced()]);
  expect(notes).toEqual([]);
});

it("counts what lies before this boot by the time since the boot alone, and no time that is to come", () => {
  const write = (entry: object) =>
    writeFileSync(join(dir, "restart-backoff.json"), JSON.stringify({ services: { web: entry } }), {
      mode: 0o600,
    });
  const booted = { ...now, uptimeSeconds: 10 };
  write({ attempts: 2, last_attempt: now.wallMs / 1000 - 200 });
  const answer = backoffAnswer(open(booted).backoffs()["web.service"], policy, booted);
  expect(answer).toMatchObject({ state: "backoff", passedSeconds: 10 });
  write({ attempts: 1, last_attempt: now.wallMs / 1000 + 5000 });
  const ahead = open().backoffs()["web.service"];
  expect(backoffAnswer(ahead, policy, now)).toMatchObject({ state: "backoff", passedSeconds: 0 });
  expect(backoffAnswer(ahead, policy, later(60)).state).toBe("ready");
});

it.each([
  ["{}", "has an unknown shape"],
  ['{"services":[1]}', "has an unknown shape"],
  ["{", "is not valid JSON"],
])("sets aside what is neither form: %s", (text, why) => {
  writeFileSync(join(dir, "restart-backoff.json"), text, { mode: 0o600 });
  expect(open().backoffs()).toEqual({});
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain(why);
  expect(readdirSync(dir)).toContain("restart-backoff.json.corrupt-1");
});

it("does not alert again to what the first Argus alerted to within the window, in whatever words", () => {
  put("dedup.json");
  put("problems.jsonl");
  const announced = open().announced();
  const memory = problemKey("memory", "landmass", "high");
  // The gateway was only restarted.
  expect(Object.keys(announced)).toEqual([memory]);
  const asks = (problem: string, at: Moment) =>
    mayAnnounce(announced, { problem, severity: "warning", recovery: false }, 3600, at).pass;
  // Of 10:12:04; the trouble was seen until 12:15.
  const sent = 1_771_927_924 - now.wallMs / 1000;
  expect(asks(memory, later(sent + 3599))).toBe(false);
  expect(asks(memory, later(sent + 3600))).toBe(true);
  expect(notes).toEqual([
    `${dir}/dedup.json is one of the first Argus (entries taken over: 2; left out, because problems.jsonl has no alert ` +
      `that was sent and clearly is about the same: 1; dropped, because no line of problems.jsonl has their text: 1); it was kept as ${dir}/dedup.json.first-argus-1`,
  ]);
});

describe("an entry of dedup.json", () => {
  const sent = { action_taken: "alert:telegram", action_result: "success" };
  const critical = { ...sent, severity: "critical", type: "disk", description: "disk usage at 96% on /" };
  const root = problemKey("disk", "/", "full");
  const line = (over: object, agoSeconds = 600) => ({
    ...{ ts: new Date(now.wallMs - agoSeconds * 1000).toISOString(), bead_id: null, host: "vps" },
    ...critical,
    ...over,
  });
  /** Newest last, as they are written. */
  const given = (...lines: ReturnType<typeof line>[]): boolean => {
    writeFileSync(join(dir, "problems.jsonl"), asLines(lines), { mode: 0o600 });
    const keys = Object.fromEntries(
      lines.map((each) => [firstDedupKey(each), { last_seen: now.wallMs / 1000 - 60, count: 1 }]),
    );
    writeFileSync(join(dir, "dedup.json"), JSON.stringify({ keys }), { mode: 0o600 });
    const announced = open().announced();
    return !mayAnnounce(announced, { problem: root, severity: "critical", recovery: false }, 3600, now).pass;
  };

  it("holds an alert back where one was sent, also when the same text was only logged later", () => {
    expect(given(line({}))).toBe(true);
    expect(given(line({}), line({ action_taken: "log:observation" }, 60))).toBe(true);
  });

  it.each<[string, object]>([
    ["was only written down", { action_taken: "log:observation" }],
    ["had nothing done about it", { action_taken: "none", action_result: "skipped" }],
    ["had files cleaned", { action_taken: "clean_disk:safelist" }],
    ["had an alert that failed", { action_result: "failure" }],
    ["had an alert that was held back", { action_result: "suppressed" }],
    ["was milder", { severity: "warning" }],
    ["names no mount", { description: "Disk usage: 78G / 92G (96%)" }],
    ["names another mount", { description: "78G / 92G (96%) on /home" }],
    ["was sent longer ago than the window", { ts: new Date(now.wallMs - 7200_000).toISOString() }],
  ])("holds none back where the trouble %s", (_, over) => expect(given(line(over))).toBe(false));

  it("holds none back where a repair came after the alert: this is another outage", () => {
    expect(
      given(line({}), line({ action_taken: "clean_disk:safelist", description: "/ is 96% full" }, 60)),
    ).toBe(false);
  });
});

it("takes no entry over that may be about something else", () => {
  const hog = {
    ...{ ts: new Date(now.wallMs - 60_000).toISOString(), severity: "critical", type: "memory", host: "vps" },
    ...{ description: "Memory hog: claude PID 312 at 5 GB RSS", bead_id: null },
    ...{ action_taken: "alert:telegram", action_result: "success" },
  };
  writeFileSync(join(dir, "problems.jsonl"), asLines([hog]), { mode: 0o600 });
  const keys = { [firstDedupKey(hog)]: { last_seen: now.wallMs / 1000, count: 1 } };
  writeFileSync(join(dir, "dedup.json"), JSON.stringify({ keys }), { mode: 0o600 });
  expect(open().announced()).toEqual({});
});

it("matches each key of a whole registry", () => {
  const lines = firstRegistry(7, 178);
  writeFileSync(join(dir, "problems.jsonl"), asLines(lines), { mode: 0o600 });
  const keys = Object.fromEntries(
    lines.map((line) => [firstDedupKey(line), { last_seen: now.wallMs / 1000, count: 1 }]),
  );
  writeFileSync(join(dir, "dedup.json"), JSON.stringify({ keys }), { mode: 0o600 });
  expect(Object.keys(open().announced()).length).toBeLessThanOrEqual(20);
  const [, taken, left] = /taken over: (\d+); left out, .*?: (\d+); /.exec(notes[0] ?? "") ?? [];
  expect(Number(taken)).toBeGreaterThan(10);
  expect(Number(taken) + Number(left)).toBe(Object.keys(keys).length);
  expect(notes[0]).toContain("has their text: 0");
});

it("drops them all without a registry, and with one that cannot be read it says that", () => {
  put("dedup.json");
  expect(open().announced()).toEqual({});
  put("dedup.json");
  mkdirSync(join(dir, "problems.jsonl"));
  expect(open().announced()).toEqual({});
  expect(notes[0]).toContain("taken over: 0; left out");
  expect(notes[0]).toContain("dropped, because no line of problems.jsonl has their text: 4)");
  expect(notes[1]).toContain("problems.jsonl could not be read");
});

it("leaves them as they are in a dry run, until something is saved", () => {
  put("restart-backoff.json");
  put("dedup.json");
  put("problems.jsonl");
  const former = { now, registryDir: dir, stays: true };
  const state = openState(files, dir, (sentence) => notes.push(sentence), former);
  expect(Object.keys(state.backoffs())).toHaveLength(2);
  expect(Object.keys(state.announced())).toHaveLength(1);
  expect(readdirSync(dir).sort()).toEqual(["dedup.json", "problems.jsonl", "restart-backoff.json"]);
  expect(readFileSync(join(dir, "dedup.json"), "utf8")).toBe(readFileSync(fixture("dedup.json"), "utf8"));
  expect(notes).toEqual([]);
  state.markAnnounced([], now);
  expect(readFileSync(`${dir}/dedup.json.first-argus-1`, "utf8")).toBe(
    readFileSync(fixture("dedup.json"), "utf8"),
  );
  expect(notes).toHaveLength(1);
});

it("reads them after a byte order mark", () => {
  const mark = (name: string) =>
    writeFileSync(join(dir, name), `\uFEFF${readFileSync(fixture(name), "utf8")}`, { mode: 0o600 });
  for (const name of ["restart-backoff.json", "dedup.json", "problems.jsonl"]) mark(name);
  const state = open();
  expect([Object.keys(state.backoffs()).length, Object.keys(state.announced()).length]).toEqual([2, 1]);
});

it("only looks where a command only looks, and lets the orphan state lie", () => {
  put("restart-backoff.json");
  put("orphan-state.json");
  const looking = readOnly({ files } as System).files;
  expect(Object.keys(open(now, looking).backoffs())).toHaveLength(2);
  expect(readdirSync(dir).sort()).toEqual(["orphan-state.json", "restart-backoff.json"]);
});
