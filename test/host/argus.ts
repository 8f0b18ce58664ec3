/** Argus on a host: laid down as install.sh does, with settings and state for each case. */
import { basename, dirname, join } from "node:path";
import { TrailCycle } from "../../src/types/trail.ts";
import { checkout, type Machine } from "./harness.ts";

export const program = "/opt/argus";

/** The built program and the shipped rules. Needs `npm run build`. */
export async function layDown(host: Machine): Promise<void> {
  const parts = ["dist", "rules", "package.json"].map((part) => join(checkout, part));
  await succeed(host, ["mkdir", "-p", program]);
  await succeed(host, ["cp", "-r", ...parts, program]);
  await succeed(host, ["ln", "-sn", dirname(process.execPath), `${program}/bin`]);
}

/** The two units and their user, as install.sh makes them, with the daemon enabled and started. */
export async function startUnits(host: Machine): Promise<void> {
  const units = ["argus.service", "systemd/argus-executor.service", "systemd/argus-executor.socket"];
  const known = await host.exec(["id", "-u", "argus"]);
  if (known.exitCode !== 0) {
    const account = ["--system", "--user-group", "--no-create-home", "--home-dir", "/var/lib/argus"];
    await succeed(host, ["useradd", ...account, "--shell", "/usr/sbin/nologin", "argus"]);
  }
  for (const unit of units) {
    host.write(`/etc/systemd/system/${basename(unit)}`, host.read(join(checkout, unit)));
  }
  await succeed(host, ["systemctl", "daemon-reload"]);
  await succeed(host, ["systemctl", "enable", "--now", "argus-executor.socket", "argus.service"]);
}

export interface Argus {
  /** `argus run --once --json`, checked against the schema of the trail. */
  cycle(args?: readonly string[]): Promise<TrailCycle>;
  /** Any other command; its output. */
  command(...args: string[]): Promise<string>;
}

/**
 * @param name of the case: its settings, rules and state are its own.
 * @param given argus.json, variables of the environment, and rules for the local folder.
 */
export function argusFor(
  host: Machine,
  name: string,
  given: { settings: object; env?: Record<string, string>; rules?: readonly object[] },
): Argus {
  const folder = `/var/lib/${name}`;
  const env = {
    ARGUS_CONFIG: `${folder}/argus.json`,
    ARGUS_LOCAL_RULES_DIR: `${folder}/rules.d`,
    ARGUS_STATE_DIR: `${folder}/state`,
    ARGUS_LOG_DIR: `${folder}/logs`,
    ARGUS_RESTART_SETTLE_SECONDS: "1",
    ...given.env,
  };
  host.write(`${folder}/argus.json`, JSON.stringify(given.settings));
  host.write(`${folder}/rules.d/local.json`, JSON.stringify({ rules: given.rules ?? [] }));
  const command = async (...args: string[]) => {
    const result = await host.exec([process.execPath, `${program}/dist/main.js`, ...args], {
      env,
      cwd: folder,
      timeoutMs: 30_000,
    });
    if (result.exitCode !== 0)
      throw new Error(`argus ${args.join(" ")}: ${result.exitCode} ${result.stderr}`);
    return result.stdout;
  };
  return {
    command,
    cycle: async (args = []) =>
      TrailCycle.parse(JSON.parse(await command("run", "--once", "--json", ...args))),
  };
}

export async function succeed(host: Machine, argv: readonly string[]): Promise<string> {
  const result = await host.exec(argv);
  if (result.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr}`);
  return result.stdout;
}
