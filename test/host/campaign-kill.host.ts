/** Argus is killed with -9 before, during and after an action: it is said, counted once, and not done twice. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ActionRecord } from "../../src/types/action.ts";
import { argusFor, layDown, program, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
/** Starting it takes two seconds, so that an action can be caught in the middle. */
const slow =
  "[Service]\nExecStartPre=/bin/sh -c 'test -e /run/quick || sleep 2'\nExecStart=/bin/sleep infinity\n";
const cases = ["before", "during", "after"];

beforeAll(async () => {
  host = await bootHost({ name: "kill" });
  await layDown(host);
  host.write("/run/quick", "");
  for (const name of cases) await host.unit(`${name}.service`, slow);
  await succeed(host, ["systemctl", "start", ...cases]);
  await succeed(host, ["rm", "/run/quick"]);
});
afterAll(async () => await host?.stop());

const show = async (unit: string, property: string) =>
  (await succeed(host, ["systemctl", "show", "--value", `--property=${property}`, unit])).trim();

async function crash(unit: string): Promise<void> {
  await succeed(host, ["systemctl", "kill", "--signal=KILL", unit]);
  await host.waitFor(async () => (await show(unit, "ActiveState")) === "failed", 5_000, `${unit} to be down`);
}

/** One cycle in a unit of its own, so that it can be killed. */
async function begin(name: string): Promise<void> {
  const folder = `/var/lib/${name}`;
  const env = {
    ARGUS_CONFIG: `${folder}/argus.json`,
    ARGUS_LOCAL_RULES_DIR: `${folder}/rules.d`,
    ARGUS_STATE_DIR: `${folder}/state`,
    ARGUS_LOG_DIR: `${folder}/logs`,
    ARGUS_RESTART_SETTLE_SECONDS: "3",
  };
  const variables = Object.entries(env).map(([key, value]) => `--setenv=${key}=${value}`);
  const argv = [`${program}/bin/node`, `${program}/dist/main.js`, "run", "--once"];
  await succeed(host, ["systemd-run", "--quiet", `--unit=killed-${name}`, ...variables, ...argv]);
}

async function kill(name: string): Promise<void> {
  await succeed(host, ["systemctl", "kill", "--signal=KILL", `killed-${name}`]);
}

const intent = (name: string) => {
  const path = `/var/lib/${name}/state/executor.json`;
  return existsSync(join(host.root, path)) && host.read(path).includes('"restart_service"');
};
const argusOf = (name: string) =>
  argusFor(host, name, { settings: { services: [{ unit: name, restart: true }] } });
const attempts = (name: string) => {
  const { units } = JSON.parse(host.read(`/var/lib/${name}/state/restart-backoff.json`));
  return units[`${name}.service`]?.attempts;
};

const restarts = (actions: readonly ActionRecord[]) =>
  actions.filter(({ type }) => type === "restart_service");

describe("kill -9", () => {
  it("before an action: the next Argus does it", async () => {
    const argus = argusOf("before");
    await crash("before");
    await begin("before");
    await kill("before");
    const { actions } = await argus.cycle();
    expect(actions[0]).toMatchObject({ type: "restart_service", target: "before" });
    expect(await show("before", "ActiveState")).toBe("active");
  });

  it("during an action: it is said, counts as an attempt, and is not repeated because of it", async () => {
    const argus = argusOf("during");
    await crash("during");
    await begin("during");
    await host.waitFor(() => intent("during"), 10_000, "the intent");
    await host.waitFor(async () => (await show("during", "ActiveState")) !== "failed", 5_000, "the restart");
    await kill("during");
    const { notes, actions } = await argus.cycle();
    expect(notes.join("\n")).toContain("an action was cut off: restart_service during of cycle ");
    expect(restarts(actions).filter(({ result }) => result === "success")).toEqual([]);
    expect(attempts("during")).toBe(1);
    await host.waitFor(
      async () => (await show("during", "ActiveState")) === "active",
      10_000,
      "systemd's own end of it",
    );
  });

  it("after an action, while it is proved: it is said, and what runs is left alone", async () => {
    const argus = argusOf("after");
    await crash("after");
    await begin("after");
    await host.waitFor(async () => (await show("after", "ActiveState")) === "active", 10_000, "the restart");
    const pid = await show("after", "MainPID");
    await kill("after");
    const { notes, actions, findings } = await argus.cycle();
    expect(notes.join("\n")).toContain("an action was cut off: restart_service after of cycle ");
    expect(restarts(actions)).toEqual([]);
    expect(findings.filter(({ rule }) => rule === "service-down")).toEqual([]);
    expect(attempts("after")).toBe(1);
    expect(await show("after", "MainPID")).toBe(pid);
  });
});
