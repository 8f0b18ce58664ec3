/**
 * Whether the policy lets Argus end a process. One judgement for the collector, which reports it, and the executor,
 * which holds to it. Pure.
 */
import type { RefusalReason } from "../types/action.ts";

/** Programs that a host stands on: nobody may end them, whatever the settings allow. `*` stands for any ending. */
export const alwaysProtected: readonly string[] = [
  // the init, and what it runs a host with
  "init",
  "systemd",
  "systemd-*",
  "(sd-pam)",
  "udevd",
  "dbus-daemon",
  "dbus-broker",
  "dbus-broker-launch",
  "polkitd",
  "NetworkManager",
  "dhclient",
  "dhcpcd",
  "wpa_supplicant",
  "rsyslogd",
  "auditd",
  "multipathd",
  "iscsid",
  "firewalld",
  // the ways in
  "sshd",
  "sshd-session",
  "sshd-auth",
  "dropbear",
  "agetty",
  "getty",
  "login",
  "tailscaled",
  "wireguard-go",
  // sessions, whose end is the end of all that runs in them
  "tmux",
  "tmux: server",
  "screen",
  "SCREEN",
  "mosh-server",
  // containers and their inits
  "dockerd",
  "containerd",
  "containerd-shim*",
  "podman",
  "conmon",
  "crio",
  "kubelet",
  "runc",
  "crun",
  "lxc-start",
  "tini",
  "docker-init",
  "dumb-init",
  "catatonit",
  "s6-svscan",
  // other supervisors
  "cron",
  "crond",
  "atd",
  "runsvdir",
  "runsv",
  "supervisord",
  "monit",
];

/** The units that Argus itself is: nobody restarts them or ends what runs in them through Argus. */
export const isOwnUnit = (unit: string): boolean => /^argus(-(executor|once|daily))?\.service$/.test(unit);

/** What is known of a process when somebody wants to end it. */
export interface KillTarget {
  readonly pid: number;
  /** The kernel's name of it (comm). */
  readonly name: string;
  /** File name of its executable; null when it may not be read. */
  readonly executable: string | null;
  readonly state: string;
  readonly kernelThread: boolean;
  readonly unit: string | null;
  readonly unitMain: boolean;
  /** The first process of a container. */
  readonly containerInit: boolean;
}

export interface KillPolicy {
  /** Executables that may be ended, and those that nobody may end (settings.processes). */
  readonly killable: readonly string[];
  readonly protected: readonly string[];
  /** Argus and its ancestors. */
  readonly own: ReadonlySet<number>;
}

export interface KillObjection {
  readonly reason: Extract<RefusalReason, "protected_target" | "not_allowlisted" | "target_gone">;
  /** A clause that follows "because". */
  readonly because: string;
}

/** Why Argus may not end it; null when it may. */
export function objectionToKill(target: KillTarget, policy: KillPolicy): KillObjection | null {
  const { pid, name, executable, unit } = target;
  const never = (because: string): KillObjection => ({ reason: "protected_target", because });
  if (pid <= 1) return never("it is process 1, from which all others come");
  if (target.kernelThread) return never("it is a thread of the kernel");
  if (policy.own.has(pid)) return never("it is Argus itself or one of the processes above it");
  if (unit !== null && isOwnUnit(unit)) return never(`it runs in ${unit}, which is a part of Argus`);
  if (target.state === "Z" || target.state === "X") {
    return { reason: "target_gone", because: "it has ended already and waits for its parent to notice" };
  }
  if (executable === null) return never("its executable cannot be read");
  // A process can give itself a name like that. It only gains protection by it, and a script has no other.
  if (isProtected(executable, policy)) return never(`${executable} is protected`);
  if (isProtected(name, policy)) return never(`${name} is protected`);
  if (target.unitMain) return never(`it is, or may be, the main process of ${unit ?? "a unit"}`);
  if (target.containerInit) return never("it is the first process of a container");
  if (policy.killable.includes(executable)) return null;
  return {
    reason: "not_allowlisted",
    because: `the settings do not let Argus kill ${executable} (processes.killable)`,
  };
}

const exact = new Set(alwaysProtected.filter((name) => !name.endsWith("*")));
const prefixes = alwaysProtected.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));

function isProtected(name: string, policy: KillPolicy): boolean {
  if (exact.has(name) || policy.protected.includes(name)) return true;
  return prefixes.some((prefix) => name.startsWith(prefix));
}
