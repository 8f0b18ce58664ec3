/** Whose a test run is where a real systemd has units, scopes, sessions and users' managers: three cycles each. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TrailCycle } from "../../src/types/trail.ts";
import { writeIdleProgram } from "../idle-program.ts";
import { argusFor, layDown, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
const node = "/srv/bin/node";
const lost = ">/dev/null 2>&1 </dev/null &";
const real = process.execPath;

/** Starts the rest of its command line through pipes, as an agent's shell tool does. */
const agent = `
import { spawn } from "node:child_process";
const [, , ...command] = process.argv;
spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "pipe"], detached: true });
setInterval(() => {}, 1000);
`;
/** A service that runs agents, and goes on when one of them is killed. */
const gateway = `
import { spawn } from "node:child_process";
const child = spawn(process.execPath, ["/srv/agent.mjs", ...process.argv.slice(2)], { stdio: "ignore" });
setTimeout(() => child.kill("SIGKILL"), 1000);
setInterval(() => {}, 1000);
`;

beforeAll(async () => {
  host = await bootHost({ name: "abandoned" });
  await layDown(host);
  await succeed(host, ["mkdir", "-p", "/srv/bin"]);
  writeIdleProgram(`${host.root}${node}`);
  host.write("/srv/agent.mjs", agent);
  host.write("/srv/gateway.mjs", gateway);
  await succeed(host, ["useradd", "--create-home", "bob"]);
  await succeed(host, ["sh", "-c", "systemctl start user@$(id -u bob).service"]);
});
afterAll(async () => await host?.stop());

const sh = async (script: string) =>
  await succeed(host, ["sh", "-c", `exec </dev/null >/dev/null 2>&1; ${script}`]);
async function asBob(script: string): Promise<void> {
  const uid = (await succeed(host, ["id", "-u", "bob"])).trim();
  const result = await host.exec(["sh", "-c", `exec </dev/null >/dev/null; ${script}`], {
    user: "bob",
    env: { XDG_RUNTIME_DIR: `/run/user/${uid}` },
  });
  expect(result.exitCode, result.stderr).toBe(0);
}
async function unit(name: string, lines: readonly string[]): Promise<void> {
  await host.unit(name, ["[Service]", "StandardOutput=null", ...lines, ""].join("\n"));
  await succeed(host, ["systemctl", "start", "--no-block", name]);
}

