/**
 * What the two services of an installation can do, whoever asks: `sudo argus doctor` has root's powers, and neither of
 * them has. Their processes tell: /proc/PID/status and /proc/PID/mountinfo may be read by everybody.
 */
import { errorCode } from "../system/files.ts";
import { homesOf } from "../system/homes.ts";
import { createLink, type Link } from "../system/link/client.ts";
import { type Mount, mountOf, parseMountInfo } from "../system/mounts.ts";
import { listPids, readProcessIdentity } from "../system/proc.ts";
import type { System } from "../system/system.ts";
import { remoteWitness } from "../system/witness.ts";
import type { Config } from "../types/settings.ts";
import { type Ability, broken, limited, ok } from "./ability.ts";
import { findJournal } from "./journal-ability.ts";
import { list } from "./words.ts";

const daemonUnit = "argus.service";
const executorUnit = "argus-executor.service";

/** Bits of capabilities(7), with what needs them. */
const needed = [
  { bit: 1, name: "CAP_DAC_OVERRIDE", what: "clean the folders of other users" },
  { bit: 3, name: "CAP_FOWNER", what: "leave the times of folders as they were when it looks into them" },
  { bit: 5, name: "CAP_KILL", what: "kill processes of other users" },
  { bit: 6, name: "CAP_SETGID", what: "ask a user's tmux" },
  { bit: 7, name: "CAP_SETUID", what: "ask a user's tmux" },
  { bit: 19, name: "CAP_SYS_PTRACE", what: "see the programs and open files of other users" },
] as const;

/** @param socket of the executor. */
export async function findInstalledAbilities(
  system: System,
  config: Config,
  socket: string,
): Promise<Ability[]> {
  const link = createLink(socket);
  try {
    const executor = await answers(link, socket);
    const pid = executor.state === "ok" ? await mainPid(system, executorUnit) : null;
    return [
      executor,
      ...(executor.state === "ok" ? [await processes(system, link)] : []),
      ...(pid === null ? [] : [powers(system, pid), cleaning(system, config, pid)]),
      bus(system),
      await journal(system),
    ];
  } finally {
    link.close();
  }
}

