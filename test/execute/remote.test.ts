/** The executor behind a socket, as the part without privileges drives it. */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { rootSocketOf } from "../../src/execute/entrance.ts";
import { createExecutor } from "../../src/execute/executor.ts";
import { writeModeSet } from "../../src/execute/mode-set.ts";
import { writePause } from "../../src/execute/pause.ts";
import { askForActions, createRemoteExecutor } from "../../src/execute/remote.ts";
import { type Reread, serveExecutor } from "../../src/execute/serve.ts";
import { changeSilences } from "../../src/execute/silences.ts";
import { createFiles } from "../../src/system/files.ts";
import { createLink } from "../../src/system/link/client.ts";
import { serveLink } from "../../src/system/link/server.ts";
import { readStat } from "../../src/system/proc.ts";
import { remoteWitness } from "../../src/system/witness.ts";
import { isoTime } from "../../src/types/moment.ts";
import { bench, type ManualClock, manualClock, policy } from "./support.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const signal = new AbortController().signal;

/** Two processes' worth of Argus in one: `own` is the folder of the part that talks, `its` that of the executor. */
async function twoParts(
  options: {
    dryRun?: boolean;
    killable?: string[];
    units?: object;
    clock?: ManualClock;
    reread?: Reread;
  } = {},
) {
  const one = bench(options.clock === undefined ? {} : { system: { clock: options.clock } });
  const { system, stateDir: own } = one;
  const its = mkdtempSync(join(tmpdir(), "argus-remote-"));
  const path = join(its, "socket");
  if (options.units !== undefined)
    writeFileSync(join(its, "restart-backoff.json"), JSON.stringify({ version: 1, units: options.units }));
  const given = { ...policy, killable: options.killable ?? ["sleep"], tmuxSockets: ["/run/agents.sock"] };
  const served = serveExecutor(
    system,
    {
      policy: given,
      dryRun: options.dryRun ?? false,
      stateDir: its,
      ...(options.reread === undefined ? {} : { reread: options.reread }),
    },
    () => {},
  );
  const server = await serveLink({ path }, served.daemon, () => {});
  mkdirSync(dirname(rootSocketOf(path)));
  const rootServer = await serveLink({ path: rootSocketOf(path) }, served.root, () => {});
  const link = createLink(path);
  const rootLink = createLink(rootSocketOf(path));
  ends.push(
    () => rmSync(its, { recursive: true, force: true }),
    () => server.close(),
    () => rootServer.close(),
    () => link.close(),
    () => rootLink.close(),
  );
  const words = createExecutor(system, { ...one.policy }, own);
  return {
    one,
    system,
    own,
    its,
    path,
    link,
    rootLink,
    server,
    served,
    executor: createRemoteExecutor(words, link),
  };
}

function sleeper(): { pid: number; startTime: number; isGone(): boolean } {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  ends.push(() => child.kill("SIGKILL"));
  const { pid = 0 } = child;
  const stat = readStat(bench().system.files, pid);
  return { pid, startTime: stat?.startTime ?? 0, isGone: () => child.signalCode !== null };
}

const about = {
  problem: "process:0123456789abcdef",
  problemType: "process",
  severity: "warning",
  subject: "sleep",
};
const kill = ({ pid, startTime }: { pid: number; startTime: number }) => ({
  type: "kill_pid",
  target: pid,
  expect: { startTime },
  source: "rule:test",
  ...about,
});
const alert = { type: "alert", message: "a sleeper", source: "rule:test", ...about };
const request = (...proposals: unknown[]) => ({ cycle: "c1", host: "landmass", dryRun: false, proposals });

