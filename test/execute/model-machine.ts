/**
 * A whole machine in one value, for property tests: processes, units, a tmux server and a clock, with every effect
 * written down at its true time. State files are real ones, and may refuse to be written.
 */
import { createFiles } from "../../src/system/files.ts";
import type { Files, Run, RunResult, System } from "../../src/system/system.ts";
import { type ManualClock, manualClock } from "./support.ts";

export interface Effect {
  readonly at: number;
  readonly kind: "kill" | "restart";
  readonly target: string | number;
}

interface ModelProcess {
  readonly program: string;
  readonly startTime: number;
  readonly name?: string;
  readonly parent?: number;
  readonly session?: number;
  readonly cgroup?: string;
  readonly kernelThread?: boolean;
  /** Whether the policy of the test lets Argus end it. */
  readonly mayEnd: boolean;
  readonly ignoresTerm?: boolean;
}

export const ownPid = 50;
export const socket = "/run/agents.sock";
export const orphanPids = [70, 71, 72, 73, 74, 75];
const inWeb = "0::/system.slice/web.service\n";

export interface ModelMachine {
  readonly system: System;
  readonly clock: ManualClock;
  readonly effects: Effect[];
  /** What must never have happened. */
  readonly crimes: string[];
  startTimeOf(pid: number): number;
  pids(): number[];
  /** The pid is taken over by a program that nobody may end. */
  takeOver(pid: number): void;
  spawnOrphan(pid: number, ignoresTerm: boolean): void;
  units: Map<string, "failed" | "active">;
  sessions: Set<string>;
  /** systemctl restart never returns: what was begun is begun, and Argus dies in the middle. */
  hang: boolean;
  diskFull: boolean;
}

export function modelMachine(): ModelMachine {
  const clock = manualClock();
  const effects: Effect[] = [];
  const crimes: string[] = [];
  let started = 1000;
  const processes = new Map<number, ModelProcess>();
  const put = (pid: number, program: string, more: Partial<ModelProcess> = {}) =>
    processes.set(pid, { program, startTime: started++, mayEnd: false, ...more });
  put(1, "systemd", { parent: 0 });
  put(2, "kthreadd", { parent: 0, kernelThread: true });
  put(48, "node", { parent: 1 });
  put(49, "node", { parent: 48 });
  put(ownPid, "node", { parent: 49 });
  put(60, "sshd");
  put(61, "node", { session: 61, cgroup: inWeb });
  put(62, "node", { parent: 61, session: 61, cgroup: inWeb, mayEnd: true });
  put(63, "postgres");
  put(64, "node", { name: "tmux: server" });
  put(65, "claude");
  for (const pid of orphanPids) put(pid, "node", { mayEnd: true, ignoresTerm: pid % 3 === 0 });

  const machine: Omit<ModelMachine, "system"> = {
    clock,
    effects,
    crimes,
    startTimeOf: (pid) => processes.get(pid)?.startTime ?? 0,
    pids: () => [...processes.keys()],
    takeOver: (pid) => put(pid, "sshd"),
    spawnOrphan: (pid, ignoresTerm) => put(pid, "node", { mayEnd: true, ignoresTerm }),
    units: new Map([
      ["web.service", "failed"],
      ["api.service", "failed"],
      ["db.service", "active"],
      ["sshd.service", "failed"],
    ]),
    sessions: new Set(["one", "two", "three", "four", "five"]),
    hang: false,
    diskFull: false,
  };

  const signal: System["signal"] = (pid, name) => {
    const found = processes.get(pid);
    if (found === undefined) return false;
    if (!found.mayEnd) crimes.push(`${name} to ${found.program} (pid ${pid})`);
    if (name === "SIGTERM") effects.push({ at: clock.elapsed(), kind: "kill", target: pid });
    if (name === "SIGKILL" || found.ignoresTerm !== true) processes.delete(pid);
    return true;
  };
  return Object.assign(machine, {
    system: {
      files: filesOf(machine, processes),
      run: runOf(machine),
      hasProgram: () => false,
      http: {
        request: () => Promise.reject(new Error("no network")),
        connect: () => Promise.reject(new Error("no network")),
      },
      signal,
      bus: { connect: async () => ({ why: "there is no bus" }) },
      clock,
      self: { pid: ownPid, parentPid: 49, uid: 0, gid: 0, home: "/root" },
    } satisfies System,
  });
}

