/** State that belongs to somebody else: whoever may not read it is given the command that does, and no empty report. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Argus, argus, unwrapped } from "./argus.ts";

const nobody = 65_534;
const reading: string[][] = [
  ["status"],
  ["status", "--json"],
  ["problems"],
  ["problems", "--open"],
  ["problems", "--since", "2h"],
  ["explain"],
  ["explain", "--rule", "service-down"],
  ["stats"],
  ["summary"],
  ["approve"],
  ["silence", "list"],
  ["clean", "--last"],
];
const changing: string[][] = [
  ["approve", "abcd"],
  ["deny", "abcd"],
  ["pause", "--for", "2h"],
  ["resume"],
  ["silence", "add", "--subject", "the web", "--for", "1h"],
  ["silence", "remove", "abcd"],
  ["ack", "service:0123456789abcdef"],
  ["clean"],
  ["clean", "--dry-run"],
];

function asNobody(watch: Argus, args: readonly string[], cwd?: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve("dist/main.js"), ...args], {
    env: watch.env,
    encoding: "utf8",
    ...(cwd === undefined ? {} : { cwd }),
    uid: nobody,
    gid: nobody,
  });
  return { status, stdout, stderr };
}

/** @returns an Argus of root's with a state, in a folder that everybody may enter. */
function ofRoot(): Argus {
  const watch = argus();
  chmodSync(watch.dir, 0o755);
  watch.once("--dry-run");
  watch.run("silence", "add", "--subject", "web", "--for", "2h");
  watch.run("pause", "--for", "1h");
  return watch;
}

const quoted = (argument: string) => (argument === "the web" ? "'the web'" : argument);

