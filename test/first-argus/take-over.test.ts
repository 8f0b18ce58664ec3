/** What is taken from the first Argus, out of folders that are not to be trusted. */
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takeEnv } from "../../src/system/first-argus/env.ts";
import { takeOver } from "../../src/system/first-argus/take-over.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "argus-first-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const read = (path: string) => readFileSync(join(root, path), "utf8");
const target = () => ({
  settings: join(root, "etc"),
  state: join(root, "lib"),
  executor: join(root, "lib-executor"),
  logs: join(root, "log"),
});
const take = (more: Partial<Parameters<typeof takeOver>[0]> = {}) =>
  takeOver({
    dir: join(root, "first"),
    home: join(root, "home"),
    envFiles: [],
    target: target(),
    present: null,
    example: "#ARGUS_INTERVAL=300\n",
    isThere: existsSync,
    into: join(root, "into"),
    ...more,
  });

describe("the first Argus's argus.env", () => {
  const taken = (text: string) => takeEnv(text, { home: "/home/ann", from: "/srv/first" });

  it("is read as a shell would, as far as it holds values", () => {
    const { text, said } = taken(
      [
        "# mine",
        "",
        "export ARGUS_INTERVAL=60",
        'TELEGRAM_CHAT_ID="-12 34"  # the team',
        "declare -x TELEGRAM_BOT_TOKEN=1:a;",
        "ARGUS_RELAY_BIN=$HOME/bin/relay",
        `ARGUS_PROMPT_FILE="\${HOME}/p.md"`,
        "ARGUS_MODEL='cost$5'",
        "ARGUS_DEDUP_WINDOW=60",
        "ARGUS_DEDUP_WINDOW=120",
      ].join("\r\n"),
    );
    expect(said).toEqual([]);
    expect(text.split("\n")).toEqual([
      "# taken over by install.sh from /srv/first",
      "# mine",
      "",
      "ARGUS_INTERVAL=60",
      'TELEGRAM_CHAT_ID="-12 34"',
      "TELEGRAM_BOT_TOKEN=1:a",
      "ARGUS_RELAY_BIN=/home/ann/bin/relay",
      "ARGUS_PROMPT_FILE=/home/ann/p.md",
      "ARGUS_MODEL='cost$5'",
      "# taken over by install.sh: set again on line 10: ARGUS_DEDUP_WINDOW=60",
      "ARGUS_DEDUP_WINDOW=120",
      "",
    ]);
  });

  it("keeps what needs a shell, and the places where it wrote, as comments", () => {
    const { text, paths, said } = taken(
      'ARGUS_STATE_DIR="$HOME/state"\nARGUS_INTERVAL=$(date +%S)\nARGUS_MODEL=$OTHER\nif true; then\nARGUS_DEDUP_FILE=~/d.json\nTELEGRAM_CHAT_ID=1; reboot\n',
    );
    expect([...paths]).toEqual([
      ["ARGUS_STATE_DIR", "/home/ann/state"],
      ["ARGUS_DEDUP_FILE", "/home/ann/d.json"],
    ]);
    expect(text.split("\n").filter((line) => !line.startsWith("#"))).toEqual([""]);
    expect(text).toContain(
      '# taken over by install.sh: this Argus has its own place for it: ARGUS_STATE_DIR="$HOME/state"',
    );
    expect(said).toEqual([
      "line 2 of argus.env is not taken (a shell would run a program for its value); it stays there as a comment",
      "line 3 of argus.env is not taken (its value needs a shell); it stays there as a comment",
      "line 4 of argus.env is not taken (it is no NAME=value); it stays there as a comment",
      "line 6 of argus.env is not taken (several commands stand on one line); it stays there as a comment",
    ]);
  });

  it("puts in what stands above, and a default", () => {
    const { text, said } = taken(
      `FOO=bar\nANTHROPIC_API_KEY="sk-$FOO"\nARGUS_RELAY_BIN="\${ARGUS_RELAY_BIN:-$HOME/bin/relay}"\n`,
    );
    expect(text.split("\n").slice(1)).toEqual([
      "# taken over by install.sh: put into the lines that refer to it: FOO=bar",
      "ANTHROPIC_API_KEY=sk-bar",
      "ARGUS_RELAY_BIN=/home/ann/bin/relay",
      "",
    ]);
    expect(said).toEqual([]);
  });

  it("keeps as a comment what Argus has no setting for, and one half of Telegram's", () => {
    const { text, said, refused } = taken(
      'ARGUS_UNKNOWN_OLD=5\nTELEGRAM_BOT_TOKEN=1:a\nTELEGRAM_CHAT_ID=$(cat chat)\nARGUS_RELAY_TO="two\nlines"\nARGUS_INTERVAL=60\n',
    );
    expect(text.split("\n").filter((line) => !line.startsWith("#"))).toEqual(["ARGUS_INTERVAL=60", ""]);
    expect(text.split("\n")).toHaveLength(8);
    expect(said[0]).toBe(
      "Telegram is not set up: argus.env has a value for TELEGRAM_BOT_TOKEN alone; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in the new argus.env",
    );
    expect(said.slice(1)).toEqual([
      "line 1 of argus.env is not taken (Argus has no such setting); it stays there as a comment",
      "line 3 of argus.env is not taken (a shell would run a program for its value); it stays there as a comment",
      "line 4 of argus.env is not taken (its value goes over several lines); it stays there as a comment",
    ]);
    expect(refused).toBeNull();
  });

  it.each([
    "ARGUS_MODE=$(cat mode)",
    `: "\${ARGUS_DRY_RUN:=true}"`,
    "ARGUS_MODE = watch",
    "export A=1 ARGUS_DISK_CLEAN_DRY_RUN=true",
  ])("is refused where a line decides what Argus may do, and cannot be read: %s", (line) => {
    expect(taken(`A=1\n${line}\n`).refused).toMatchObject({ line: 2 });
    write("first/argus.env", `A=1\n${line}\n`);
    expect(() => take()).toThrow(`${root}/first/argus.env:2: this line decides what Argus may do`);
  });
});

