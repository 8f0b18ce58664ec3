import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bench, only, proposal, temporaryFolder } from "./support.ts";

const sockets: string[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) spawnSync("tmux", ["-S", socket, "kill-server"]);
});

function tmux(...names: string[]) {
  const socket = join(temporaryFolder(), "socket");
  sockets.push(socket);
  const run = (...args: string[]) =>
    spawnSync("tmux", ["-f", "/dev/null", "-S", socket, ...args], { encoding: "utf8" });
  for (const name of names) {
    const { status, stderr } = run("new-session", "-d", "-s", name, "sleep 300");
    if (status !== 0) throw new Error(stderr);
  }
  const sessions = () =>
    run("list-sessions", "-F", "#{session_name}").stdout.trim().split("\n").filter(Boolean).sort();
  const kill = (target: string, more: object = {}) =>
    proposal("kill_tmux", { target, expect: { socket }, ...more });
  return { socket, run, sessions, kill, argus: bench({ policy: { tmuxSockets: [socket] } }) };
}

describe("a tmux session", () => {
  it("is ended on its socket, and is gone", async () => {
    const { argus, kill, sessions } = tmux("agent-1", "agent_2");
    const record = only(await argus.run([kill("agent-1")]));
    expect(record).toMatchObject({
      type: "kill_tmux",
      target: "agent-1",
      result: "success",
      verified: true,
      detail: "tmux kill-session agent-1; it is gone",
    });
    expect(record.steps.map((step) => step.step)).toEqual([
      "allowlist",
      "pause",
      "duplicate",
      "budget",
      "session",
      "self",
    ]);
    expect(sessions()).toEqual(["agent_2"]);
  });

  it("may be the last one of its server", async () => {
    const { argus, kill, sessions } = tmux("agent");
    expect(only(await argus.run([kill("agent")]))).toMatchObject({ result: "success", verified: true });
    expect(sessions()).toEqual([]);
  });

  it("is only ended under its whole name", async () => {
    const { argus, kill, sessions } = tmux("agent-12", "other");
    for (const part of ["agent", "agent-1", "AGENT-12", "agent-12.0"]) {
      const record = only(await argus.run([kill(part)]));
      expect([record.refusal, record.result]).toEqual(["target_gone", "skipped"]);
    }
    expect(sessions()).toEqual(["agent-12", "other"]);
  });

  it("is left alone while somebody is attached to it", async () => {
    const { argus, kill, sessions, socket } = tmux("agent");
    // `script` gives tmux the terminal that it wants.
    const client = spawn("script", ["-qec", `tmux -S ${socket} attach -t =agent`, "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, TERM: "xterm" },
    });
    await new Promise((resolve) => client.stdout?.once("data", resolve));
    const record = only(await argus.run([kill("agent")]));
    client.kill("SIGKILL");
    expect(record).toMatchObject({
      refusal: "not_needed",
      detail: "somebody is attached to the tmux session agent",
    });
    expect(sessions()).toEqual(["agent"]);
  });

  it("is left alone when Argus itself runs in it", async () => {
    const { kill, run, sessions, socket } = tmux("agent", "other");
    const pane = Number(run("list-panes", "-t", "=agent:", "-F", "#{pane_pid}").stdout);
    // An executor that stands where the pane's program stands.
    const own = bench().system.self;
    const argus = bench({ policy: { tmuxSockets: [socket] }, system: { self: { ...own, pid: pane } } });
    expect(only(await argus.run([kill("agent")]))).toMatchObject({
      refusal: "protected_target",
      detail: "Argus itself runs in the tmux session agent",
    });
    expect(only(await argus.run([kill("other")])).result).toBe("success");
    expect(sessions()).toEqual(["agent"]);
  });

  it("is not looked for on a socket that the settings do not name", async () => {
    const { kill, sessions, socket } = tmux("agent");
    const record = only(await bench().run([kill("agent")]));
    expect(record).toMatchObject({
      refusal: "not_allowlisted",
      detail: `the settings do not name the socket ${socket} (tmuxSockets)`,
    });
    expect(sessions()).toEqual(["agent"]);
  });

  it("is gone when its server is", async () => {
    const { argus, kill, run, socket } = tmux("agent");
    run("kill-server");
    expect(only(await argus.run([kill("agent")]))).toMatchObject({
      refusal: "target_gone",
      detail: `there is no tmux session agent on ${socket} any more`,
    });
  });

  it("counts against the budget of kills", async () => {
    const { kill, socket, sessions } = tmux("a", "b");
    const argus = bench({
      policy: { tmuxSockets: [socket], budgets: { kills: 1, restarts: 1, cleanings: 1 } },
    });
    const records = await argus.run([kill("a"), kill("a"), kill("b")]);
    expect(records.map((record) => record.refusal)).toEqual([null, "duplicate", "budget_exhausted"]);
    expect(sessions()).toEqual(["b"]);
  });
});