/** Only root can become somebody else, who may not look into its folders. */
describe.runIf(process.getuid?.() === 0)("whoever has not all rights of root on root's state", () => {
  it("is given the command that works, by every command", { timeout: 60_000 }, () => {
    const watch = ofRoot();
    const state = watch.state("").replace(/\/$/, "");
    const before = readdirSync(state);
    const command = (args: readonly string[]) =>
      new RegExp(
        `: sudo env (ARGUS_\\w+=\\S+ )*ARGUS_STATE_DIR=${state} (ARGUS_\\w+=\\S+ )*(npx )?argus ${args.map(quoted).join(" ")}\n$`,
      );
    for (const args of [...reading, ...changing]) {
      const { status, stdout, stderr } = asNobody(watch, args);
      expect([args, status, stdout]).toEqual([args, 1, ""]);
      expect(stderr).toMatch(
        /^argus: this user may not (read|write) the state folder \S+, which belongs to root: sudo /,
      );
      expect(stderr).toMatch(command(args));
      expect(stderr.split("\n")).toHaveLength(2);
    }
    expect(readdirSync(state)).toEqual(before);
  });

  it("is given the command of the user whose state it is, for what changes it", { timeout: 60_000 }, () => {
    const watch = ofRoot();
    const owner = 12_345;
    for (const name of ["", ...readdirSync(watch.state(""), { recursive: true }).map(String)])
      chownSync(watch.state(name), owner, nobody);
    // A member of the group may read it.
    chmodSync(watch.state(""), 0o750);
    for (const args of [...changing, ["clean"]]) {
      const { status, stderr } = asNobody(watch, args);
      expect([args, status]).toEqual([args, 1]);
      expect(stderr).toMatch(
        /^argus: this user may not write the state folder \S+, which belongs to 12345: sudo -u '#12345' /,
      );
      expect(stderr).not.toContain("group");
    }
  });

  it("is told by check and doctor that argus.env was not looked at", () => {
    const watch = argus();
    chmodSync(watch.dir, 0o755);
    const file = `${watch.dir}/argus.env`;
    writeFileSync(file, "ARGUS_MODE=watch\n", { mode: 0o600 });
    const check = asNobody(watch, ["check"]);
    expect(unwrapped(check.stdout)).toContain(
      `All that could be read is well. This user cannot read ${file}, so it was not checked: sudo argus check`,
    );
    expect(check.stdout).not.toContain("All is well");
    expect(check.status).toBe(0);
    expect(unwrapped(asNobody(watch, ["doctor"]).stdout)).toContain(
      `limited secrets this user cannot read ${file}, so nothing in it is checked -> sudo argus doctor`,
    );
  });

  it("starts programs also from a folder that it may not enter, such as the /root of root's shell", () => {
    const watch = argus();
    chmodSync(watch.dir, 0o755);
    const closed = `${watch.dir}/closed`;
    mkdirSync(closed, { mode: 0o700 });
    // setpriv keeps the folder, which a child of ours could not begin in.
    const { stdout } = spawnSync(
      "setpriv",
      [
        `--reuid=${nobody}`,
        `--regid=${nobody}`,
        "--clear-groups",
        process.execPath,
        resolve("dist/main.js"),
        "doctor",
      ],
      { env: watch.env, encoding: "utf8", cwd: closed },
    );
    expect(unwrapped(stdout)).toContain(
      "a test process was recognised by pid and start time, and terminated",
    );
  });

  it("is not told of an installation that it may not look into that it is broken, nor to take its files", () => {
    const watch = ofRoot();
    watch.env.ARGUS_EXECUTOR_SOCKET = `${watch.dir}/none/socket`;
    const { stdout } = asNobody(watch, ["doctor"]);
    expect(unwrapped(stdout)).toMatch(
      /limited cycles this user may not read the state folder \S+, which belongs to root -> sudo /,
    );
    expect(stdout).not.toContain("permission denied");
  });

  it("is told nothing in status of a file that Argus keeps to itself", () => {
    const watch = ofRoot();
    for (const dir of [watch.state(""), `${watch.dir}/logs`])
      for (const name of ["", ...readdirSync(dir, { recursive: true }).map(String)]) {
        chownSync(join(dir, name), 0, nobody);
        chmodSync(join(dir, name), 0o750);
      }
    writeFileSync(watch.state("good_env.json"), "{}", { mode: 0o600 });
    const { status, stdout, stderr } = asNobody(watch, ["status"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).not.toContain("good_env.json");
  });

  it("is told by doctor who owns the folders, and the command that works", () => {
    const watch = ofRoot();
    const { status, stdout } = asNobody(watch, ["doctor", "--json"]);
    const checks = JSON.parse(stdout) as { name: string; state: string; detail: string }[];
    const of = (wanted: string) => checks.find(({ name }) => name === wanted);
    const sudo = "sudo env (ARGUS_\\w+=\\S+ )+(npx )?argus doctor --json$";
    expect(status).toBe(1);
    expect(of("state")?.state).toBe("broken");
    expect(of("state")?.detail).toMatch(
      new RegExp(
        `^this user may not write the state folder ${watch.dir}/state, which belongs to root: ${sudo}`,
      ),
    );
    expect(of("logs")?.detail).toMatch(
      new RegExp(`^this user may not write the log folder ${watch.dir}/logs, which belongs to root: ${sudo}`),
    );
  });

  it("is not advised to be root when it is root without CAP_SYS_PTRACE, as in a container", () => {
    const watch = argus();
    const { stdout } = spawnSync(
      "setpriv",
      ["--bounding-set=-sys_ptrace", process.execPath, resolve("dist/main.js"), "doctor", "--json"],
      { env: watch.env, encoding: "utf8" },
    );
    const found = JSON.parse(stdout).find(({ name }: { name: string }) => name === "disk cleaning");
    expect(found).toMatchObject({
      state: "limited",
      detail: "cannot see the open files of all processes, so it leaves what belongs to other users",
      mend: expect.stringMatching(/^give Argus CAP_SYS_PTRACE/),
    });
  });

  it("is given it too where only the files are closed, and where a folder above is", () => {
    const watch = ofRoot();
    chmodSync(watch.state(""), 0o755);
    for (const args of reading) expect(asNobody(watch, args)).toMatchObject({ status: 1, stdout: "" });
    expect(asNobody(watch, ["status"]).stderr).toContain("which belongs to root: sudo env ");
    expect(asNobody(watch, ["problems"]).stderr).toContain("which belongs to root: sudo env ");
    chmodSync(watch.dir, 0o711);
    chmodSync(watch.state(""), 0o700);
    expect(asNobody(watch, ["doctor"])).toMatchObject({ status: 1 });
  });
});