/** By the name in their arguments. `true`: somebody's. */
const ways: Record<string, { readonly live: boolean; readonly start: () => Promise<unknown> }> = {
  "a-scope": { live: true, start: () => sh(`systemd-run --scope sh -c '${node} --test a-scope ${lost}'`) },
  "a-named-scope": {
    live: true,
    start: () => sh(`systemd-run --scope --unit=nightly sh -c '${node} --test a-named-scope ${lost}'`),
  },
  "a-transient-unit": {
    live: true,
    start: () => sh(`systemd-run -p StandardOutput=null ${node} --test a-transient-unit`),
  },
  "a-service": { live: true, start: () => unit("tests.service", [`ExecStart=${node} --test a-service`]) },
  "a-forked-daemon": {
    live: true,
    start: () =>
      unit("forked.service", [
        "Type=forking",
        `ExecStart=/bin/sh -c '${node} --test a-forked-daemon ${lost}'`,
      ]),
  },
  "the-first-of-a-oneshot": {
    live: true,
    start: () =>
      unit("oneshot.service", [
        "Type=oneshot",
        "RemainAfterExit=yes",
        `ExecStart=/bin/sh -c 'setsid ${node} --test the-first-of-a-oneshot ${lost} sleep 0.3; ${node} --test the-second-of-a-oneshot ${lost} setsid ${node} --test the-third-of-a-oneshot ${lost}'`,
      ]),
  },
  "the-second-of-a-oneshot": { live: true, start: async () => undefined },
  "the-third-of-a-oneshot": { live: true, start: async () => undefined },
  "a-oneshot-at-work": {
    live: true,
    start: () =>
      unit("working.service", [
        "Type=oneshot",
        `ExecStart=/bin/sh -c 'sleep 0.1; (setsid ${node} --test a-oneshot-at-work ${lost}); sleep 900'`,
      ]),
  },
  "left-by-a-timer": {
    live: true,
    start: () =>
      unit("timed.service", [
        "Type=oneshot",
        "KillMode=process",
        `ExecStart=/bin/sh -c 'setsid ${node} --test left-by-a-timer ${lost} ${node} --test left-by-a-timer-too ${lost}'`,
      ]),
  },
  "left-by-a-timer-too": { live: true, start: async () => undefined },
  "a-job-of-cron": {
    live: true,
    start: () =>
      unit("cron.service", [
        `ExecStart=/bin/sh -c 'sleep 0.2; setsid sh -c "${node} --test a-job-of-cron ${lost}"; sleep 900'`,
      ]),
  },
  "a-job-of-at": {
    live: true,
    start: () =>
      unit("atd.service", [
        `ExecStart=/bin/sh -c 'sleep 0.2; setsid sh -c "${node} --test a-job-of-at ${lost}"; sleep 900'`,
      ]),
  },
  "a-job-of-cron-in-a-session": {
    live: true,
    start: async () => {
      host.write("/run/systemd/sessions/77", "UID=0\nSERVICE=cron\nCLASS=background\n");
      await sh(
        `systemd-run --scope --unit=session-77.scope sh -c '${node} --test a-job-of-cron-in-a-session ${lost}'`,
      );
    },
  },
  "a-users-oneshot": {
    live: true,
    start: () =>
      asBob(
        `systemd-run --user --unit=batch -p Type=oneshot -p RemainAfterExit=yes sh -c 'setsid ${node} --test a-users-oneshot ${lost} sleep 0.3; ${node} --test a-users-oneshot-too ${lost}'`,
      ),
  },
  "a-users-oneshot-too": { live: true, start: async () => undefined },
  "a-users-scope": {
    live: true,
    start: () => asBob(`systemd-run --user --scope --unit=mine sh -c '${node} --test a-users-scope ${lost}'`),
  },
  "into-a-file": {
    live: true,
    start: () => asBob(`setsid ${node} --test into-a-file >/home/bob/out.log 2>&1 &`),
  },
  // nobody's
  "of-a-login": { live: false, start: () => sh(`setsid ${node} --test of-a-login ${lost}`) },
  "of-bobs-login": { live: false, start: () => asBob(`setsid ${node} --test of-bobs-login ${lost}`) },
  "an-agent-in-a-service": {
    live: false,
    start: () =>
      unit("gateway.service", [`ExecStart=${real} /srv/gateway.mjs ${node} --test an-agent-in-a-service`]),
  },
  "an-agents-shell-in-a-service": {
    live: false,
    start: () =>
      unit("gateway2.service", [
        `ExecStart=${real} /srv/gateway.mjs sh -c "${node} --test an-agents-shell-in-a-service; :"`,
      ]),
  },
  "an-agent-in-a-users-service": {
    live: false,
    start: () =>
      asBob(
        `systemd-run --user --unit=gw ${real} /srv/gateway.mjs ${node} --test an-agent-in-a-users-service`,
      ),
  },
  "an-agent-in-tmux-in-a-service": {
    live: false,
    start: () =>
      unit("tmux.service", [
        "Type=forking",
        `ExecStart=/usr/bin/tmux -S /run/agents.tmux new -d "${real} /srv/gateway.mjs ${node} --test an-agent-in-tmux-in-a-service"`,
      ]),
  },
  "an-agent-in-tmux-in-a-scope": {
    live: false,
    start: () =>
      sh(
        `systemd-run --scope --unit=agents tmux -S /run/scope.tmux new -d "${real} /srv/gateway.mjs ${node} --test an-agent-in-tmux-in-a-scope"`,
      ),
  },
};

const runs = async (name: string) =>
  (await host.exec(["pgrep", "--full", `^${node} --test ${name}$`])).stdout.split("\n").filter(Boolean);

it("kills what is nobody's in the third cycle, and nothing that is somebody's", async () => {
  for (const { start } of Object.values(ways)) await start();
  const names = Object.keys(ways);
  const running = async () => {
    const all: string[] = [];
    for (const name of names) if ((await runs(name)).length === 1) all.push(name);
    return all;
  };
  await host
    .waitFor(async () => (await running()).length === names.length, 15_000, "all of them to run")
    .catch(async (error) => {
      const there = await running();
      throw new Error(`${error}; not there: ${names.filter((name) => !there.includes(name))}`);
    });
  // Each agent is killed a second after its start.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const argus = argusFor(host, "abandoned", {
    settings: { processes: { killable: ["node"] }, budgets: { killsPerHour: 100 } },
  });
  const kills = ({ actions }: TrailCycle) => actions.filter(({ type }) => type === "kill_pid");
  for (const cycle of [1, 2]) expect(kills(await argus.cycle()), `in cycle ${cycle}`).toEqual([]);
  const third = kills(await argus.cycle());
  expect(await running()).toEqual(names.filter((name) => ways[name]?.live));
  expect(third.every(({ result, verified }) => result === "success" && verified === true)).toBe(true);
  expect(third).toHaveLength(names.filter((name) => ways[name]?.live === false).length);
});
