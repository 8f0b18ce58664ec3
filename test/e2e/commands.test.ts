/** Every command as a user types it: what it prints, and its exit status. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { afterThis, argus, temporaryDir, until } from "./argus.ts";

const commands = [
  "run",
  "check",
  "explain",
  "status",
  "problems",
  "clean",
  "pause",
  "resume",
  "mode",
  "doctor",
  "approve",
  "deny",
  "summary",
  "stats",
];

test("every command has --help, and wrong usage is status 2 with a sentence", () => {
  const watch = argus();
  for (const command of commands) {
    const help = watch.run(command, "--help");
    expect(help.status, command).toBe(0);
    expect(help.stdout).toContain(`Usage: argus ${command}`);
    const wrong = watch.run(command, "--no-such-option");
    expect(wrong.status, command).toBe(2);
    expect(wrong.stderr).toContain("unknown option '--no-such-option'");
  }
  expect(watch.run("nonsense").status).toBe(2);
  expect(watch.run("pause", "--for", "soon").stderr).toContain("such as 30m, 2h or 7d");
  expect(watch.run("run", "--json")).toMatchObject({
    status: 2,
    stderr: "argus: --json needs --once: a daemon logs JSON lines by itself\n",
  });
});

test("the cycle as JSON has what the contract names, and agrees with free, df, nproc and uptime", () => {
  const { cycle, collectors, findings, actions } = argus().once("--dry-run");
  expect(Object.keys(cycle)).toEqual(
    expect.arrayContaining(["id", "ts", "trigger", "duration_ms", "dry_run", "model"]),
  );
  expect(cycle).toMatchObject({
    trigger: "once",
    dry_run: true,
    model: { asked: false, why: expect.any(String) },
  });
  expect(Array.isArray(findings) && Array.isArray(actions)).toBe(true);
  const names = collectors.map(({ name }) => name);
  expect(names).toEqual(["host", "disks", "processes", "services", "sessions", "endpoints", "self"]);
  const host = collectors.find(({ name }) => name === "host")?.detail ?? "";
  expect(host).toContain(`${execFileSync("nproc", { encoding: "utf8" }).trim()} cores`);
  const [, total = 0, , , , , available = 0] =
    execFileSync("free", ["-b"], { encoding: "utf8" }).split("\n")[1]?.split(/\s+/).map(Number) ?? [];
  const used = Number(/([\d.]+) % of/.exec(host)?.[1]);
  expect(Math.abs(used - 100 * (1 - available / total))).toBeLessThan(5);
  const df = execFileSync("df", ["--output=pcent", "/"], { encoding: "utf8" });
  const disks = collectors.find(({ name }) => name === "disks")?.detail ?? "";
  if (disks.includes("fullest / ")) {
    expect(
      Math.abs(Number(/at ([\d.]+) %/.exec(disks)?.[1]) - Number(/(\d+)%/.exec(df)?.[1])),
    ).toBeLessThanOrEqual(2);
  }
});

test("a dry run changes nothing but Argus's own records", () => {
  const watch = argus();
  const cycle = watch.once("--dry-run");
  for (const { result } of cycle.actions) expect(result).not.toBe("success");
  expect(existsSync(watch.state("outbox"))).toBe(false);
  expect(existsSync(watch.state("executor.json"))).toBe(false);
  expect(watch.run("explain").stdout).toContain(cycle.cycle.id);
});

test("before the first cycle every command says so in one sentence, and makes no state", () => {
  const watch = argus();
  expect(watch.run("explain")).toMatchObject({ status: 1, stdout: "" });
  expect(watch.run("explain").stderr).toMatch(
    /^argus: there is no cycle in \S+ yet; run `argus run --once`, or set ARGUS_STATE_DIR/,
  );
  expect(watch.run("explain", "--why-not", "service-down").stderr).toContain("there is no snapshot yet");
  expect(watch.run("status").status).toBe(0);
  for (const more of [[], ["--open"], ["--all"], ["--type", "disk"]])
    expect(watch.run("problems", ...more).stdout).toBe(
      "Nothing is known yet. No cycle has run on this state folder; argus run --once makes one.\n",
    );
  expect(watch.run("problems", "--json").stdout).toBe("[]\n");
  expect(existsSync(watch.state("."))).toBe(false);
});

test("no problem is said of what was asked for, and of nothing else", () => {
  const watch = argus();
  watch.once("--dry-run");
  const said = (...args: string[]) => watch.run("problems", ...args).stdout;
  expect(said()).toBe("No problem is open, and none was in the last 24 hours.\n");
  expect(said("--open")).toBe("No problem is open.\n");
  expect(said("--type", "disk")).toBe(
    "No problem of that kind is open, and none was in the last 24 hours.\n",
  );
  expect(said("--open", "--severity", "critical")).toBe("No problem of that kind is open.\n");
  expect(said("--key", "disk:0123456789abcdef")).toBe(
    "No problem of that kind is open, and none was in the last 24 hours.\n",
  );
});

test("problems are listed also where the trail cannot be read, and none are not said to be none", () => {
  const watch = argus();
  watch.settings({ endpoints: [{ name: "shop", url: "http://127.0.0.1:9/" }] });
  watch.once();
  rmSync(watch.state("trail.jsonl"));
  mkdirSync(watch.state("trail.jsonl"));
  expect(watch.run("problems")).toMatchObject({ status: 1, stdout: "" });
  rmSync(watch.state("trail.jsonl"), { recursive: true });
  watch.once();
  rmSync(watch.state("trail.jsonl"));
  mkdirSync(watch.state("trail.jsonl"));
  for (const more of [[], ["--open"], ["--all"]]) {
    const { status, stdout } = watch.run("problems", ...more);
    expect([status, stdout]).toEqual([0, expect.stringContaining("shop (http://127.0.0.1:9/)")]);
  }
});

test("options that have no meaning together are refused, and none is passed over", () => {
  const watch = argus();
  const refusal = (...args: string[]) => {
    const { status, stdout, stderr } = watch.run(...args);
    return [status, stdout, stderr.split("\n")[0]];
  };
  expect(refusal("clean", "--last", "--dry-run")).toEqual([
    2,
    "",
    "error: option '--last' cannot be used with option '--dry-run'",
  ]);
  expect(refusal("clean", "/", "--last")).toEqual([
    2,
    "",
    "argus: the last cleaning is shown as it was: leave out the mount point, or --last",
  ]);
  expect(refusal("summary", "--daily")).toEqual([
    2,
    "",
    "argus: --daily needs --send: it says when nothing is sent",
  ]);
});

test("why a rule did not fire: by how much, what is missing, or that there is no such rule", () => {
  const watch = argus({ PATH: "/nonexistent" });
  watch.once();
  const quiet = watch.run("explain", "--why-not", "tmux-session-stale");
  expect(quiet.status).toBe(0);
  expect(quiet.stdout).toContain("tmux");
  expect(watch.run("explain", "--rule", "disk-full").stdout).toContain("is switched off");
  expect(watch.run("explain", "--why-not", "orphan-node-tset")).toMatchObject({
    status: 2,
    stderr: 'argus: there is no rule "orphan-node-tset"; did you mean "orphan-node-test"?\n',
  });
  expect(watch.run("explain", "process:0123456789abcdef").stderr).toContain("nothing is known of a problem");
  expect(watch.run("explain", "2026").stdout).toContain("Cycle 2026");
  expect(watch.run("explain", "1999").status).toBe(2);
});

test("pause stops actions and says until when; resume ends it", () => {
  const watch = argus();
  expect(watch.run("pause", "--for", "2h", "--reason", "upgrade").stdout).toMatch(
    /^Paused until 20[\d :-]+ UTC:/,
  );
  expect(watch.run("status").stdout).toMatch(/Paused +until .*: upgrade/);
  expect(watch.run("resume").stdout).toMatch(/^Resumed; it was paused since 20[\d :-]+ UTC \(upgrade\)\.\n$/);
  expect(watch.run("resume").stdout).toBe("Argus was not paused.\n");
});

test("check: 0 when all is well, 1 when a rule test fails, 2 when a rule or a setting is wrong", () => {
  const watch = argus();
  expect(watch.run("check")).toMatchObject({ status: 0 });
  mkdirSync(`${watch.dir}/rules.d/tests`);
  const wrong = {
    name: "wrong",
    rule: "service-down",
    given: { snapshot: {} },
    expect: { verdict: "fired" },
  };
  writeFileSync(`${watch.dir}/rules.d/tests/mine.json`, JSON.stringify({ tests: [wrong] }));
  const failed = watch.run("check");
  expect(failed.status).toBe(1);
  expect(failed.stdout).toContain('expected the verdict "fired", saw "blind"');
  watch.rule("mine.json", { rules: [{ name: "service-down", enabled: "no" }] });
  expect(watch.run("check").status).toBe(2);
  expect(watch.run("run", "--once").status).toBe(0);
});

test("state that others could have written is refused", () => {
  const watch = argus();
  mkdirSync(watch.state("."), { mode: 0o700 });
  chmodSync(watch.state("."), 0o777);
  const open = watch.run("run", "--once");
  expect(open.status).toBe(2);
  expect(open.stderr).toContain("can be written by everybody");
  chmodSync(watch.state("."), 0o700);
  if (process.getuid?.() === 0) {
    chownSync(watch.state("."), 65_534, 65_534);
    expect(watch.run("run", "--once").status).toBe(2);
  } else {
    expect(watch.run("run", "--once").status).toBe(0);
  }
});

test("a corrupt state file is set aside under another name and said aloud", () => {
  const watch = argus();
  watch.once();
  for (const name of ["streaks.json", "restart-backoff.json", "dedup.json", "executor.json"]) {
    writeFileSync(watch.state(name), "{ torn", { mode: 0o600 });
  }
  const { notes } = watch.once();
  for (const name of ["streaks.json", "restart-backoff.json", "dedup.json", "executor.json"]) {
    expect(notes.join("\n")).toContain(`${watch.state(name)} is not valid JSON`);
    expect(readFileSync(`${watch.state(name)}.corrupt-1`, "utf8")).toBe("{ torn");
  }
  expect(watch.once().notes).toEqual([]);
});

test("a torn last line of registry and trail costs that line and no other", () => {
  const watch = argus();
  const first = watch.once();
  writeFileSync(watch.state("trail.jsonl"), '{"version":1,"kind":"cycle","cycle":{"id":"torn', { flag: "a" });
  const second = watch.once();
  const lines = readFileSync(watch.state("trail.jsonl"), "utf8").trim().split("\n");
  expect(lines).toHaveLength(3);
  expect(watch.run("explain", first.cycle.id).stdout).toContain(first.cycle.id);
  const shown = watch.run("explain", second.cycle.id);
  expect(shown.stdout).toContain(second.cycle.id);
});

test("what Argus keeps is its owner's alone", () => {
  const watch = argus();
  watch.once();
  for (const dir of ["state", "logs"]) {
    expect(statSync(`${watch.dir}/${dir}`).mode & 0o077, dir).toBe(0);
    for (const name of readdirSync(`${watch.dir}/${dir}`)) {
      expect(statSync(`${watch.dir}/${dir}/${name}`).mode & 0o077, name).toBe(0);
    }
  }
});

test("a secret on a command line gets into no record, message, log or report", async () => {
  const secret = "hunter2-Jd83kLq0";
  const child = spawn("sh", ["-c", "read line <&3", "--", `--password=${secret}`], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  afterThis(() => void child.kill("SIGKILL"));
  const watch = argus();
  watch.rule("mine.json", {
    rules: [
      {
        name: "tells-it-all",
        description: "Whoever writes a rule may forget what a command line holds",
        forEach: "process",
        conditions: {
          all: [
            {
              fact: "process",
              path: "commandLine",
              operator: "matches",
              value: "^sh -c read line <.3 -- --password",
            },
          ],
        },
        event: {
          type: "process",
          params: {
            condition: "told",
            severity: "warning",
            subject: "{{process.commandLine}}",
            summary: "pid {{process.pid}} runs {{process.commandLine}}",
            actions: [{ type: "alert" }, { type: "log" }],
            resolves: true,
          },
        },
      },
    ],
  });
  await until("it runs", () => readFileSync(`/proc/${child.pid}/cmdline`, "utf8").includes(secret));
  const [finding] = watch.once().findings;
  expect(finding?.summary).toBe(`pid ${child.pid} runs sh -c read line <&3 -- --password=[redacted]`);
  const key = finding?.key ?? "";
  const printed = [
    ["explain"],
    ["explain", key],
    ["problems"],
    ["problems", "--json"],
    ["status"],
    ["summary"],
    ["stats"],
  ];
  for (const args of printed) expect(watch.run(...args).stdout.includes(secret), args.join(" ")).toBe(false);
  // The last snapshot stays as it was seen, for its owner alone: why-not judges rules on it.
  const files = readdirSync(watch.dir, { recursive: true, withFileTypes: true })
    .filter(({ name, parentPath }) => name !== "mine.json" && !parentPath.endsWith("history"))
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  for (const name of ["trail.jsonl", "problems.jsonl", "observations.md", "argus.log"])
    expect(
      files.some((path) => path.endsWith(name)),
      name,
    ).toBe(true);
  const leaks = files.filter((path) => readFileSync(path, "utf8").includes(secret));
  expect(leaks).toEqual([]);
}, 30_000);

test("works without a home, a path, systemd, docker, tmux, a key or a network", () => {
  const dir = temporaryDir("bare");
  const env = {
    ARGUS_STATE_DIR: `${dir}/state`,
    ARGUS_LOG_DIR: `${dir}/logs`,
    ARGUS_CONFIG: resolve("argus.json"),
  };
  const unshare = process.getuid?.() === 0 ? ["/usr/bin/unshare", "-n"] : [];
  const [program = process.execPath, ...args] = [
    ...unshare,
    process.execPath,
    resolve("dist/main.js"),
    "run",
    "--once",
  ];
  const run = spawnSync(program, args, { env, cwd: dir, encoding: "utf8" });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
  expect(run.stdout).toContain("Looked at");
});
