/** A coding agent on a real host: who it is there, what it can reach, and that what it asks for goes through the executor. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const secret = "tg-4711-very-secret";

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
const off = ["service-down", "service-down-hands-off", "unit-failed"].map((name) => ({
  name,
  enabled: false,
}));

beforeAll(async () => {
  host = await bootHost({ name: "agent" });
  await succeed(host, ["useradd", "--create-home", "coder"]);
  await succeed(host, ["install", "-d", "-o", "coder", "/home/coder/work"]);
  host.write("/srv/claude", agent, 0o755);
  host.write("/home/coder/work/mode", "answer");
  await is.service(host, "web");
  await is.systemctl(host, "start", "web");
  await is.installArgus(host, {
    settings: {
      services: [{ unit: "web", restart: true }],
      handOff: {
        command: ["/srv/claude"],
        user: "coder",
        directory: "/home/coder/work",
        perDay: 2,
        timeoutMinutes: 1,
      },
    },
    env: { TELEGRAM_BOT_TOKEN: secret, TELEGRAM_CHAT_ID: "1", TELEGRAM_API_URL: "http://127.0.0.1:9" },
    rules: [rule, ...off],
  });
});
afterAll(async () => await host?.stop());

const seen = () => JSON.parse(host.read("/home/coder/work/seen.json"));
const reports = () => is.cycles(host).flatMap(({ hand_offs: all = [] }) => all);

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
    expect(text).toMatch(/web lost\s+its\s+port/);
  });

  it("is looked into by a user who can change nothing, reads no secret and reaches no executor", () => {
    const { given, ...others } = seen();
    expect(others).toMatchObject({ id: "coder", capabilities: "0000000000000000", work: "undefined" });
    expect(["EACCES", "ENOENT"]).toContain(others.environment);
    expect(["EACCES", "ENOENT"]).toContain(others.state);
    expect(["EACCES", "ENOENT", "ECONNREFUSED"]).toContain(others.socket);
    expect(["EROFS", "EACCES"]).toContain(others.write);
    expect(others.restart).not.toBe("");
    expect(others.restart).toMatch(/Command failed/);
    expect(given).toContain("web is failed");
    expect(given).not.toContain(secret);
  });

  it("has no agent beside the one that is at work, which `argus status` shows, and which is ended at its time limit", async () => {
    host.write("/home/coder/work/mode", "hang");
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
});