async function answers(link: Link, socket: string): Promise<Ability> {
  const name = "executor";
  try {
    await link.ask("view", null);
    return ok(name, `answers on ${socket}: what the policy allows can be carried out`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (why.includes("EACCES")) {
      const detail = `only root and the user of argus.service may ask ${socket}, so nothing can be said about it`;
      return limited(name, detail, "sudo argus doctor");
    }
    const detail = `does not answer, so nothing can be repaired: ${why}`;
    return broken(
      name,
      detail,
      "systemctl start argus-executor.socket, and look at: journalctl -u argus-executor",
    );
  }
}

async function processes(system: System, link: Link): Promise<Ability> {
  const name = "processes";
  const pids = listPids(system.files).filter(
    (pid) => readProcessIdentity(system.files, pid)?.kernelThread === false,
  );
  const seen = await remoteWitness(link).executables(pids);
  // One that ended in between, or a zombie, shows no executable either.
  const unseen = pids.filter(
    (pid, index) => seen[index] === null && isRunning(readProcessIdentity(system.files, pid)?.state),
  );
  if (unseen.length === 0) return ok(name, `sees the executable of every process (${pids.length})`);
  const detail = `cannot see the executables of ${unseen.length} of ${pids.length} processes, so it never kills those`;
  return limited(name, detail, "look for a security module that forbids it");
}

const isRunning = (state: string | undefined): boolean => state !== undefined && !"ZXx".includes(state);

function powers({ files }: System, pid: number): Ability {
  const name = "privileges";
  const capabilities = BigInt(
    `0x${/^CapEff:\t([0-9a-f]+)$/m.exec(files.tryRead(`/proc/${pid}/status`) ?? "")?.[1] ?? "0"}`,
  );
  const lacking = needed.filter(({ bit }) => ((capabilities >> BigInt(bit)) & 1n) === 0n);
  if (lacking.length === 0)
    return ok(name, "the executor has the capabilities that its actions need; the daemon needs none");
  const detail = `the executor lacks ${list(lacking.map((each) => each.name))}, so it cannot ${list([...new Set(lacking.map(({ what }) => what))])}`;
  return broken(
    name,
    detail,
    `look for what takes it away, such as a drop-in, or a line User=root: systemctl cat ${executorUnit}`,
  );
}

/** Each home as the executor's sandbox has it. */
function cleaning(system: System, { settings, logDir }: Config, pid: number): Ability {
  const { files } = system;
  const name = "disk cleaning";
  const text = files.tryRead(`/proc/${pid}/mountinfo`);
  const mounts: Mount[] = text === null ? [] : parseMountInfo(text);
  const all = homesOf(system, settings.homes ?? null);
  const folders = ["/tmp", "/var/tmp", "/var/log", logDir, ...all];
  const there = folders.filter((folder) => exists(files, folder));
  const closed = there.filter((folder) => mountOf(mounts, folder)?.readOnly !== false);
  if (closed.length === 0) {
    const homes = all.filter((home) => there.includes(home));
    const where = homes.length === 0 ? "" : `, and the caches below ${list(homes)}`;
    return ok(name, `may clean /tmp, /var/tmp and the rotated logs${where}`);
  }
  const detail = `the executor may not write ${list(closed)}, so nothing is cleaned there`;
  return limited(
    name,
    detail,
    `systemctl edit ${executorUnit}, and add: [Service] ReadWritePaths=${closed.join(" ")}`,
  );
}

/** A folder that may not be looked into may well be there. */
function exists(files: System["files"], folder: string): boolean {
  try {
    return files.stat(folder) !== null;
  } catch (error) {
    if (errorCode(error) === "EACCES") return true;
    throw error;
  }
}

/** systemd's own socket is root's; a service of another user asks over the bus. */
function bus({ files }: System): Ability {
  const name = "message bus";
  if (files.stat("/run/dbus/system_bus_socket") !== null)
    return ok(name, "the daemon can ask systemd over it");
  const detail = "there is none, so the daemon cannot ask systemd about services";
  return broken(name, detail, "apt-get install dbus");
}

/** Whether the daemon is in a group that may read it; root may always. */
async function journal(system: System): Promise<Ability> {
  const name = "journal";
  const { files } = system;
  const without = "of a service that ended nobody can tell who stopped it";
  const pid = await mainPid(system, daemonUnit);
  if (pid !== null) {
    const groups = /^Groups:\t(.*)$/m.exec(files.tryRead(`/proc/${pid}/status`) ?? "")?.[1] ?? "";
    const readers = (files.tryRead("/etc/group") ?? "")
      .split("\n")
      .map((line) => line.split(":"))
      .filter(([group]) => group === "systemd-journal" || group === "adm")
      .map(([, , gid]) => gid);
    if (!groups.split(" ").some((gid) => readers.includes(gid))) {
      const detail = `the daemon may not read it: ${without}`;
      return limited(
        name,
        detail,
        `give it back its group: SupplementaryGroups=systemd-journal in ${daemonUnit}`,
      );
    }
  }
  const { uid } = system.self;
  // What the daemon may read is not what whoever asks may.
  if (uid !== 0 && !(await mayReadJournal(system)))
    return limited(name, "this user may not read it, so nothing can be said about it", "sudo argus doctor");
  return await findJournal(
    system,
    "look whether systemd-journald runs, and that Storage= in /etc/systemd/journald.conf is not none",
  );
}

/** Messages of the first process are for readers of the system's journal alone. */
async function mayReadJournal({ run }: System): Promise<boolean> {
  const shown = await run("journalctl", ["-n", "1", "-o", "json", "--no-pager", "_PID=1"], {
    timeoutMs: 3000,
  });
  return shown.timedOut || (shown.exitCode === 0 && shown.stdout.trim() !== "");
}

/** A cycle every five minutes in place of the daemon: `install.sh --timer`. */
export async function isTimerActive({ run }: System): Promise<boolean> {
  const shown = await run("systemctl", ["is-active", "argus-once.timer"], { timeoutMs: 3000 });
  return shown.stdout.trim() === "active";
}

/** null: it does not run. */
async function mainPid({ run }: System, unit: string): Promise<number | null> {
  const shown = await run("systemctl", ["show", "--value", "--property=MainPID", unit], { timeoutMs: 3000 });
  const pid = Number(shown.stdout.trim());
  return shown.exitCode === 0 && pid > 0 ? pid : null;
}
