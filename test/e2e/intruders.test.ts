/**
 * What somebody may put in the place of a file of Argus's. Here each file has its turn with some of it; the whole table
 * is `npm run test:campaign`.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { argus, ended, until } from "./argus.ts";
import { intruders, isNeverOpened, occupied } from "./intruders.ts";

test("every command ends, writes nothing elsewhere, and says in a sentence what is wrong", () => {
  const { files, withIntruder } = occupied();
  const kinds = Object.keys(intruders);
  for (const [index, file] of files.entries()) {
    const name = file.split("/").at(-1) ?? "";
    for (const [offset, command] of [["status"], ["run", "--once"]].entries()) {
      const intruder = kinds[(index + 3 * offset) % kinds.length] ?? "";
      const { status, said, harm } = withIntruder(file, intruder, command);
      const which = `${intruder} as ${file}: argus ${command.join(" ")}`;
      expect(status, `${which} ends in time`).not.toBeNull();
      expect(said, which).not.toMatch(/a bug|^ {4}at /m);
      expect(harm, which).toEqual([]);
      // A second name is of no harm to whoever only reads.
      if (command[0] === "status" && intruder !== "a second name of a file" && !isNeverOpened(file, intruder))
        expect(said, which).toContain(name);
    }
  }
}, 120_000);

const sentences = [
  ["problems.jsonl", "a pipe", "is a named pipe, not a regular file; move it away"],
  ["trail.jsonl", "a link to a file", "is a symbolic link, and Argus follows none among its own files"],
  ["dedup.json", "what everybody can write", "can be written by others than its owner (mode 0666)"],
  ["daemon.lock", "a link to nothing", "is a symbolic link, and Argus follows none among its own files"],
] as const;

test("what is refused is one sentence with the fix, and exit status 1", () => {
  const { watch, withIntruder } = occupied();
  for (const [name, intruder, sentence] of sentences)
    for (const command of [["run", "--once"], ["status"]]) {
      const { status, stdout, stderr } = withIntruder(`state/${name}`, intruder, command);
      expect({ status, stdout, command, lines: stderr.split("\n").length, name }).toEqual({
        status: 1,
        stdout: "",
        command,
        lines: 2,
        name,
      });
      expect(stderr).toContain(`argus: ${watch.state(name)} ${sentence}`);
    }
});

test("a state folder below somebody else's folder is refused", ({ skip }) => {
  if (process.getuid?.() !== 0) skip("only root can give a folder away");
  const watch = argus();
  const theirs = join(watch.dir, "theirs");
  mkdirSync(join(theirs, "state"), { recursive: true });
  chownSync(theirs, 12_345, 12_345);
  watch.env["ARGUS_STATE_DIR"] = join(theirs, "state");
  for (const command of [["run", "--once"], ["status"], ["pause"]]) {
    const { status, stderr } = watch.run(...command);
    expect(status).toBe(2);
    expect(stderr).toContain(`lies below ${theirs}, which belongs to uid 12345`);
  }
});

test("the daemon goes on while its log and its trail are pipes and links, says so, and writes nothing elsewhere", async () => {
  const watch = argus({ ARGUS_INTERVAL: "1" });
  const daemon = watch.start("run");
  const canary = join(watch.dir, "canary");
  writeFileSync(canary, "sings\n");
  const cycles = () => (daemon.output().match(/"msg":"cycle"/g) ?? []).length;
  const log = join(watch.dir, "logs", "argus.log");
  const trail = watch.state("trail.jsonl");
  await until("the first cycle", () => cycles() >= 1);

  renameSync(log, `${log}.kept`);
  spawnSync("mkfifo", [log]);
  await until("a sentence about the log", () => daemon.output().includes(`argus: ${log} is a named pipe`));
  const before = cycles();
  await until("two more cycles", () => cycles() >= before + 2);

  renameSync(trail, `${trail}.kept`);
  symlinkSync(canary, trail);
  await until("a sentence about the trail", () => daemon.output().includes(`${trail} is a symbolic link`));
  renameSync(trail, `${trail}.link`);
  spawnSync("mkfifo", [trail]);
  await until("another one", () => daemon.output().includes(`${trail} is a named pipe`));
  expect(readFileSync(canary, "utf8")).toBe("sings\n");

  renameSync(`${trail}.kept`, trail);
  renameSync(`${log}.kept`, log);
  const after = cycles();
  await until("cycles that are complete again", () => cycles() >= after + 2);
  chmodSync(trail, 0o666);
  await until("a sentence about its mode", () =>
    daemon.output().includes(`${trail} can be written by others`),
  );
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
  expect(existsSync(watch.state("daemon.lock"))).toBe(false);
});

test("a state that this user may not read is said to be that, and never looks empty", ({ skip }) => {
  if (process.getuid?.() !== 0) skip("only root can be another user");
  const watch = argus();
  watch.once();
  chmodSync(watch.dir, 0o755);
  const drop = [
    "--reuid=12345",
    "--regid=12345",
    "--clear-groups",
    process.execPath,
    resolve("dist/main.js"),
  ];
  for (const command of [
    "status",
    "problems",
    "explain",
    "stats",
    "summary",
    "approve",
    "silence list",
    "resume",
  ]) {
    const { status, stdout, stderr } = spawnSync("setpriv", [...drop, ...command.split(" ")], {
      env: watch.env,
      encoding: "utf8",
    });
    expect({ command, status, stdout }).toEqual({ command, status: 1, stdout: "" });
    expect(stderr).toMatch(/^argus: (cannot read|this user may not (read|write)) .*\n$/);
  }
});
