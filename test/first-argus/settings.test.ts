/** Settings of the first Argus: none stops the start; each works, or one line says what replaced it. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.ts";
import { withVariable } from "../../src/system/env-line.ts";
import { formerSettings } from "../../src/system/first-argus/settings-table.ts";
import { createSystem } from "../../src/system/machine.ts";
import { emptyMachine, type Machine } from "../bad-input/cases.ts";

let machine: Machine;
beforeAll(() => {
  machine = emptyMachine();
});
afterEach(() => machine.empty("/etc"));
afterAll(() => machine.remove());

function config(file: string | null, env: Record<string, string> = {}, settings = "{}") {
  machine.write("/etc/argus/argus.json", settings);
  if (file !== null) machine.write("/etc/argus/argus.env", file);
  const system = createSystem({ root: machine.root });
  return loadConfig({
    system: { ...system, self: { ...system.self, home: "/home/dev" } },
    ...{ env, workingDir: "/srv", programDir: "/opt/argus" },
  });
}
const folder = (path: string) => mkdirSync(join(machine.root, path), { recursive: true });
const all = formerSettings.map(([name]) => name.replace("*", "WINDOW_DAYS"));

describe("a whole file, as a shell sourced it", () => {
  it("starts, with what works in force and one line for each of the others", () => {
    folder("/home/dev/athena/memory");
    machine.write("/etc/argus/argus.json", "{}");
    copyFileSync("test/fixtures/first-argus/argus.env", join(machine.root, "/etc/argus/argus.env"));
    const read = config(null);
    expect(read).toMatchObject({
      ...{
        intervalSeconds: 300,
        logDir: "/home/dev/argus/logs",
        dedupWindowSeconds: 1800,
        summaryAt: "never",
      },
      observationsFile: "/home/dev/athena/memory/observations.md",
      ...{ cleanDryRun: true, dashboardUrl: null, ticketRepeats: { threshold: 1, windowSeconds: 604_800 } },
      settings: { tickets: { directory: "/home/dev/athena" } },
      telegram: { token: "123456789:AA$HOME-not-expanded", chatId: "-100" },
    });
    const said = (name: string) => read.notes.filter((note) => note.includes(`${name} `));
    const working = [
      "DEDUP_WINDOW",
      "ARGUS_MEMORY_DIR",
      "ARGUS_BEADS_WORKDIR",
      "ARGUS_RELAY_SUMMARY_ENABLED",
    ];
    for (const name of all)
      expect(
        said(name === "ARGUS_PATTERN_WINDOW_DAYS" ? "ARGUS_PATTERN_MIN_COUNT" : name),
        name,
      ).toHaveLength(working.includes(name) ? 0 : 1);
    expect(said("ARGUS_PROBLEMS_FILE")).toEqual([
      "ARGUS_PROBLEMS_FILE (of the first Argus) is not used: problems.jsonl lies in ARGUS_STATE_DIR now: " +
        "move /home/dev/argus/state/problems.jsonl there",
    ]);
    expect(said("ARGUS_GATEWAY_PORT")[0]).toContain(
      'write into argus.json: "services": [{"name":"openclaw-gateway","endpoint":{"url":"http://127.0.0.1:18505/","expectStatus":"any"}}]',
    );
    expect(said("ARGUS_DASHBOARD_URL")).toEqual([
      "/etc/argus/argus.env:40: ARGUS_DASHBOARD_URL is not used: a shell would run a program for its value; write the value itself",
    ]);
  });
});

describe.each(all)("%s", (name) => {
  it.each([
    "",
    "0",
    "-1",
    "99999999999999999999",
    "true",
    "maybe",
    "x y",
    'a"b',
    "'",
    '"',
    "\\",
    "`id`",
    "$(id)",
    "$X",
    "#",
    "é\u0007",
  ])("does not stop the start with %j, in the file or in the environment", (value) => {
    expect(() => config(`${name}=${value}\n`)).not.toThrow();
    expect(() => config(`export ${name}=${value}\n${name}=${value}\n`)).not.toThrow();
    expect(() => config(null, { [name]: value })).not.toThrow();
  });

  it("is a single printable line where anything is said", () => {
    for (const note of config(`${name}=a\u001b[2J\u2028b\n`).notes) expect(note).toMatch(/^[\x20-\x7e…]+$/);
  });
});

it("an unknown name is a fault as ever, unless another line refers to it", () => {
  expect(() => config("ARGUS_PATERN_DAYS=3\n")).toThrow("unknown setting ARGUS_PATERN_DAYS");
  expect(() => config("BASE=/x\n")).toThrow("unknown setting BASE");
  expect(config("BASE=/x\nARGUS_STATE_DIR=$BASE/s\n").stateDir).toBe("/x/s");
});

describe("a line that only a shell understands", () => {
  it.each([
    "set -a",
    "export ARGUS_MODE",
    "export NAME OTHER",
    "source /etc/other",
    ". ./other",
    "umask 077",
    `: "\${ARGUS_INTERVAL:=5}"`,
    'ARGUS_MEMORY_DIR="two\nlines"',
    "ARGUS_RELAY_BIN=two\\\nlines",
    "export DEDUP_WINDOW=5 ARGUS_GATEWAY_PORT=1",
    "DEDUP_WINDOW=5; ARGUS_GATEWAY_PORT=1",
    "ARGUS_INTERVAL=$(cat interval)",
  ])("is not used, and that is one line: %s", (text) => {
    const read = config(`${text}\nARGUS_STATE_DIR=/after\n`);
    expect(read).toMatchObject({ intervalSeconds: 300, dedupWindowSeconds: 3600, stateDir: "/after" });
    expect(read.notes).toEqual([expect.stringMatching(/^\/etc\/argus\/argus\.env:1: .* is not used: /)]);
  });

  it.each([
    ["readonly ARGUS_INTERVAL=60", 60],
    ["declare -x ARGUS_INTERVAL=60", 60],
    ["ARGUS_INTERVAL=60;", 60],
    ["ARGUS_INTERVAL=60; export ARGUS_INTERVAL", 60],
  ])("is read where it holds one value: %s", (text, intervalSeconds) => {
    expect(config(`${text}\n`)).toMatchObject({ intervalSeconds, notes: [] });
  });

  it.each([
    "set ARGUS_MODE=watch",
    "unset ARGUS_DRY_RUN",
    `: "\${ARGUS_MODE:=watch}"`,
    "export DEDUP_WINDOW=5 ARGUS_MODE=watch",
    "DEDUP_WINDOW=5 ARGUS_MODE=watch",
    "DEDUP_WINDOW=5; ARGUS_MODE=watch",
    "export A=1 ARGUS_DISK_CLEAN_DRY_RUN=true",
    'ARGUS_MODE="watch\n"',
    'ARGUS_RESTART_COOLDOWN_SECONDS="7200\n"',
    "ARGUS_MODE = watch",
    "ARGUS_RESTART_COOLDOWN_SECONDS=$(cat cooldown)",
    'ARGUS_RELAY_BIN="forgotten\nARGUS_MODE=watch\n"',
  ])("is a fault where it could keep Argus from something: %s", (text) => {
    expect(() => config(`${text}\n`)).toThrow("argus.env:1");
  });

  it("of an unknown pattern is one of the patterns", () => {
    expect(config("ARGUS_PATTERN_some_day=1\n").notes).toEqual([expect.stringContaining("no patterns are")]);
  });
});

describe("names of today win", () => {
  it.each([
    ["DEDUP_WINDOW=60\nARGUS_DEDUP_WINDOW=70\n", { dedupWindowSeconds: 70 }, "ARGUS_DEDUP_WINDOW is set"],
    [
      "ARGUS_MEMORY_DIR=/srv\nARGUS_OBSERVATIONS_FILE=/srv/o.md\n",
      { observationsFile: "/srv/o.md" },
      "ARGUS_OBSERVATIONS_FILE is set",
    ],
    [
      "ARGUS_RELAY_SUMMARY_ENABLED=no\nARGUS_SUMMARY_AT=09:00\n",
      { summaryAt: "09:00" },
      "ARGUS_SUMMARY_AT is set",
    ],
  ])("%s", (file, expected, note) => {
    folder("/srv");
    const read = config(file);
    expect(read).toMatchObject(expected);
    expect(read.notes).toEqual([expect.stringContaining(`is not used: ${note}`)]);
  });

  it("as does argus.json", () => {
    folder("/srv/b");
    const read = config("ARGUS_BEADS_WORKDIR=/srv/b\n", {}, '{ "tickets": { "directory": "/srv/a" } }');
    expect(read.settings.tickets.directory).toBe("/srv/a");
    expect(read.notes).toHaveLength(1);
  });
});

it("a window out of range is taken as near as there is, and that is said", () => {
  const read = config("DEDUP_WINDOW=9999999\n");
  expect(read.dedupWindowSeconds).toBe(604_800);
  expect(read.notes[0]).toContain("ARGUS_DEDUP_WINDOW is 604800 seconds");
  expect(config("DEDUP_WINDOW=soon\n")).toMatchObject({ dedupWindowSeconds: 3600 });
});

it("a folder that is not there leaves the observations where they are, and that is said", () => {
  const read = config("ARGUS_MEMORY_DIR=/nowhere\n");
  expect(read.observationsFile).toBe("/srv/state/observations.md");
  expect(read.notes).toEqual([
    "ARGUS_MEMORY_DIR (of the first Argus) names /nowhere, where there is no folder: it is not used",
  ]);
});

it.each([
  ["true", true],
  ["1", true],
  ["ture", true],
  ["$(cat dry)", true],
  ["'false", true],
  ["false", undefined],
  ["0", undefined],
  ["", undefined],
])("ARGUS_DISK_CLEAN_DRY_RUN=%s: what is not clearly a no keeps the disks as they are", (text, dry) => {
  const read = config(`ARGUS_DISK_CLEAN_DRY_RUN=${text}\n`);
  expect(read.cleanDryRun).toBe(dry);
  expect(read.notes).toHaveLength(dry === true ? 1 : 0);
});

describe("a value, as a shell reads it", () => {
  const stateDir = (line: string) => config(`D=/d\n${line}\nARGUS_LOG_DIR=$D\n`).stateDir;
  it.each([
    ["ARGUS_STATE_DIR=$HOME/s", "/home/dev/s"],
    [`ARGUS_STATE_DIR="\${HOME}/s"`, "/home/dev/s"],
    ['ARGUS_STATE_DIR="$HOME"/s   # here', "/home/dev/s"],
    ["ARGUS_STATE_DIR='$HOME/s'", "/etc/argus/$HOME/s"],
    ["ARGUS_STATE_DIR=$D/s # comment", "/d/s"],
    [`ARGUS_STATE_DIR=\${NOTHING:-$HOME/o}/s`, "/home/dev/o/s"],
    ["ARGUS_STATE_DIR=/a#b", "/a#b"],
    ["export ARGUS_STATE_DIR=/s", "/s"],
  ])("%s", (line, expected) => expect(stateDir(line)).toBe(expected));

  it("is never run, and no secret is cut or filled in", () => {
    expect(config("ARGUS_STATE_DIR=$(id)\n").stateDir).toBe("/srv/state");
    const token = (text: string) =>
      config(`KEY=abc\nANTHROPIC_API_KEY=${text}\nARGUS_LOG_DIR=/$KEY\n`).anthropicKey;
    expect(token("a$KEY`b`$(c) #d")).toBe("a$KEY`b`$(c) #d");
    expect(token("$KEY")).toBe("abc");
  });

  it("decides by no program whether Argus may act", () => {
    expect(() => config("ARGUS_MODE=$(cat mode)\n")).toThrow(
      'ARGUS_MODE is "$(cat mode)", but must be watch or act',
    );
    expect(() => config("ARGUS_DRY_RUN=`dry`\n")).toThrow("must be true or false");
  });

  it("is set by argus mode where it is exported, too", () => {
    expect(withVariable("export ARGUS_MODE=act\nA=1\n", "ARGUS_MODE", "watch")).toBe(
      "export ARGUS_MODE=watch\nA=1\n",
    );
    expect(withVariable("readonly ARGUS_MODE=act\n", "ARGUS_MODE", "watch")).toBe(
      "readonly ARGUS_MODE=watch\n",
    );
  });
});
