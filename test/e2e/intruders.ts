/** What somebody may put in the place of a file of Argus's, and a state folder in which every file of Argus's is there. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative, resolve } from "node:path";
import { type Argus, argus, type Run } from "./argus.ts";

const isRoot = process.getuid?.() === 0;
const someUid = 12_345;
const main = resolve("dist/main.js");
const mostMs = 5000;

/** Puts it at the path, where the file was before. @param canary a file elsewhere that must stay as it is. */
type Put = (path: string, canary: string) => void;

const instead =
  (put: Put): Put =>
  (path, canary) => {
    rmSync(path);
    put(path, canary);
  };
const program = (...args: string[]) => {
  const { status, stderr } = spawnSync(args[0] ?? "", args.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
};
/** Killed in the moment it listens: what is closed properly takes its name along. */
const socket = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;

const everybody: Record<string, Put> = {
  "a pipe": instead((path) => program("mkfifo", path)),
  "a link to a file": instead((path, canary) => symlinkSync(canary, path)),
  "a link to nothing": instead((path, canary) => symlinkSync(`${canary}-none`, path)),
  "a link to a pipe": instead((path, canary) => {
    if (!existsSync(`${canary}-pipe`)) program("mkfifo", `${canary}-pipe`);
    symlinkSync(`${canary}-pipe`, path);
  }),
  "a folder": instead((path) => mkdirSync(path)),
  "a socket": instead((path) => void spawnSync(process.execPath, ["-e", socket, path])),
  "a second name of a file": instead((path, canary) => linkSync(canary, path)),
  "what everybody can write": (path) => chmodSync(path, 0o666),
};
const rootsOwn: Record<string, Put> = {
  "a file of another user": (path) => chownSync(path, someUid, someUid),
  "a device": instead((path) => program("mknod", path, "c", "1", "3")),
};

/** Those that this user can make here: not every container lets root make a device. */
export const intruders: Record<string, Put> = { ...everybody, ...(isRoot ? rootsOwn : {}) };
if (
  isRoot &&
  spawnSync("sh", ["-c", 'd=$(mktemp -d) && mknod "$d/x" c 1 3; s=$?; rm -r "$d"; exit $s']).status !== 0
)
  delete intruders["a device"];

/** The reserve is room on the disk: nobody reads it, and a folder of that name could be one of Argus's. */
export const isNeverOpened = (file: string, intruder: string): boolean =>
  file === "state/reserve" && intruder === "a folder";

export interface Outcome {
  /** Both streams. */
  readonly said: string;
  /** What changed of the file that a link or a second name leads to. */
  readonly harm: readonly string[];
}

export interface Occupied {
  readonly watch: Argus;
  /** Files of Argus's, below the folder that holds the state and the logs. */
  readonly files: readonly string[];
  /** The intruder stands there while a command runs; then everything is as before. @returns what the command said. */
  withIntruder(file: string, intruder: string, command: readonly string[]): Run & Outcome;
}

const rule = (name: string, severity: string, actions: object[]) => ({
  name,
  description: "For a test",
  conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
  event: {
    type: "check",
    params: { condition: name, severity, subject: name, summary: `${name} holds`, actions, resolves: false },
  },
});

/** Every file that Argus can leave behind without a model and a systemd is there. */
export function occupied(): Occupied {
  const watch = argus();
  watch.settings({
    channels: [{ type: "command", name: "sms", command: ["false"] }],
  });
  watch.rule("10-test.json", {
    rules: [rule("told", "warning", [{ type: "alert" }]), rule("noted", "info", [{ type: "log" }])],
  });
  watch.once();
  watch.once();
  watch.run("silence", "add", "--rule", "none", "--for", "2h");
  watch.run("pause", "--for", "1m");
  // What takes days, a daemon, or a machine with more on it.
  for (const name of ["problems.jsonl", "trail.jsonl"])
    writeFileSync(watch.state(`${name}.1`), readFileSync(watch.state(name)));
  approvalIn(watch);
  write(watch, "telegram.json", { version: 1, offset: 0 });
  write(watch, "hand-offs.json", { version: 1, runs: [] });
  write(watch, "mode.json", { version: 1, mode: "act", by: "ann", at: "2026-11-20T22:40:00Z" });
  write(watch, "summary.json", { version: 1, servedMs: null });
  write(watch, "acks.json", { version: 1, acks: [] });
  writeFileSync(watch.state("daemon.lock"), "{}\n", { mode: 0o600 });
  mkdirSync(watch.state("test-messages"));
  const until = new Date(Date.now() + 3_000_000).toISOString();
  write(watch, "test-messages/0f.json", { version: 1, channel: null, until, asked: null, answers: [] });
  const canary = join(watch.dir, "canary");
  writeFileSync(canary, "sings\n", { mode: 0o640 });
  const before = look(canary);
  const all = lookFor(watch).files;
  const kept = join(watch.dir, "kept");
  mkdirSync(kept);
  for (const file of all) program("cp", "-p", join(watch.dir, file), join(kept, file.replaceAll("/", "-")));
  return {
    watch,
    files: all,
    withIntruder(file, intruder, command) {
      const path = join(watch.dir, file);
      const restore = () => {
        rmSync(path, { recursive: true, force: true });
        program("cp", "-p", join(kept, file.replaceAll("/", "-")), path);
      };
      restore();
      const present = new Set(lookFor(watch).files);
      try {
        intruders[intruder]?.(path, canary);
        const limit = { timeout: mostMs, killSignal: "SIGKILL" } as const;
        const run = spawnSync(process.execPath, [main, ...command], {
          env: watch.env,
          encoding: "utf8",
          ...limit,
        });
        const now = look(canary);
        const harm = Object.keys(before).filter((key) => now[key] !== before[key]);
        if (existsSync(`${canary}-none`)) harm.push("a file was made where a link leads");
        const { status, stdout, stderr } = run;
        return { status, stdout, stderr, said: stdout + stderr, harm };
      } finally {
        rmSync(`${canary}-none`, { force: true });
        for (const name of lookFor(watch).files)
          if (!present.has(name) && name.includes(".corrupt"))
            rmSync(join(watch.dir, name), { recursive: true, force: true });
        restore();
      }
    },
  };
}

/** Links are no change of the file itself, but the time of its status. */
function look(path: string): Record<string, unknown> {
  const { mtimeMs, mode, size, uid } = statSync(path);
  return { mtimeMs, mode, size, uid, text: readFileSync(path, "utf8") };
}

function lookFor({ dir }: Argus): { files: string[] } {
  const below = (folder: string): string[] =>
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      const isOwnFolder = lstatSync(path).isDirectory() && !name.includes(".corrupt");
      return isOwnFolder ? below(path) : [relative(dir, path)];
    });
  return { files: ["state", "logs"].flatMap((name) => below(join(dir, name))).sort() };
}

/** A question that waits, and a person's answer to it. */
function approvalIn(watch: Argus): void {
  const askedAt = {
    wallMs: Date.now(),
    uptimeSeconds: Number(readFileSync("/proc/uptime", "utf8").split(" ", 1)[0]),
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  };
  const about = {
    problemType: "process",
    severity: "warning",
    subject: "nobody's process",
    source: "operator",
  };
  const proposal = { type: "kill_pid", target: 4_194_304, problem: "process:0123456789abcdef", ...about };
  const question = { id: "ab2c", proposal, askedAt, seconds: 3600 };
  write(watch, "approvals.json", { version: 1, questions: [question] });
  mkdirSync(watch.state("approvals"), { recursive: true });
  write(watch, "approvals/ab2c.json", { version: 1, yes: false, by: "ann", at: new Date().toISOString() });
}

const write = (watch: Argus, name: string, value: unknown): void =>
  writeFileSync(watch.state(name), `${JSON.stringify(value)}\n`, { mode: 0o600 });
