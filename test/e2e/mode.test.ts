/** Watch-only, through the whole program: looked, alerted and recorded, and nothing done. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, test } from "vitest";
import { createLink } from "../../src/system/link/client.ts";
import { type Argus, afterThis, alive, argus, ended, until, unwrapped } from "./argus.ts";
import { lightNode, processRule } from "./light-node.ts";

/** Ends the process, and tells people. */
function rule(pid: number) {
  const { rules } = processRule(pid, true);
  for (const { event } of rules)
    Object.assign(event.params, {
      actions: [
        { type: "kill_pid", target: "{{process.pid}}" },
        { type: "alert", message: "a process of the test" },
      ],
    });
  return { rules };
}

function messages(watch: Argus): string[] {
  const folder = watch.state("outbox");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")).text as string);
}

const kept =
  "argus.env said ARGUS_MODE=watch and says nothing of it any more; Argus goes on watching until it says act (argus mode watch or argus mode act sets it)";
const toNothing = (file: string) => {
  rmSync(file);
  symlinkSync("/nowhere/argus.env", file);
};
const envFile = (watch: Argus) => join(watch.dir, "argus.env");
const kills = (cycle: { actions: { type: string; refusal: unknown; result: string }[] }) =>
  cycle.actions.filter(({ type }) => type === "kill_pid").map(({ refusal, result }) => refusal ?? result);
const isRoot = process.getuid?.() === 0;

test("a cycle that only watches finds, alerts and records what it would have done, and does nothing", () => {
  const watch = argus({ ARGUS_MODE: "watch" });
  const pid = lightNode();
  watch.rule("mine.json", rule(pid));
  const cycle = watch.once();
  const would = `would kill process ${pid}: SIGTERM, and SIGKILL if it is there 5 s later`;
  expect(cycle.findings.map(({ summary }) => summary)).toEqual([`process ${pid} is there`]);
  expect(cycle.actions).toMatchObject([
    { type: "kill_pid", target: pid, result: "skipped", refusal: "watch_only", detail: would },
    { type: "alert", result: "success" },
  ]);
  expect(alive(pid)).toBe(true);
  expect(messages(watch)).toHaveLength(1);
  expect(messages(watch)[0]).toContain(`\nkill_pid ${pid}: ${would}\n`);
  expect(
    watch.registry().map(({ event, action_taken, action_result }) => [event, action_taken, action_result]),
  ).toContainEqual(["action", `kill_pid:${pid}`, "skipped"]);
  expect(watch.run("problems", "--open").stdout).toContain(`process ${pid} is there`);
  expect(unwrapped(watch.run("explain").stdout)).toContain(`${would.slice("would ".length)} (watch_only)`);
  expect(watch.run("status").stdout.split("\n")[1]).toBe(
    "Mode: watch-only: Argus looks and alerts, and changes nothing (argus mode act lets it act)",
  );
  expect(JSON.parse(watch.run("status", "--json").stdout)).toMatchObject({
    mode: "watch",
    budgets: [{ used: 0 }, { used: 0 }, { used: 0 }],
  });
  expect(watch.run("summary").stdout).toContain(
    "\nMode: watch-only: Argus looks and alerts, and changes nothing (",
  );
  expect(unwrapped(watch.run("doctor").stdout)).toContain(
    "limited mode watch-only: Argus looks and alerts, and changes nothing -> argus mode act",
  );
});

test("what a person asks for by hand is done all the same", () => {
  const watch = argus({ ARGUS_MODE: "watch" });
  // On a file system with nothing of the safelist nothing is removed, and the gate is passed.
  const { status, stderr, stdout } = watch.run("clean", "/proc", "--json");
  expect(JSON.parse(stdout).refusal, stderr).not.toBe("watch_only");
  expect(status).toBe(1);
});

