/**
 * A throwaway Debian host with a systemd of its own as process 1, for tests that need a real one. Its root is an
 * overlay over this machine's, or over that of another release: its programs, the checkout (read-only) at the same path, and every write thrown
 * away at the end. Its network is a loopback of its own, its clocks since boot say what the test asks for, and
 * nothing that this machine has enabled starts in it. Boots in half a second.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { type Boot, checkout, start, waitFor } from "./boot.ts";
import { type ExecOptions, type ExecResult, inside, run } from "./enter.ts";
import { type Kind, kindAskedFor } from "./kinds.ts";
import type { Machine } from "./machine.ts";
import { createGround, mountInGround, removeCgroup, rootInGround, whyNoHost } from "./namespaces.ts";
import { rootOf } from "./roots.ts";

export { checkout, type ExecOptions, type ExecResult, type Machine, whyNoHost };

export interface BootOptions {
  /** Hostname, and what tells two hosts of one test apart. Default `host`. */
  readonly name?: string;
  /** What the host's clocks since boot begin with. Default 3600: a host that is long past any boot grace. */
  readonly uptimeSeconds?: number;
  /** Default: what ARGUS_HOST_RELEASE and its like say, else this machine's programs, a journal that is kept, a boot id of its own. */
  readonly kind?: Partial<Kind>;
  /** Another host, whose network it shares. Default: a loopback of its own. */
  readonly network?: Host;
  /** An image of a file system, mounted at this folder of the host by a loop device that ends with the host. */
  readonly disk?: { readonly image: string; readonly at: string };
}

export interface Host extends Machine {
  /** A new boot of the same root, with clocks that begin at 0. With `cut`, as after a power cut: nothing is asked to stop. */
  reboot(options?: { uptimeSeconds?: number; cut?: boolean }): Promise<void>;
  /** Ends everything and removes everything. Safe to call twice. */
  stop(): Promise<void>;
  /** The host's root as this process sees it. An absolute symbolic link below it leads back out: prefer read and write. */
  readonly root: string;
  /** Its process 1, by the number here. */
  readonly leader: number;
}

/**
 * SIGRTMIN+5 asks systemd for reboot.target (systemd(1), "Signals"). `systemctl reboot` would be a child of ours among
 * the host's processes: when it is still there as they are ended, systemd-shutdown waits 10 s for news of it.
 */
const rebootSignal = 39;

/** Throws when this machine cannot boot one, or when a unit fails while it boots. */
export async function bootHost(options: BootOptions = {}): Promise<Host> {
  const refusal = whyNoHost();
  if (refusal !== null) throw new Error(refusal);
  const name = options.name ?? "host";
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) throw new Error(`"${name}" cannot be a hostname.`);
  const kind = { ...kindAskedFor(), ...options.kind };
  const lower = kind.release === null ? "/" : rootOf(kind.release);
  const ground = await createGround(name, lower, kind.journal);
  const files = `/proc/${ground.pid}/root${rootInGround}`;
  writeFileSync(`${files}/etc/hostname`, `${name}\n`);
  writeFileSync(`${files}/etc/hosts`, `127.0.0.1 localhost ${name}\n::1 localhost\n`);
  // A missing id would make this a first boot, which enables whatever the packages' presets say.
  writeFileSync(`${files}/etc/machine-id`, `${randomUUID().replaceAll("-", "")}\n`);

  if (options.disk !== undefined) mountInGround(ground, options.disk.image, options.disk.at);

  let boot: Boot | null = null;
  const begin = async (uptimeSeconds: number) =>
    await start(ground, name, uptimeSeconds, options.network?.leader ?? null, kind);
  const stop = async () => {
    try {
      await boot?.kill();
      removeCgroup(ground.cgroup);
    } finally {
      boot = null;
      await ground.release();
    }
  };
  const leader = () => {
    if (boot === null) throw new Error(`The host ${name} is stopped.`);
    return boot.leader;
  };
  try {
    boot = await begin(options.uptimeSeconds ?? 3600);
    if (boot.failedUnits !== "")
      throw new Error(`units of this machine failed in ${name}:\n${boot.failedUnits}`);
  } catch (error) {
    await stop();
    throw error;
  }

  const exec: Host["exec"] = async (argv, options = {}) => await run(ground, leader(), argv, options);
  // A program inside writes, because only there an absolute symbolic link leads where it should.
  const write: Host["write"] = (path, text, mode = 0o644) => {
    const script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"';
    inside(leader(), ["sh", "-c", script, "write", path, mode.toString(8)], text);
  };
  return {
    exec,
    write,
    read: (path) => inside(leader(), ["cat", "--", path]),
    exists: (path) => existsSync(`/proc/${leader()}/root${path}`),
    names: (folder) => {
      const path = `/proc/${leader()}/root${folder}`;
      return existsSync(path) ? readdirSync(path) : [];
    },
    unit: async (unit, text) => {
      write(`/etc/systemd/system/${unit}`, text);
      const reload = await exec(["systemctl", "daemon-reload"]);
      if (reload.exitCode !== 0) throw new Error(`systemctl daemon-reload: ${reload.stderr}`);
    },
    waitFor,
    reboot: async ({ uptimeSeconds = 0, cut = false } = {}) => {
      const running = boot;
      if (running === null) throw new Error(`The host ${name} is stopped.`);
      if (!cut) {
        process.kill(running.leader, rebootSignal);
        await waitFor(() => running.child.exitCode !== null, 20_000, `${name} to go down for its reboot`);
      }
      await running.kill();
      boot = null;
      boot = await begin(uptimeSeconds);
    },
    stop,
    get root() {
      return `/proc/${leader()}/root`;
    },
    get leader() {
      return leader();
    },
  };
}
