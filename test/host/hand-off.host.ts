/** A coding agent on a real host: who it is there, what it can reach, and that what it asks for goes through the executor. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
/** Stands in the journal of the unit, which is evidence. */
const secret = "xK9vQ2mZ7pLw4RtY";

/** Behaves as `claude -p --output-format json` does, and looks around. */
const agent = `#!${process.execPath}
const fs = require("node:fs");
const net = require("node:net");
const { execFileSync } = require("node:child_process");
const incident = fs.readFileSync(0, "utf8");
const attempt = (act) => { try { return String(act()); } catch (error) { return String(error.code ?? error.message); } };
const key = /service:[0-9a-f]{16}/.exec(incident)?.[0] ?? "";
const seen = {
  id: attempt(() => execFileSync("id", ["-un"], { encoding: "utf8" }).trim()),
  capabilities: /CapEff:\\s+(\\w+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1],
  environment: attempt(() => fs.readFileSync("/etc/argus/argus.env", "utf8")),
  state: attempt(() => fs.readdirSync("/var/lib/argus-executor")),
  restart: attempt(() => execFileSync("systemctl", ["restart", "web"], { stdio: "pipe" })),
  write: attempt(() => fs.writeFileSync("/etc/evil", "x")),
  work: attempt(() => fs.writeFileSync("note", "x")),
  home: attempt(() => fs.writeFileSync(process.env.HOME + "/note", "x")),
  key: process.env.AGENT_KEY,
  given: incident,
};
const socket = net.connect("/run/argus-executor.sock");
const finish = (answer) => {
  seen.socket = answer;
  fs.writeFileSync("seen.json", JSON.stringify(seen));
  const mode = fs.readFileSync("mode", "utf8").trim();
  if (mode === "hang") return setInterval(() => undefined, 1000);
  const action = (type, target) => ({ type, target, message: null, problem: key, reason: "the port is free again", confidence: 0.9 });
  const actions = [action("restart_service", "web"), action("restart_service", "sshd"), action("kill_pid", 1)];
  const result = JSON.stringify({ assessment: "web lost its port.", observations: [], actions });
  console.log(JSON.stringify({ type: "result", result, total_cost_usd: 0.02 }));
};
socket.on("connect", () => { socket.destroy(); finish("open"); });
socket.on("error", (error) => finish(error.code));
`;
const rule = {
  name: "web-down-ask-the-agent",
  description: "web is down, and nobody knows why",
  forEach: "service",
  conditions: {
    all: [
      { fact: "service", path: "name", operator: "equal", value: "web" },
      { fact: "service", path: "activeState", operator: "equal", value: "failed" },
    ],
  },
  event: {
    type: "service",
    params: {
      condition: "down",
      severity: "critical",
      subject: "{{service.name}}",
      summary: "{{service.name}} is {{service.activeState}}",
      actions: [{ type: "hand_off" }],
    },
  },
};
const off = [
  "service-down",
  "service-down-cause-unknown",
  "service-down-not-restarted",
  "service-down-hands-off",
  "service-waits-for-dependency",
  "unit-failed",
].map((name) => ({
  name,
  enabled: false,
}));

beforeAll(async () => {
  host = await bootHost({ name: "agent" });
  await succeed(host, ["useradd", "--create-home", "--home-dir", "/srv/coder", "coder"]);
  await succeed(host, ["install", "-d", "-o", "coder", "/srv/coder/work"]);
  host.write("/srv/claude", agent, 0o755);
  host.write("/srv/coder/work/mode", "answer");
  host.write("/etc/argus/agent.env", "AGENT_KEY=of-its-own\n", 0o600);
  await is.service(host, "web", `ExecStart=/bin/sh -c 'echo DB_PASSWORD=${secret}; exec sleep infinity'`);
  await is.systemctl(host, "start", "web");
  await is.installArgus(host, {
    settings: {
      services: [{ unit: "web", restart: true }],
      handOff: {
        command: ["/srv/claude"],
        user: "coder",
        directory: "/srv/coder/work",
        environmentFile: "/etc/argus/agent.env",
        perDay: 2,
        timeoutMinutes: 1,
      },
    },
    rules: [rule, ...off],
  });
});
afterAll(async () => await host?.stop());

const seen = () => JSON.parse(host.read("/srv/coder/work/seen.json"));
const reports = () => is.cycles(host).flatMap(({ hand_offs: all = [] }) => all);

/** What the executor answers to a proposal of whoever owns the part with the network. */
async function askExecutor(more: object): Promise<string> {
  const proposal = {
    type: "hand_off",
    source: "rule:of-the-probe",
    problem: "disk:0123456789abcdef",
    problemType: "disk",
    severity: "critical",
    subject: "x",
    incident: "x",
    ...more,
  };
  const params = { cycle: "probe", host: "h", dryRun: false, proposals: [proposal] };
  const script = `
    const socket = require("node:net").connect("/run/argus-executor.sock");
    let text = "";
    socket.on("data", (data) => {
      text += data;
      for (const line of text.split("\\n").slice(0, -1)) {
        const { beat, result } = JSON.parse(line);
        if (beat) continue;
        const [{ refusal, detail }] = result.actions;
        console.log(refusal + ": " + detail);
        socket.destroy();
        return;
      }
    });
    socket.write(${JSON.stringify(JSON.stringify({ id: 1, method: "execute", params }))} + "\\n");`;
  host.write("/srv/probe.cjs", script, 0o644);
  return (await succeed(host, ["runuser", "-u", "argus", "--", process.execPath, "/srv/probe.cjs"])).trim();
}

