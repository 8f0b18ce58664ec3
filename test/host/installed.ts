/** Argus installed on a host as its two units, and what people see of it there. */
import { join } from "node:path";
import { OutboxMessage } from "../../src/types/action.ts";
import { type Problem, RegistryRecord } from "../../src/types/problem.ts";
import { TrailCycle } from "../../src/types/trail.ts";
import { layDown, startUnits, succeed } from "./argus.ts";
import { checkout, type ExecResult, type Machine } from "./harness.ts";

export interface Setting {
  readonly settings?: object;
  /** For argus.env. Cycles follow one another by the second unless it says otherwise. */
  readonly env?: Readonly<Record<string, string | number>>;
  readonly rules?: readonly object[];
}

export const stateDir = "/var/lib/argus";
export const executorDir = "/var/lib/argus-executor";

/** The load is that of the whole machine, with whatever else runs on it. */
const notOurs = { name: "load-high", enabled: false };

/** Lays Argus down, starts its units and waits for the first cycle. */
export async function installArgus(host: Machine, given: Setting = {}): Promise<void> {
  await layDown(host);
  await configure(host, given);
  host.write("/usr/local/bin/argus", host.read(join(checkout, "systemd/argus-command.sh")), 0o755);
  await startUnits(host);
  await host.waitFor(() => cycles(host).length > 0, 15_000, "the first cycle");
}

export async function configure(
  host: Machine,
  { settings = {}, env = {}, rules = [] }: Setting,
): Promise<void> {
  const variables = { ARGUS_INTERVAL: 1, ARGUS_RESTART_SETTLE_SECONDS: 1, ...env };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  host.write("/etc/argus/argus.json", JSON.stringify(settings));
  host.write("/etc/argus/argus.env", lines.join(""), 0o600);
  host.write("/etc/argus/rules.d/local.json", JSON.stringify({ rules: [...rules, notOurs] }));
}

/** Every line of a file that Argus appends to; none while there is no file. The last one may be on its way. */
function lines(host: Machine, path: string): unknown[] {
  if (!host.exists(path)) return [];
  return host
    .read(path)
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => jsonOf(line) ?? []);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const cycles = (host: Machine): TrailCycle[] =>
  lines(host, `${stateDir}/trail.jsonl`).flatMap((line) => TrailCycle.safeParse(line).data ?? []);

export const registry = (host: Machine): RegistryRecord[] =>
  lines(host, `${stateDir}/problems.jsonl`).flatMap((line) => RegistryRecord.safeParse(line).data ?? []);

/** What waits for people, oldest first: without a channel nothing is sent, and nothing is lost. */
export function outbox(host: Machine): OutboxMessage[] {
  const folder = `${stateDir}/outbox`;
  const names = host.names(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => OutboxMessage.parse(JSON.parse(host.read(join(folder, name)))));
}

/** Without the reports of what was repaired before anybody was alerted. */
export const alerts = (host: Machine): OutboxMessage[] =>
  outbox(host)
    .map((message) => ({
      ...message,
      notes: (message.notes ?? []).filter(({ ending }) => ending !== "repaired"),
    }))
    .filter(({ notes }) => notes.length > 0);

export const actions = (host: Machine, type: string, target?: string | number) =>
  cycles(host)
    .flatMap((cycle) => cycle.actions)
    .filter((action) => action.type === type && (target === undefined || action.target === target));

/** Every answer to a proposal to restart the unit, oldest first; repeated ones once. */
export function answers(host: Machine, unit: string): string[] {
  const all = actions(host, "restart_service", unit).map(({ result, refusal }) => refusal ?? result);
  return all.filter((answer, index) => answer !== all[index - 1]);
}

/** So many complete cycles more. */
export async function moreCycles(host: Machine, count: number): Promise<void> {
  const before = cycles(host).length;
  await host.waitFor(() => cycles(host).length >= before + count, 20_000 + count * 2_000, `${count} cycles`);
}

export const argus = async (host: Machine, ...args: string[]): Promise<ExecResult> =>
  await host.exec(["/usr/local/bin/argus", ...args], { timeoutMs: 30_000 });

/** What `argus explain` says of the one problem about this subject, as data and as text. */
export async function explained(
  host: Machine,
  subject: string,
): Promise<{ problem: Problem; cycles: TrailCycle[]; text: string }> {
  const keys = [
    ...new Set(
      registry(host)
        .filter((line) => line.subject === subject)
        .map(({ key }) => key),
    ),
  ];
  const [key] = keys;
  if (key === undefined || keys.length > 1)
    throw new Error(`${keys.length} problems about ${subject}: one outage is one problem`);
  const data = JSON.parse(await succeed(host, ["argus", "explain", key, "--json"]));
  return { ...data, text: await succeed(host, ["argus", "explain", key]) };
}

export const systemctl = async (host: Machine, ...args: string[]): Promise<string> =>
  await succeed(host, ["systemctl", ...args]);

export const activeState = async (host: Machine, unit: string): Promise<string> =>
  (await host.exec(["systemctl", "is-active", unit])).stdout;

export const property = async (host: Machine, unit: string, name: string): Promise<string> =>
  await systemctl(host, "show", "--value", `--property=${name}`, unit);

export const sleeps = "ExecStart=/bin/sleep infinity";

export interface Service {
  readonly name: string;
  /** Default: it sleeps. */
  readonly what?: string;
  /** For the section [Unit]. */
  readonly more?: string;
}

/** Unit files as packages have them, enabled. They are not started. */
export async function services(host: Machine, all: readonly Service[]): Promise<void> {
  for (const { name, what = sleeps, more = "" } of all) {
    const text = `[Unit]\nDescription=${name}\n${more}\n[Service]\n${what}\n[Install]\nWantedBy=multi-user.target\n`;
    host.write(`/usr/lib/systemd/system/${name}.service`, text);
  }
  await systemctl(host, "enable", ...all.map(({ name }) => name));
}

export const service = async (host: Machine, name: string, what = sleeps): Promise<void> =>
  await services(host, [{ name, what }]);

export const crash = async (host: Machine, ...units: string[]): Promise<string> =>
  await systemctl(host, "kill", "--signal=KILL", ...units);

/** A service that notes when it starts, in seconds since boot, and fails as told from `beginToFail` on. */
export const failing = (name: string, fails: string): string =>
  `ExecStart=/bin/sh -c 'cut -d" " -f1 /proc/uptime >>/var/lib/${name}.starts; test -e /run/${name} || exec sleep infinity; ${fails}'`;

/** It dies, and each start ends as the unit says. */
export async function beginToFail(host: Machine, name: string): Promise<void> {
  host.write(`/run/${name}`, "");
  await crash(host, name);
}

export const startsOf = (host: Machine, name: string): number[] =>
  host
    .read(`/var/lib/${name}.starts`)
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