test("an approval that was asked for before is answered with what becomes of it", () => {
  const watch = argus();
  const pid = lightNode();
  watch.settings({ approval: { rules: ["kill_pid"] } });
  watch.rule("mine.json", rule(pid));
  watch.once();
  const [{ id }] = JSON.parse(watch.run("approve", "--json").stdout) as [{ id: string }];
  watch.run("mode", "watch");
  expect(watch.run("approve", id)).toMatchObject({
    status: 0,
    stdout: `Approved ${id}: kill_pid ${pid} is not done, because Argus only watches; argus mode act lets it act.\n`,
  });
  expect(kills(watch.once())).toEqual(["watch_only"]);
  expect(alive(pid)).toBe(true);
  watch.run("mode", "act");
  expect(kills(watch.once())).toEqual(["success"]);
});

test("a dry run notifies nobody, and doctor says so", () => {
  const watch = argus({ ARGUS_DRY_RUN: "true" });
  expect(unwrapped(watch.run("doctor").stdout)).toContain(
    "limited dry run ARGUS_DRY_RUN is set: Argus decides everything, changes nothing, and notifies nobody",
  );
  expect(watch.run("mode").stdout).toContain(
    "\nARGUS_DRY_RUN is set as well: nothing is changed, and nobody is notified, whatever the mode.\n",
  );
  expect(argus().run("doctor").stdout).not.toMatch(/dry run|watch-only/);
});