describe("a problem that is handed off", () => {
  it("is healed by what the agent proposes, through the executor, and no further", async () => {
    await is.crash(host, "web");
    await host.waitFor(() => reports().length === 1, 20_000, "the agent's report");
    await host.waitFor(async () => (await is.activeState(host, "web")) === "active", 10_000, "web to run");
    expect(is.actions(host, "hand_off")[0]).toMatchObject({ result: "success", source: `rule:${rule.name}` });
    expect(is.actions(host, "restart_service")).toMatchObject([
      { target: "web", source: "llm:hand-off", result: "success", verified: true },
    ]);
    expect(reports()[0]).toMatchObject({
      outcome: "answered",
      assessment: "web lost its port.",
      costDollars: 0.02,
      rejected: [{ what: "restart_service sshd" }, { what: "kill_pid 1" }],
    });
    const { text } = await is.explained(host, "web");
    expect(text).toContain("hand-off answered");
    expect(text).toMatch(/web lost[\s|]+its[\s|]+port/);
  });

  it("is looked into by a user who can change nothing, reads no secret and reaches no executor", () => {
    const { given, ...others } = seen();
    expect(others).toMatchObject({
      id: "coder",
      capabilities: "0000000000000000",
      work: "undefined",
      home: "undefined",
      key: "of-its-own",
    });
    expect(["EACCES", "ENOENT"]).toContain(others.environment);
    expect(["EACCES", "ENOENT"]).toContain(others.state);
    expect(["EACCES", "ENOENT", "ECONNREFUSED"]).toContain(others.socket);
    expect(["EROFS", "EACCES"]).toContain(others.write);
    expect(others.restart).not.toBe("");
    expect(others.restart).toMatch(/Command failed/);
    expect(given).toContain("web is failed");
    expect(given).toContain("DB_PASSWORD=[redacted]");
    expect(given).not.toContain(secret);
  });

  it("has no agent beside the one that is at work, which `argus status` shows, and which is ended at its time limit", async () => {
    host.write("/srv/coder/work/mode", "hang");
    // One outage is handed off once: this is to be another one.
    await is.moreCycles(host, 2);
    await is.crash(host, "web");
    const atWork = async () => /is\s+at\s+work/.test((await is.argus(host, "status")).stdout);
    await host.waitFor(atWork, 15_000, "the second agent");
    await is.moreCycles(host, 3);
    expect(is.actions(host, "hand_off").filter(({ result }) => result === "success")).toHaveLength(2);
    const [unit] = (
      await succeed(host, ["systemctl", "list-units", "--plain", "--no-legend", "argus-hand-off-*"])
    ).split(" ");
    expect(await is.property(host, unit ?? "", "User")).toBe("coder");
    await host.waitFor(() => reports().length === 2, 80_000, "its end");
    expect(reports()[1]).toMatchObject({ outcome: "timed_out", proposals: [] });
    expect((await host.exec(["pgrep", "--uid", "coder"])).stdout).toBe("");
  }, 120_000);

  it("gets no agent beyond those of the day, nor another agent than that of the settings, whoever asks", async () => {
    host.write("/srv/coder/work/mode", "answer");
    await is.systemctl(host, "start", "web");
    await is.moreCycles(host, 2);
    await is.crash(host, "web");
    await is.moreCycles(host, 3);
    expect(is.actions(host, "hand_off").filter(({ result }) => result === "success")).toHaveLength(2);
    expect(await askExecutor({})).toBe("budget_exhausted: 2 of 2 hand-offs were used in the last 24 hours");
    for (const more of [{ user: "root" }, { command: ["/bin/sh"] }, { target: "root" }])
      expect(await askExecutor(more)).toMatch(/^invalid: /);
    expect(
      await succeed(host, ["systemctl", "list-units", "--plain", "--no-legend", "argus-hand-off-*"]),
    ).toBe("");
  });

  it("is told by `argus doctor` to have an agent, as long as it has one", async () => {
    const line = async () => {
      const { stdout } = await is.argus(host, "doctor", "--json");
      return (JSON.parse(stdout) as { name: string }[]).find(({ name }) => name === "coding agent");
    };
    expect(await line()).toMatchObject({
      state: "ok",
      detail: "coder is given what stays unresolved, 2 a day at most",
    });
    await succeed(host, ["usermod", "--append", "--groups", "shadow", "coder"]);
    expect(await line()).toMatchObject({
      state: "limited",
      detail:
        "nothing is handed off: handOff.user: coder belongs to the group shadow, which is as good as root",
    });
  });
});
