/** install.sh as people run it: out of a folder that is built already, since the host has no network to build it in. */
import { join } from "node:path";
import { succeed } from "./argus.ts";
import { checkout, type ExecResult, type Machine } from "./harness.ts";

/** What `npm pack` puts into the package. Without sources there is nothing to build. */
const parts = [
  ...["dist", "rules", "docs", "systemd", "argus.service", "install.sh", "install"],
  ...["prompt.md", "argus.json", "argus.env.example", "package.json"],
];

export interface Package {
  /** Default: the version of the checkout. */
  readonly version?: string;
  /**
   * What is wrong with it: it exits when it is to run, never gets through its first cycle, or does not start at all.
   */
  readonly fault?: "exits" | "hangs" | "broken";
  /** For tests of a version that never gets ready. Default: what install.sh has. */
  readonly patienceSeconds?: number;
}

/** Makes the folder. @returns what runs its install.sh. */
export async function unpack(host: Machine, folder: string, given: Package = {}) {
  await succeed(host, ["mkdir", "-p", folder]);
  await succeed(host, ["cp", "-r", ...parts.map((part) => join(checkout, part)), folder]);
  if (given.version !== undefined) {
    const manifest = { ...JSON.parse(host.read(`${folder}/package.json`)), version: given.version };
    host.write(`${folder}/package.json`, JSON.stringify(manifest, null, 2));
  }
  if (given.fault !== undefined) {
    await succeed(host, ["mv", `${folder}/dist/main.js`, `${folder}/dist/whole.js`]);
    host.write(`${folder}/dist/main.js`, faults[given.fault], 0o755);
  }
  if (given.patienceSeconds !== undefined) {
    const script = host.read(`${folder}/install.sh`);
    const patient = script.replace(
      /^readonly healthy_within_seconds=.*$/m,
      `healthy_within_seconds=${given.patienceSeconds}`,
    );
    if (patient === script) throw new Error("install.sh has another name for its patience");
    host.write(`${folder}/install.sh`, patient, 0o755);
  }
  return async (...args: string[]): Promise<ExecResult> =>
    await host.exec([`${folder}/install.sh`, ...args], { timeoutMs: 60_000 });
}

const whenRun = (act: string) =>
  `if (process.argv[2] === "run") { ${act} } else await import("./whole.js");\n`;
const faults = {
  exits: whenRun('console.error("the sky has fallen"); process.exit(1);'),
  hangs: whenRun("setInterval(() => {}, 1000);"),
  broken: "this is no program\n",
};

/** Every file and folder that an installation could touch, with inode, mode, owner, size and time of change. */
export async function footprint(host: Machine): Promise<string[]> {
  const places = ["/opt", "/etc/argus", "/etc/systemd/system", "/usr/local", "/etc/passwd", "/etc/group"];
  const find = [
    "find",
    ...places,
    "-path",
    "/opt/*",
    "-not",
    "-path",
    "/opt/argus*",
    "-prune",
    "-o",
    "-printf",
  ];
  const { stdout } = await host.exec([...find, "%p %i %m %u %s %T@\\n"]);
  return stdout.split("\n").sort();
}

/** Names alone of what there is, where Argus has something: for what stays or does not stay behind. */
export async function names(host: Machine): Promise<string[]> {
  const places = ["/opt", "/etc", "/usr/local", "/var/lib", "/var/log", "/var/tmp", "/tmp", "/run"];
  const { stdout } = await host.exec(["find", ...places, "-xdev", "-iname", "*argus*", "-prune"]);
  return stdout.split("\n").filter(isOurs).sort();
}

/** A credential is a mount that systemd removes when it likes. */
const isOurs = (path: string): boolean => path !== "" && !/systemd-private|^\/run\/credentials/.test(path);

export const isActive = async (host: Machine, unit: string): Promise<boolean> =>
  (await host.exec(["systemctl", "is-active", unit])).stdout === "active";
export const isEnabled = async (host: Machine, unit: string): Promise<boolean> =>
  (await host.exec(["systemctl", "is-enabled", unit])).stdout === "enabled";
export const mainPid = async (host: Machine, unit: string): Promise<number> =>
  Number(await succeed(host, ["systemctl", "show", "--value", "--property=MainPID", unit]));
/** Of the program that stands there. */
export const installedVersion = async (host: Machine): Promise<string> =>
  await succeed(host, ["argus", "--version"]);