describe("with the executor in another process", () => {
  it("ends a process there and says so here, each answer in its proposal's place", async () => {
    const { executor, own, its } = await twoParts();
    const victim = sleeper();
    const { actions, notes } = await executor.execute(
      request(alert, kill(victim), { type: "dance" }),
      signal,
    );
    expect(actions.map(({ type, result }) => [type, result])).toEqual([
      ["alert", "success"],
      ["kill_pid", "success"],
      ["dance", "skipped"],
    ]);
    expect(notes).toEqual([]);
    // It has ended; node hears of it a moment later.
    await vi.waitFor(() => expect(victim.isGone()).toBe(true));
    // What was spent is remembered where the asking part cannot write; what was said, where it is sent from.
    expect(JSON.parse(readFileSync(join(its, "executor.json"), "utf8")).spent.kills).toHaveLength(1);
    expect(existsSync(join(own, "executor.json"))).toBe(false);
    expect(existsSync(join(own, "outbox"))).toBe(true);
    expect(existsSync(join(its, "outbox"))).toBe(false);
  });

  it("holds to its own policy and pause, whatever the asking part has in its settings", async () => {
    let next: ReturnType<Reread> = null;
    const { executor, its, system } = await twoParts({ killable: ["node"], reread: () => next });
    const victim = sleeper();
    const refused = await executor.execute(request(kill(victim)), signal);
    expect(refused.actions[0]).toMatchObject({ result: "skipped", refusal: "not_allowlisted" });
    next = { policy: { ...policy, killable: ["sleep"] }, dryRun: false };
    const since = isoTime(system.clock.now());
    writePause(system.files, its, { until: null, reason: "upgrade", since }, () => {});
    const paused = await executor.execute({ ...request(kill(victim)), cycle: "c2" }, signal);
    expect(paused.actions[0]).toMatchObject({ result: "skipped", refusal: "paused" });
    expect((await executor.view()).pause).toMatchObject({ reason: "upgrade" });
    expect(victim.isGone()).toBe(false);
  });

  it("changes nothing in its own dry run, even when it is asked for a live one", async () => {
    const { executor } = await twoParts({ dryRun: true });
    const victim = sleeper();
    const { actions } = await executor.execute(request(kill(victim)), signal);
    expect(actions[0]).toMatchObject({ result: "skipped", refusal: "dry_run" });
    expect(victim.isGone()).toBe(false);
  });

  it("still tells people when the executor is gone, and says that nothing was done", async () => {
    const { executor, server, path, link } = await twoParts();
    link.close();
    await server.close();
    const victim = sleeper();
    const { actions } = await executor.execute(request(kill(victim), alert), signal);
    expect(actions[0]).toMatchObject({
      type: "kill_pid",
      target: victim.pid,
      result: "failure",
      verified: null,
      detail: `not done, because the executor did not answer: ${path} cannot be reached: connect ENOENT ${path}; look at: systemctl status argus-executor`,
    });
    expect(actions[1]).toMatchObject({ type: "alert", result: "success" });
    await expect((async () => executor.view())()).rejects.toThrow(/cannot be reached/);
  });

  it.each([
    ["another method", "shell", { command: "id" }, /^the executor knows no shell$/],
    ["a method of every object", "constructor", {}, /^the executor knows no constructor$/],
    ["a request of another shape", "execute", { proposals: [], cycle: 1 }, /expected string/],
    ["a key that it does not know", "execute", { ...request(), policy: { killable: ["sshd"] } }, /policy/],
    [
      "sessions on a socket that is not named",
      "sessions",
      { socket: "/tmp/evil" },
      /do not name the tmux socket/,
    ],
    ["a path in place of a pid", "executables", { pids: ["1/../../etc/shadow"] }, /expected number/],
    ["a question about no number", "abandonments", { questions: [{ pid: "self" }] }, /expected number/],
    [
      "a question that asks for more",
      "abandonments",
      { questions: [{ pid: 1, startTime: 1, agent: null, environment: true }] },
      /environment/,
    ],
  ])("refuses %s", async (_, method, params, why) => {
    const { link } = await twoParts();
    await expect(link.ask(method, params)).rejects.toThrow(why);
  });

  it("tells what is behind a pid, and nothing else", async () => {
    const { link } = await twoParts();
    const victim = sleeper();
    const answer = await remoteWitness(link).executables([victim.pid, 4_194_304]);
    expect(answer[0]).toMatch(/\/(sleep|coreutils)$/);
    expect(answer[1]).toBeNull();
  });

  it("says of a process whether it is abandoned, and nothing of its environment or files", async () => {
    const { link } = await twoParts();
    const victim = sleeper();
    const { pid = 0 } = victim;
    const startTime = readStat(createFiles("/"), pid)?.startTime ?? 0;
    const answer = await link.ask("abandonments", { questions: [{ pid, startTime, agent: null }] });
    expect(answer).toEqual([
      { orphan: false, abandoned: false, isOther: false, because: "somebody above it still waits for it" },
    ]);
  });

  it("forgets no attempt because the asking part says that all is well", async () => {
    const at = bench().system.clock.now();
    const units = { "argus-none.service": { attempts: 3, last: at, healthySince: null } };
    const { executor } = await twoParts({ units });
    await executor.observeHealth(["argus-none.service"], []);
    expect((await executor.view()).backoffs).toMatchObject([{ attempts: 3, healthySince: null }]);
  });

  /** Half an hour, about sleep, made by root. */
  function silence(clock: ManualClock, files: Parameters<typeof changeSilences>[0], its: string, more = {}) {
    const now = clock.now();
    const until = isoTime({ ...now, wallMs: now.wallMs + 1_800_000 });
    const match = { subject: "sleep" };
    const one = { id: "ab23", match, since: isoTime(now), until, reason: "", by: "root", actions: false };
    changeSilences(
      files,
      its,
      now,
      () => {},
      () => [{ ...one, ...more }],
    );
  }

  it("keeps to the silences of its last look while the executor is gone, and no longer than each lasts", async () => {
    const clock = manualClock();
    const { executor, system, its, server, link } = await twoParts({ clock });
    silence(clock, system.files, its);
    await executor.view();
    link.close();
    await server.close();
    const told = async (cycle: string) =>
      (await executor.execute({ ...request(alert), cycle }, signal)).actions[0];
    expect(await told("c1")).toMatchObject({ result: "suppressed", refusal: "silenced" });
    clock.advance(1800);
    expect(await told("c2")).toMatchObject({ result: "success", refusal: null });
  });

  it.each([
    ["that it is a recovery", { recovery: true }],
    ["that it is about something else", { subject: "other" }],
  ])("does nothing about a silenced unit, though the asking part says %s", async (_, said) => {
    const clock = manualClock();
    const { link, system, its } = await twoParts({ clock });
    silence(clock, system.files, its, { match: { subject: "web" }, actions: true });
    const restart = { type: "restart_service", target: "web", source: "rule:test", ...about, subject: "web" };
    const reply = await link.ask("execute", request({ ...restart, ...said }));
    expect(reply).toMatchObject({ actions: [{ result: "suppressed", refusal: "silenced" }] });
  });
});

