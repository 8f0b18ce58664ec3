/** The fault campaign, processes, sessions and memory, against Argus as it is installed. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeIdleProgram } from "../idle-program.ts";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const budget = 10;
/** A program by the name of node: what Argus sees of it is the same, and thirty of them cost nothing. */
const node = "/srv/bin/node";
const socket = "/tmp/agents.sock";
const staleSoon = {
  name: "tmux-session-stale",
  description: "The shipped rule with seconds in place of a day",
  forEach: "session",
  conditions: {
    all: [
      { fact: "session", path: "watched", operator: "equal", value: true },
      { fact: "session", path: "attached", operator: "equal", value: false },
      { fact: "session", path: "idleSeconds", operator: "greaterThan", value: 2 },
    ],
  },
  for: { cycles: 3 },
  event: {
    type: "session",
    params: {
      condition: "stale",
      severity: "info",
      subject: "{{session.name}}",
      summary: "tmux session {{session.name}} has been idle for {{session.idleSeconds|duration}}",
      actions: [{ type: "kill_tmux", target: "{{session.name}}" }],
      resolves: true,
    },
  },
};
/** Figures of the kernel that a test may write: a machine has one swap, and it is not the test's. */
const figures = ["/proc/vmstat", "/proc/meminfo"];

beforeAll(async () => {
  host = await bootHost({ name: "processes" });
  await succeed(host, ["useradd", "--create-home", "bob"]);
  await succeed(host, ["mkdir", "-p", "/srv/bin"]);
  writeIdleProgram(`${host.root}${node}`);
  for (const path of figures) host.write(`/srv${path}`, host.read(path));
  const binds = figures.map((path) => `BindReadOnlyPaths=/srv${path}:${path}\n`);
  host.write("/etc/systemd/system/argus.service.d/figures.conf", `[Service]\n${binds.join("")}`);
  await is.installArgus(host, {
    settings: { budgets: { killsPerHour: budget }, tmuxSockets: [socket] },
    rules: [staleSoon],
  });
});
afterAll(async () => await host?.stop());

const asBob = async (script: string) => {
  // Nothing of it may hold the pipes of the test.
  const result = await host.exec(["sh", "-c", `exec </dev/null >/dev/null 2>&1; ${script}`], { user: "bob" });
  expect(result.exitCode, result.stderr).toBe(0);
};
const pidsOf = async (word: string) =>
  (await host.exec(["pgrep", "--full", `^${node} .*${word}`])).stdout.split("\n").filter(Boolean).map(Number);
/** Of processes and sessions: they share a budget. */
const kills = () =>
  is
    .cycles(host)
    .flatMap(({ actions }) =>
      actions.filter(({ type, refusal }) => type.startsWith("kill_") && refusal === null),
    );

it("an orphaned test run that ignores SIGTERM is ended all the same", async () => {
  await asBob(`trap "" TERM; setsid ${node} --test deaf &`);
  const [pid] = await pidsOf("deaf");
  await host.waitFor(() => kills().length > 0, 25_000, "the kill");
  expect(kills()).toMatchObject([{ type: "kill_pid", target: pid, result: "success", verified: true }]);
  expect(kills()[0]?.detail).toContain("SIGKILL");
  expect(await pidsOf("deaf")).toEqual([]);
});

it("a tmux session that went stale is ended, and one that somebody looks at is not", async () => {
  // Not cat: script passes the end of its own input on as a control-D, which would end the session looked at.
  for (const name of ["stale", "busy"])
    await asBob(`tmux -S ${socket} new-session -d -s ${name} sleep infinity`);
  await asBob(`TERM=xterm setsid script --quiet --command 'tmux -S ${socket} attach -t busy' /dev/null &`);
  const names = async () =>
    (await host.exec(["tmux", "-S", socket, "list-sessions", "-F", "#{session_name}"], { user: "bob" }))
      .stdout;
  await host.waitFor(async () => (await names()) === "busy", 20_000, "the end of the stale one");
  await is.moreCycles(host, 4);
  expect(await names()).toBe("busy");
  expect(is.actions(host, "kill_tmux")).toMatchObject([
    { target: "stale", result: "success", verified: true },
  ]);
});

it("a storm of orphans is ended up to the hour's budget, as one problem and one message", async () => {
  const spent = kills().length;
  const one = `${node} --test storm`;
  await host.unit("tests.service", `[Service]\nExecStart=${one}\n`);
  await is.systemctl(host, "start", "tests");
  await asBob(`for i in $(seq 30); do setsid ${one} & done`);
  await host.waitFor(() => kills().length === budget, 25_000, "the budget to be spent");
  const alerts = () => is.alerts(host).filter(({ text }) => text.includes("node --test"));
  await host.waitFor(() => alerts().length > 0, 10_000, "a message");
  await is.moreCycles(host, 3);
  expect(kills().map(({ result, verified }) => `${result} ${verified}`)).toEqual(
    Array.from({ length: budget }, () => "success true"),
  );
  // The one of the service is no orphan.
  expect(await pidsOf("storm")).toHaveLength(31 - (budget - spent));
  expect(await is.activeState(host, "tests")).toBe("active");
  const { problem } = await is.explained(host, "node --test");
  expect(problem.life).toBe("open");
  expect(alerts().map(({ problems }) => problems)).toEqual([[problem.key]]);
  expect(alerts()[0]?.text).toMatch(/orphaned node --test: .* \(and \d+ more\)\n/);
});

it("swap pressure is told, with its figures, and noted while it lasts", async () => {
  const set = (path: string, values: Record<string, number>) => {
    const lines = Object.entries(values).reduce(
      (text, [name, value]) => text.replace(new RegExp(`^(${name}:?) +\\d+`, "m"), `$1 ${value}`),
      host.read(`/srv${path}`),
    );
    host.write(`/srv${path}`, lines);
  };
  set("/proc/meminfo", { SwapTotal: 1_000_000, SwapFree: 100_000 });
  await is.moreCycles(host, 1);
  set("/proc/vmstat", { pswpin: 1_000_000, pswpout: 1_000_000 });
  const about = () => is.registry(host).filter(({ type }) => type === "swap");
  await host.waitFor(() => about().some(({ condition }) => condition === "thrashing"), 10_000, "the traffic");
  await host.waitFor(() => about().some(({ condition }) => condition === "high"), 15_000, "what it holds");
  // The message about its end may be there already.
  expect(is.outbox(host).find(({ text }) => text.includes("CRITICAL swap"))?.text).toMatch(
    /CRITICAL swap traffic is [\d.]+ MB\/s .* 90 % of swap used; .* Consider: /,
  );
  // The traffic was over a moment later, and what is in swap stays there.
  await host.waitFor(
    () => about().some(({ condition, event }) => condition === "thrashing" && event === "resolved"),
    10_000,
    "the end of the traffic",
  );
});