describe("one process", () => {
  it("goes on watching when argus.env says nothing of the mode any more, in the next run too", () => {
    const watch = argus();
    const pid = lightNode();
    watch.rule("mine.json", rule(pid));
    writeFileSync(envFile(watch), "ARGUS_MODE=watch\n");
    expect(kills(watch.once())).toEqual(["watch_only"]);
    writeFileSync(envFile(watch), "");
    for (const cycle of [watch.once(), watch.once()]) {
      expect(kills(cycle)).toEqual(["watch_only"]);
      expect(cycle.notes).toContain(kept);
    }
    expect(unwrapped(watch.run("status").stdout)).toContain(kept);
    expect(watch.run("mode").stdout).toMatch(/^Mode: watch-only \(as argus\.env said before; /);
    expect(watch.run("mode", "act").status).toBe(0);
    expect(kills(watch.once())).toEqual(["success"]);
  });

  it("goes on watching when its daemon reads the settings again, and cannot remember them in a file", async () => {
    const watch = argus({ ARGUS_INTERVAL: "3600" });
    const pid = lightNode();
    writeFileSync(envFile(watch), "ARGUS_MODE=watch\n");
    const daemon = watch.start("run");
    await until("it looks", () => daemon.output().includes('"msg":"cycle"'));
    rmSync(watch.state("mode.json"));
    rmSync(envFile(watch));
    watch.rule("mine.json", rule(pid));
    daemon.kill("SIGHUP");
    await until("it says what it would do", () => daemon.output().includes("watch_only"));
    expect(alive(pid)).toBe(true);
    daemon.kill("SIGTERM");
    expect(await ended(daemon)).toBe(0);
  });
});

describe("argus mode", () => {
  it("does not replace a link that leads nowhere, and notes nobody as having set it", () => {
    const watch = argus();
    symlinkSync("/nowhere/argus.env", envFile(watch));
    expect(watch.run("mode", "watch")).toEqual({
      status: 1,
      stdout: "",
      stderr: `argus: ${envFile(watch)} is a link that leads nowhere; bring back the file that it leads to, or remove the link: sudo rm ${envFile(watch)}\n`,
    });
    expect(existsSync(watch.state("mode.json"))).toBe(false);
  });

  it.runIf(isRoot)("says what to do where the file is mounted by itself", () => {
    const watch = argus();
    writeFileSync(envFile(watch), "ARGUS_MODE=act\n");
    const mount = `mount --bind ${envFile(watch)} ${envFile(watch)}`;
    const { stderr, status } = spawnSync(
      "unshare",
      ["--mount", "sh", "-c", `${mount} && exec ${process.execPath} ${resolve("dist/main.js")} mode watch`],
      { env: watch.env, encoding: "utf8" },
    );
    expect([status, stderr]).toEqual([
      1,
      `argus: ${envFile(watch)} is mounted there by itself (a bind mount), so Argus cannot replace it; write ARGUS_MODE=watch into it yourself\n`,
    ]);
    expect(existsSync(watch.state("mode.json"))).toBe(false);
    expect(readdirSync(watch.dir).filter((name) => name.includes("argus.env"))).toEqual(["argus.env"]);
  });

  it("says the mode, what it means, and where it stands", () => {
    const watch = argus();
    expect(watch.run("mode")).toEqual({
      status: 0,
      stderr: "",
      stdout:
        "Mode: act (the default; ARGUS_MODE is not set)\nArgus looks, alerts, and does on this machine what its rules ask for and the settings allow, within its budgets. `argus mode watch` lets it only look and alert.\n",
    });
    writeFileSync(envFile(watch), "# mine\nARGUS_MODE=watch\n");
    expect(watch.run("mode").stdout).toBe(
      `Mode: watch-only (ARGUS_MODE in ${envFile(watch)}, line 2)\nArgus looks, alerts, and records what it would have done. It restarts, kills and cleans nothing, and starts no coding agent. \`argus mode act\` lets it act.\n`,
    );
    expect(JSON.parse(watch.run("mode", "--json").stdout)).toEqual({
      mode: "watch",
      source: { kind: "file", file: envFile(watch), line: 2 },
      setBy: null,
      dryRun: false,
      inForce: null,
    });
  });

  it("sets it, keeps everything else of the file, and notes who did", () => {
    const watch = argus({ SUDO_USER: "ann" });
    const before = "\uFEFF# of ann's\r\nARGUS_INTERVAL='60'\r\n\r\n;TELEGRAM_CHAT_ID=\r\n";
    writeFileSync(envFile(watch), before);
    chmodSync(envFile(watch), 0o640);
    const set = watch.run("mode", "watch");
    expect([set.status, set.stderr]).toEqual([0, ""]);
    expect(set.stdout).toMatch(
      /^Mode: watch-only \(ARGUS_MODE in \S+argus\.env, line 5, by ann at \S+ \S+ UTC\)\n.*\nNo daemon runs; the next run begins with it\.\n$/,
    );
    expect(readFileSync(envFile(watch), "utf8")).toBe(`${before}ARGUS_MODE=watch\r\n`);
    expect(statSync(envFile(watch)).mode & 0o777).toBe(0o640);
    expect(watch.run("mode", "watch").stdout).toMatch(/\nIt was set already\.\n$/);
    expect(JSON.parse(watch.run("mode", "act", "--json").stdout)).toMatchObject({
      mode: "act",
      setBy: { by: "ann" },
      effect: "No daemon runs; the next run begins with it.",
    });
    expect(readFileSync(envFile(watch), "utf8")).toBe(`${before}ARGUS_MODE=act\r\n`);
  });

  it("makes the file where there is none, for its owner alone", () => {
    const watch = argus();
    expect(watch.run("mode", "watch").status).toBe(0);
    expect(readFileSync(envFile(watch), "utf8")).toBe("ARGUS_MODE=watch\n");
    expect(statSync(envFile(watch)).mode & 0o777).toBe(0o600);
  });

  it("is taken up by a running daemon at once, whose decision log says who set it", async () => {
    const watch = argus({ ARGUS_INTERVAL: "3600", SUDO_USER: "ann" });
    const pid = lightNode();
    watch.run("mode", "watch");
    const daemon = watch.start("run");
    await until("it looks", () => daemon.output().includes('"msg":"cycle"'));
    expect(daemon.output()).toContain('"msg":"started, watch-only: nothing on this machine is changed"');
    watch.rule("mine.json", rule(pid));
    daemon.kill("SIGUSR1");
    await until("it says what it would do", () => daemon.output().includes("watch_only"));
    expect(alive(pid)).toBe(true);
    const act = watch.run("mode", "act");
    expect(act.stdout).toMatch(
      /\nThe daemon takes it up with its next cycle, which begins now; one that is under way ends first\.\n$/,
    );
    await until("it acts", () => !alive(pid));
    const notes = () => JSON.parse(watch.run("explain", "--json").stdout).notes as string[];
    await until("the cycle is recorded", () => notes().length > 0);
    expect(notes()).toEqual([
      expect.stringMatching(/^Argus may act from now on: ann set the mode at \S+ \S+ UTC$/),
    ]);
    daemon.kill("SIGTERM");
    expect(await ended(daemon)).toBe(0);
  });

  const wins = (value: string, file: string) =>
    `argus: ARGUS_MODE is "${value}" in the environment, which wins over ${file}; take it out there: unset ARGUS_MODE; npx argus mode watch\n`;
  it.each([
    [
      "a mode that there is not",
      ["sometimes"],
      {},
      "",
      2,
      () =>
        "error: command-argument value 'sometimes' is invalid for argument 'mode'. It must be watch or act.\n(argus --help lists the commands)\n",
    ],
    [
      "two modes",
      ["watch", "act"],
      {},
      "",
      2,
      () =>
        "error: too many arguments for 'mode'. Expected 1 argument but got 2.\n(argus --help lists the commands)\n",
    ],
    [
      "a file that is wrong",
      ["watch"],
      {},
      "ARGUS_MODE=Watch\n",
      2,
      (file: string) => `argus: ${file}:1: ARGUS_MODE is "Watch", but must be watch or act\n`,
    ],
    [
      "a file that sets it twice",
      ["watch"],
      {},
      "ARGUS_MODE=act\nARGUS_MODE=act\n",
      2,
      (file: string) => `argus: ${file}:2: ARGUS_MODE is set twice; line 1 sets it too\n`,
    ],
    [
      "an environment that wins",
      ["watch"],
      { ARGUS_MODE: "act" },
      "",
      2,
      (file: string) => wins("act", file),
    ],
    [
      "the same from the environment",
      ["watch"],
      { ARGUS_MODE: "watch" },
      "",
      2,
      (file: string) => wins("watch", file),
    ],
  ] as const)("says of %s what is wrong, and changes nothing", (_, args, env, text, status, said) => {
    const watch = argus({ ...env });
    writeFileSync(envFile(watch), text);
    expect(watch.run("mode", ...args)).toEqual({ status, stdout: "", stderr: said(envFile(watch)) });
    expect(readFileSync(envFile(watch), "utf8")).toBe(text);
  });

  it("does not write a file with bytes that would be lost", () => {
    const watch = argus();
    const bytes = Buffer.from([0x23, 0xe4, 0x0a]);
    writeFileSync(envFile(watch), bytes);
    expect(watch.run("mode", "watch")).toEqual({
      status: 1,
      stdout: "",
      stderr: `argus: ${envFile(watch)} holds bytes that are not UTF-8, which would be lost; write ARGUS_MODE=watch into it yourself\n`,
    });
    expect(readFileSync(envFile(watch)).equals(bytes)).toBe(true);
  });

  /** Only root can become somebody else. */
  it.runIf(isRoot)("gives whoever may not read or set it the command that works", () => {
    const watch = argus();
    chmodSync(watch.dir, 0o755);
    writeFileSync(envFile(watch), "ARGUS_MODE=act\n", { mode: 0o600 });
    const asNobody = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [resolve("dist/main.js"), ...args], {
        env: watch.env,
        encoding: "utf8",
        uid: 65_534,
        gid: 65_534,
      });
      return { status, stdout, stderr };
    };
    const places = ["ARGUS_CONFIG", "ARGUS_STATE_DIR", "ARGUS_LOG_DIR", "ARGUS_LOCAL_RULES_DIR"];
    const env = places.map((name) => `${name}=${watch.env[name]}`).join(" ");
    const mayNot = (what: string, command: string) => ({
      status: 1,
      stdout: "",
      stderr: `argus: this user may not ${what} the settings file ${envFile(watch)}, which belongs to root: sudo env ${env} npx argus ${command}\n`,
    });
    expect(asNobody("mode")).toEqual(mayNot("read", "mode"));
    expect(asNobody("mode", "watch")).toEqual(mayNot("write", "mode watch"));
    expect(readFileSync(envFile(watch), "utf8")).toBe("ARGUS_MODE=act\n");
  });
});