describe("the ways in to the executor's process", () => {
  const clean = {
    type: "clean_disk",
    source: "operator",
    ...about,
    problem: "disk:0123456789abcdef",
    problemType: "disk",
  };
  const answers = ({ actions }: { actions: readonly { refusal: string | null; detail: string }[] }) =>
    actions.map(({ refusal, detail }) => [refusal, detail]);

  it.each(["operator", "self"])("the daemon's believes nobody who says to be `%s`", async (source) => {
    const { link } = await twoParts();
    const victim = sleeper();
    const reply = await askForActions(
      link,
      request({ ...kill(victim), source }, { ...clean, source }),
      signal,
    );
    const sentence = `source ${source} is not believed on the daemon's socket`;
    expect(answers(reply)).toEqual([
      ["invalid", sentence],
      ["invalid", sentence],
    ]);
    expect(victim.isGone()).toBe(false);
    // Nor does it put words of a person into the decision log.
    expect(await link.ask("view", null)).toMatchObject({ unrecorded: [] });
  });

  it.each(["rule:x", "llm:x", "self"])("root's takes nothing from `%s`", async (source) => {
    const { rootLink } = await twoParts();
    const victim = sleeper();
    const reply = await askForActions(rootLink, request({ ...kill(victim), source }), signal);
    expect(answers(reply)).toEqual([
      ["invalid", "source must be `operator` on root's socket; rules and models ask by the daemon's"],
    ]);
    expect(victim.isGone()).toBe(false);
  });

  it.each(["link", "rootLink"] as const)("%s: nothing is written for whoever asks for words", async (way) => {
    const parts = await twoParts();
    const canary = join(parts.own, "canary");
    writeFileSync(canary, "as it was");
    symlinkSync(canary, join(parts.own, "observations.md"));
    const before = readdirSync(parts.its);
    const source = way === "link" ? "rule:x" : "operator";
    const words = ["alert", "log", "file_bead"].map((type) => ({ type, message: "hello", ...about, source }));
    const reply = await askForActions(parts[way], request(...words), signal);
    expect(answers(reply)).toEqual(
      ["alert", "log", "file_bead"].map((type) => [
        "invalid",
        `${type} changes nothing on the machine: the executor's process carries out machine actions only`,
      ]),
    );
    expect(readFileSync(canary, "utf8")).toBe("as it was");
    // What root was refused is an entry for the decision log.
    const since = readdirSync(parts.its).filter((name) => !before.includes(name));
    expect(since).toEqual(way === "link" ? [] : ["operator-actions.json"]);
  });

  it("root's takes a second command within a cycle, and the cycle goes on as if there had been none", async () => {
    const { link, rootLink } = await twoParts();
    const victim = sleeper();
    const first = await askForActions(link, request(kill(victim)), signal);
    expect(first.actions[0]?.result).toBe("success");
    for (const cycle of ["command-1", "command-2"]) {
      const byHand = { ...kill(sleeper()), source: "operator" };
      const [action] = (await askForActions(rootLink, { ...request(byHand), cycle }, signal)).actions;
      expect([cycle, action?.result]).toEqual([cycle, "success"]);
    }
    // Still the same cycle: what it asked for already is not done again.
    const again = await askForActions(link, request(kill(victim)), signal);
    expect(again.actions[0]?.refusal).toBe("duplicate");
  });

  it("what root asked for waits, also over a restart, until the decision log has it", async () => {
    const { link, rootLink, system, its } = await twoParts({ clock: manualClock() });
    await askForActions(rootLink, { ...request(clean), cycle: "command-1" }, signal);
    expect(createExecutor(system, policy, its).view()).toMatchObject({
      unrecorded: [{ id: "command-1", host: "landmass", action: { type: "clean_disk", source: "operator" } }],
    });
    await expect(rootLink.ask("recorded", { ids: ["command-1"] })).rejects.toThrow("knows no recorded");
    await link.ask("recorded", { ids: ["command-1"] });
    expect(await link.ask("view", null)).toMatchObject({ unrecorded: [] });
  });

  it("acts or only watches as its own settings say at the time, and says who changed that", async () => {
    let next: ReturnType<Reread> = null;
    const { executor, rootLink, its, system } = await twoParts({ reread: () => next });
    const victim = sleeper();
    await executor.view();
    const set = { mode: "watch", by: "ann", at: "2026-11-20T22:41:00Z" } as const;
    writeModeSet(system.files, its, set);
    next = { policy: { ...policy, mode: "watch" }, dryRun: false };
    // Whoever asks another way hears it too, and takes it from nobody.
    expect(await rootLink.ask("view", null)).toMatchObject({ mode: "watch", modeSet: set });
    await executor.view();
    const watching = await executor.execute(request(kill(victim), alert), signal);
    expect(watching.actions.map(({ result, refusal }) => refusal ?? result)).toEqual([
      "watch_only",
      "success",
    ]);
    expect(watching.notes).toEqual([
      "Argus only watches from now on: ann set the mode at 2026-11-20 22:41:00 UTC",
    ]);
    next = { policy: { ...policy, mode: "act" }, dryRun: false };
    await executor.view();
    const acting = await executor.execute({ ...request(kill(victim)), cycle: "c2" }, signal);
    expect(acting.actions[0]).toMatchObject({ result: "success" });
    expect(acting.notes).toEqual(["Argus may act from now on (ARGUS_MODE)"]);
  });

  it("goes on with the settings it had while those of now are broken, and says so each cycle", async () => {
    let next: ReturnType<Reread> = null;
    const { executor } = await twoParts({ reread: () => next });
    next = { fault: "the settings in force stay as they were: argus.env:1: is torn" };
    await executor.view();
    next = null;
    await executor.view();
    const first = await executor.execute(request(kill(sleeper())), signal);
    expect(first.actions[0]?.result).toBe("success");
    const said = ["the executor: the settings in force stay as they were: argus.env:1: is torn"];
    expect(first.notes).toEqual(said);
    await executor.view();
    expect((await executor.execute({ ...request(), cycle: "c2" }, signal)).notes).toEqual(said);
    next = { policy, dryRun: false };
    await executor.view();
    expect((await executor.execute({ ...request(), cycle: "c3" }, signal)).notes).toEqual([]);
  });

  it("keeps no more sentences than anybody will read", async () => {
    const { link } = await twoParts();
    for (let user = 1; user <= 300; user += 1)
      await link.ask("order", { order: "resume", by: { user, name: `n${user}` } });
    const { notes } = await askForActions(link, request(kill(sleeper())), signal);
    expect(notes.length).toBeLessThanOrEqual(200);
  });
});