describe("taking over", () => {
  it("takes of what a variable names only what looks like it", () => {
    write(
      "first/argus.env",
      "ARGUS_DEDUP_FILE=$HOME/.ssh/id_rsa\nARGUS_OBSERVATIONS_FILE=$HOME/.netrc\nARGUS_ORPHAN_STATE=$HOME/orphans\n",
    );
    write("home/.ssh/id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    write("home/.netrc", "password\n");
    write("home/orphans", '{"pids":[]}');
    const taken = take();
    expect(taken?.steps.slice(1)).toEqual([`copy from ${root}/home into ${root}/lib: first/orphans`]);
    expect(taken?.notes).toEqual([
      `${root}/home/.ssh/id_rsa, which ARGUS_DEDUP_FILE names, does not look like such a file of the first Argus, so it is not taken`,
      `${root}/home/.netrc, which ARGUS_OBSERVATIONS_FILE names, does not look like such a file of the first Argus, so it is not taken`,
    ]);
  });

  it("says which of two files of one name it leaves, and each word once", () => {
    write("first/argus.env", `ARGUS_STATE_DIR=${root}/first/state\n`);
    write("first/state/problems.jsonl", "{}\n");
    write("first/problems.jsonl", "{}\n");
    symlinkSync(join(root, "first"), join(root, "first/state/dedup.json"));
    expect(take()?.notes).toEqual([
      `${root}/first/problems.jsonl is not taken, because ${root}/first/state/problems.jsonl is taken as problems.jsonl already`,
      `${root}/first/state/dedup.json is a link, so it is not taken`,
    ]);
  });

  it("finds settings, state and logs in its checkout, and leaves them as they are", () => {
    write("first/argus.env", "ARGUS_INTERVAL=60\n");
    write("first/state/problems.jsonl", "{}\n");
    write("first/state/dedup.json", '{"keys":{}}');
    write("first/state/restart-backoff.json", '{"services":{}}');
    write("first/state/orphans.json", "{}");
    write("first/logs/argus.log", "hello\n");
    write("first/README.md", "the first");
    expect(take()).toEqual({
      steps: [
        `take the settings of ${root}/first/argus.env into ${root}/etc/argus.env, without the places where it wrote`,
        `copy from ${root}/first/state into ${root}/lib: problems.jsonl, dedup.json, first/orphans.json`,
        `copy from ${root}/first/state into ${root}/lib-executor: restart-backoff.json`,
        `copy from ${root}/first/logs into ${root}/log: first/argus.log`,
      ],
      notes: [],
      env: {
        path: `${root}/first/argus.env`,
        text: `# taken over by install.sh from ${root}/first\nARGUS_INTERVAL=60\n`,
      },
    });
    expect(read("into/argus.env")).toBe(`# taken over by install.sh from ${root}/first\nARGUS_INTERVAL=60\n`);
    expect(read("into/state/problems.jsonl")).toBe("{}\n");
    expect(read("into/executor/restart-backoff.json")).toBe('{"services":{}}');
    expect(read("into/logs/first/argus.log")).toBe("hello\n");
    expect(statSync(join(root, "into/argus.env")).mode & 0o777).toBe(0o600);
    expect(read("first/state/problems.jsonl")).toBe("{}\n");
  });

  it("finds them where its argus.env says, and in the folder of its state", () => {
    write("first/config/argus.env", 'ARGUS_STATE_DIR=$HOME/s\nARGUS_PROBLEMS_FILE="$HOME/p/all.jsonl"\n');
    write("home/s/dedup.json", "{}");
    write("home/s/diary.txt", "private");
    write("home/p/all.jsonl", "{}\n");
    expect(take()?.steps.slice(1)).toEqual([
      `copy from ${root}/home/p and ${root}/home/s into ${root}/lib: problems.jsonl, dedup.json`,
    ]);
    expect(take({ dir: join(root, "home/s"), into: null })?.steps).toEqual([
      `note in ${root}/etc/argus.env that ${root}/home/s was taken over; it has no argus.env`,
      `copy from ${root}/home/s into ${root}/lib: dedup.json`,
    ]);
  });

  it("says with --into left out what it would copy, and copies nothing", () => {
    write("first/problems.jsonl", "{}\n");
    expect(take({ into: null })?.steps).toHaveLength(2);
    expect(existsSync(join(root, "into"))).toBe(false);
  });

  it("follows no link, takes no second name of a file, and nothing of strangers", () => {
    write("secret", "root's own");
    write("first/state/problems.jsonl", "{}\n");
    symlinkSync(join(root, "secret"), join(root, "first/state/dedup.json"));
    linkSync(join(root, "secret"), join(root, "first/state/observations.md"));
    symlinkSync(root, join(root, "first/logs"));
    const taken = take();
    expect(taken?.steps.at(-1)).toBe(`copy from ${root}/first/state into ${root}/lib: problems.jsonl`);
    expect(taken?.notes).toEqual([
      `${root}/first/state/dedup.json is a link, so it is not taken`,
      `${root}/first/state/observations.md has a second name, so it is not taken`,
      `${root}/first/logs is a link, so it is not taken`,
    ]);
    symlinkSync(join(root, "secret"), join(root, "first/argus.env"));
    expect(() => take()).toThrow(/first\/argus\.env is a link, and settings are taken only out of/);
    expect(existsSync(join(root, "into/state/dedup.json"))).toBe(false);
  });

  it.skipIf(process.geteuid?.() !== 0)("takes from elsewhere only what the owner's own is", () => {
    write("first/argus.env", `ARGUS_STATE_DIR=${root}/roots\nARGUS_LOG_DIR=${root}/argus-anns\n`);
    write("roots/problems.jsonl", "root's own\n");
    write("argus-anns/argus.log", "ann's\n");
    write("argus-anns/other.log", "bob's\n");
    for (const path of ["first", "first/argus.env", "argus-anns", "argus-anns/argus.log"])
      chownSync(join(root, path), 1234, 1234);
    chownSync(join(root, "argus-anns/other.log"), 4321, 4321);
    const taken = take();
    expect(taken?.steps.slice(1)).toEqual([`copy from ${root}/argus-anns into ${root}/log: first/argus.log`]);
    expect(taken?.notes).toEqual([
      `${root}/argus-anns/other.log belongs to another user (uid 4321), so it is not taken`,
    ]);
  });

  it("takes nothing that would replace what is there, and says so", () => {
    write("first/problems.jsonl", "old\n");
    write("lib/problems.jsonl", "new\n");
    expect(take()?.notes).toEqual([
      `${root}/first/problems.jsonl is not taken, because ${root}/lib/problems.jsonl is there already`,
    ]);
  });

  it("leaves what it wrote where this one writes", () => {
    write("first/argus.env", `ARGUS_STATE_DIR=${root}/lib\n`);
    write("lib/problems.jsonl", "old\n");
    expect(take()).toMatchObject({ steps: [expect.stringContaining("take the settings")], notes: [] });
  });

  it("keeps the mode that is set, and refuses to put its settings in the place of others", () => {
    write("first/argus.env", "ARGUS_INTERVAL=60\n");
    take({ present: "#ARGUS_INTERVAL=300\nARGUS_MODE=watch\n" });
    expect(read("into/argus.env")).toContain("ARGUS_INTERVAL=60\nARGUS_MODE=watch\n");
    expect(() => take({ present: "# mine\nARGUS_INTERVAL=30\n" })).toThrow(
      `${root}/etc/argus.env has settings of yours (line 2), so --from does not put ${root}/first/argus.env in its place; move what you want to keep aside, empty the file, and run this again`,
    );
  });

  it("is done once", () => {
    write("first/argus.env", "ARGUS_INTERVAL=60\n");
    take();
    expect(take({ present: read("into/argus.env") })).toBeNull();
  });

  it("refuses a folder without anything of it, one that is not there, and one of this Argus", () => {
    mkdirSync(join(root, "first"));
    mkdirSync(join(root, "lib"));
    expect(() => take()).toThrow(
      /first holds nothing of the first Argus: no argus\.env, .*; name the folder of/,
    );
    expect(() => take({ dir: join(root, "nowhere") })).toThrow(
      /nowhere, and there is no such folder; name the folder of/,
    );
    expect(() => take({ dir: join(root, "lib") })).toThrow(/lib, a folder of this Argus; name the folder of/);
  });
});