describe("the executor's process", () => {
  it("keeps to settings that changed from its next request on, and to the last good ones while they are broken", async () => {
    const watch = argus();
    const socket = `${watch.dir}/executor.sock`;
    watch.env["ARGUS_EXECUTOR_SOCKET"] = socket;
    watch.env["ARGUS_EXECUTOR_STATE_DIR"] = `${watch.dir}/executor`;
    const executor = watch.start("executor");
    await until("it listens", () => existsSync(socket));
    const link = createLink(socket);
    afterThis(() => link.close());
    const view = async () => (await link.ask("view", null)) as { mode: string; settingsFault: string | null };
    const restarts = async () => {
      const { budgets } = (await link.ask("view", null)) as { budgets: { name: string; limit: number }[] };
      return budgets.find(({ name }) => name === "restarts")?.limit;
    };
    expect(await view()).toMatchObject({ mode: "act", settingsFault: null });
    writeFileSync(envFile(watch), "ARGUS_MODE=watch\n");
    expect(await view()).toMatchObject({ mode: "watch", settingsFault: null });
    writeFileSync(envFile(watch), "ARGUS_MODE=sometimes\n");
    const fault = expect.stringMatching(
      /argus\.env:1: ARGUS_MODE is "sometimes", but must be watch or act; the settings of \S+ \S+ UTC stay in force until that is fixed$/,
    );
    // It may be half written: what is wrong with it is said when it has stood for two seconds.
    expect(await view()).toMatchObject({ mode: "watch", settingsFault: null });
    await expect.poll(async () => (await view()).settingsFault, { timeout: 5_000 }).toEqual(fault);
    expect(await view()).toMatchObject({ mode: "watch", settingsFault: fault });
    writeFileSync(envFile(watch), "");
    expect(await view()).toMatchObject({ mode: "watch", settingsFault: kept });
    writeFileSync(envFile(watch), "ARGUS_MODE=act\n");
    expect(await view()).toMatchObject({ mode: "act", settingsFault: null });
    watch.settings({ budgets: { restartsPerHour: 3 } });
    expect(await restarts()).toBe(3);
    writeFileSync(join(watch.dir, "argus.json"), "{ torn");
    expect(await restarts()).toBe(3);
    await expect
      .poll(async () => (await view()).settingsFault, { timeout: 5_000 })
      .toMatch(/^\S+argus\.json:1: .*; the settings of \S+ \S+ UTC stay in force until that is fixed$/);
    // A file that is broken keeps nobody from setting the mode in the other one.
    expect(watch.run("mode", "watch").status).toBe(0);
    expect(await view()).toMatchObject({ mode: "watch" });
    expect(watch.run("mode", "act").status).toBe(0);
    watch.settings({});
    expect(await restarts()).not.toBe(3);
    expect(executor.output().match(/the policy was read again/g)?.length).toBe(5);
    executor.kill("SIGTERM");
    expect(await ended(executor)).toBe(0);
  });

  it.each([
    ["is gone", (file: string) => rmSync(file)],
    ["is a link to nothing", toNothing],
    ["is empty", (file: string) => writeFileSync(file, "")],
    ["says nothing of the mode", (file: string) => writeFileSync(file, "ARGUS_MODE=\nARGUS_INTERVAL=60\n")],
  ])("goes on watching when argus.env %s, also after a restart, until it says act", async (_, lose) => {
    const watch = argus();
    const socket = `${watch.dir}/executor.sock`;
    watch.env["ARGUS_EXECUTOR_SOCKET"] = socket;
    watch.env["ARGUS_EXECUTOR_STATE_DIR"] = `${watch.dir}/executor`;
    writeFileSync(envFile(watch), "ARGUS_MODE=watch\n");
    const start = async () => {
      const executor = watch.start("executor");
      await until("it listens", () => executor.output().includes('"msg":"started'));
      return executor;
    };
    const pid = lightNode();
    watch.rule("mine.json", rule(pid));
    const first = await start();
    expect(kills(watch.once())).toEqual(["watch_only"]);
    lose(envFile(watch));
    const lost = watch.once();
    expect(kills(lost)).toEqual(["watch_only"]);
    expect(lost.notes).toContain(`the executor: ${kept}`);
    first.kill("SIGTERM");
    await ended(first);
    await start();
    const again = watch.once();
    expect(kills(again)).toEqual(["watch_only"]);
    expect(again.notes).toContain(`the executor: ${kept}`);
    expect(unwrapped(watch.run("doctor").stdout)).toContain("limited mode argus.env said ARGUS_MODE=watch");
    if (isRoot) expect(unwrapped(watch.run("status").stdout)).toContain(`the executor: ${kept}`);
    rmSync(envFile(watch), { force: true });
    writeFileSync(envFile(watch), "ARGUS_MODE=act\n");
    const acting = watch.once();
    expect(kills(acting)).toEqual(["success"]);
    expect(acting.notes).not.toContain(`the executor: ${kept}`);
  });

  it("is held to watch by the environment of the daemon, whatever argus.env says", async () => {
    const watch = argus();
    const socket = `${watch.dir}/executor.sock`;
    watch.env["ARGUS_EXECUTOR_SOCKET"] = socket;
    watch.env["ARGUS_EXECUTOR_STATE_DIR"] = `${watch.dir}/executor`;
    writeFileSync(envFile(watch), "ARGUS_MODE=act\n");
    watch.start("executor");
    await until("it listens", () => existsSync(socket));
    const pid = lightNode();
    watch.rule("mine.json", rule(pid));
    watch.env["ARGUS_MODE"] = "watch";
    expect(kills(watch.once())).toEqual(["watch_only"]);
    expect(watch.run("status").stdout).toContain("Mode: watch-only");
    delete watch.env["ARGUS_MODE"];
    expect(kills(watch.once())).toEqual(["success"]);
  });

  it("holds a whole Argus of two processes to the mode", async () => {
    const watch = argus();
    const socket = `${watch.dir}/executor.sock`;
    watch.env["ARGUS_EXECUTOR_SOCKET"] = socket;
    watch.env["ARGUS_EXECUTOR_STATE_DIR"] = `${watch.dir}/executor`;
    watch.start("executor");
    await until("it listens", () => existsSync(socket));
    const pid = lightNode();
    watch.rule("mine.json", rule(pid));
    const set = watch.run("mode", "watch");
    expect(set.stderr).toBe("");
    if (isRoot) expect(set.stdout).toContain("\nThe executor keeps to it from now on.\n");
    expect(kills(watch.once())).toEqual(["watch_only"]);
    expect(alive(pid)).toBe(true);
    watch.run("mode", "act");
    const acting = watch.once();
    expect(kills(acting)).toEqual(["success"]);
    expect(acting.notes).toContainEqual(
      expect.stringMatching(/^Argus may act from now on: \S+ set the mode at \S+ \S+ UTC$/),
    );
    expect(watch.once().notes).not.toContainEqual(expect.stringContaining("set the mode"));
    await until("it is gone", () => !alive(pid));
  });
});