function statText(pid: number, process: ModelProcess): string {
  const rest = Array.from({ length: 40 }, () => "0");
  rest[0] = String(process.parent ?? 1);
  rest[2] = String(process.session ?? 40);
  rest[5] = process.kernelThread === true ? String(0x00200000) : "0";
  rest[18] = String(process.startTime);
  return `${pid} (${process.name ?? process.program}) S ${rest.join(" ")}\n`;
}

function filesOf(machine: Omit<ModelMachine, "system">, processes: Map<number, ModelProcess>): Files {
  const real = createFiles("/");
  const readProc = (path: string): string | null => {
    const [, pid, file] = /^\/proc\/(\d+)\/(\w+)$/.exec(path) ?? [];
    const process = processes.get(Number(pid));
    if (process === undefined) return null;
    if (file === "stat") return statText(Number(pid), process);
    if (file === "cgroup") return process.cgroup ?? "0::/\n";
    return file === "status" ? `Name:\t${process.program}\nNSpid:\t${pid}\n` : null;
  };
  const read = (path: string, otherwise: () => string | null) =>
    path.startsWith("/proc/") ? readProc(path) : otherwise();
  return {
    ...real,
    // The disk cleaning goes by real paths: here it must find no machine at all, least of all the one it runs on.
    realPath: (path) => `/nonexistent${path}`,
    tryRead: (path, whose) => read(path, () => real.tryRead(path, whose)),
    tryReadOnce: (path) => read(path, () => real.tryReadOnce(path)),
    tryReadHead: (path, bytes, whose) => read(path, () => real.tryReadHead(path, bytes, whose)),
    tryReadLink(path) {
      const process = processes.get(Number(/^\/proc\/(\d+)\/exe$/.exec(path)?.[1]));
      return process === undefined ? null : `/usr/bin/${process.program}`;
    },
    list: (path, whose) => (path === "/proc" ? [...processes.keys()].map(String) : real.list(path, whose)),
    stat(path) {
      const plain = { sizeBytes: 0, modifiedMs: 0, changedMs: 0, inode: 1, uid: 0, gid: 0, mode: 0o755 };
      if (path === socket) return { ...plain, kind: "other" };
      return path === "/run/systemd/system" ? { ...plain, kind: "directory" } : real.stat(path);
    },
    writeAtomic(path, text, options) {
      if (machine.diskFull) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      // Not durable: hundreds of histories are written here, and no power is lost.
      real.writeAtomic(path, text, { ...options, durable: false });
    },
  };
}

function runOf(machine: Omit<ModelMachine, "system">): Run {
  const { clock, effects, crimes, units, sessions } = machine;
  const said = (stdout: string, exitCode = 0): RunResult => ({
    exitCode,
    stdout,
    stderr: exitCode === 0 ? "" : "it failed",
    timedOut: false,
    missing: false,
  });
  const show = (unit: string): string => {
    const active = units.get(unit);
    if (active === undefined) return `Id=${unit}\nNames=${unit}\nLoadState=not-found\nActiveState=inactive\n`;
    const result = active === "failed" ? "exit-code" : "success";
    return `Id=${unit}\nNames=${unit}\nLoadState=loaded\nActiveState=${active}\nSubState=x\nResult=${result}\nMainPID=61\n`;
  };
  return async (program, args) => {
    const last = args.at(-1) ?? "";
    if (program === "journalctl") return said("", 1);
    if (program === "tmux") {
      if (args.includes("list-sessions"))
        return said([...sessions].map((name) => `1 1 1 0 ${name}`).join("\n"));
      if (args.includes("list-panes")) return said("99999");
      effects.push({ at: clock.elapsed(), kind: "kill", target: last });
      return said("", sessions.delete(last.slice(1)) ? 0 : 1);
    }
    if (program !== "systemctl") {
      crimes.push(`${program} was run`);
      return said("", 1);
    }
    if (args.includes("show"))
      return said(
        args
          .filter((word) => word.includes("."))
          .map(show)
          .join("\n"),
      );
    // Forgets why a unit failed, and starts nothing.
    if (args[1] === "reset-failed" && args.length === 3 && units.get(last) === "failed") return said("");
    if (args[1] !== "restart" || args.length !== 3) {
      crimes.push(`systemctl ${args.join(" ")}`);
      return said("", 1);
    }
    effects.push({ at: clock.elapsed(), kind: "restart", target: last });
    if (machine.hang) return new Promise(() => {});
    // Every second one heals, so that both outcomes have their histories.
    units.set(last, effects.length % 2 === 0 ? "active" : "failed");
    return said("");
  };
}
