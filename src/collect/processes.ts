/** Every process: what it is, what it takes, who owns it, and whether Argus may end it. */
import { objectionToKill } from "../system/killable.ts";
import { isOrphan } from "../system/orphans.ts";
import { ancestorsOf, parseStatus, readPageSize, terminalName, ticksPerSecond } from "../system/proc.ts";
import type { Files, System } from "../system/system.ts";
import { createUsers } from "../system/users.ts";
import type { Witness } from "../system/witness.ts";
import type { Process } from "../types/facts.ts";
import { bytes } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import { createAbandonments } from "./abandonment.ts";
import type { Collect } from "./collector.ts";
import { createExecutables } from "./executables.ts";
import { createMainPids } from "./main-pids.ts";
import { createTracking, type Tracked } from "./tracked.ts";
import { count } from "./words.ts";

/** Growth over less says more about the start of a program than about a leak. */
const growthAfterSeconds = 600;

export function createProcessCollector(
  system: System,
  config: Config,
  witness: Witness | null = null,
): Collect {
  const { files, clock, self } = system;
  const { killable, protected: protectedNames } = config.settings.processes;
  const pageSize = readPageSize(files);
  const users = createUsers(files);
  const look = createTracking(files);
  const settleMains = createMainPids(system, killable);
  const lookForAbandoned = createAbandonments(system, witness);
  const fillExecutables = createExecutables(witness);

  return async ({ signal }) => {
    const nowMs = clock.monotonicMs();
    const { uptimeSeconds } = clock.now();
    const nameOf = users();
    const swapInUse = isSwapInUse(files);
    const all = look(nowMs, uptimeSeconds);
    const hidden = await fillExecutables(all, signal);
    await settleMains(all);
    const abandonments = await lookForAbandoned(all, signal);
    const own = new Set([self.pid, ...ancestorsOf(files, self.pid)]);
    const policy = { killable, protected: protectedNames, own };
    const processes: Process[] = [];
    for (const one of all.values()) {
      const { pid, startTime, details } = one;
      const objection = objectionToKill(one, policy);
      const abandonment = abandonments.of(pid);
      const seenSeconds = (nowMs - one.firstSeenMs) / 1000;
      const grown = (one.rssPages - one.firstRssPages) * pageSize;
      processes.push({
        pid,
        startTime,
        parentPid: one.parentPid,
        user: nameOf(details.uid),
        name: one.name,
        executable: details.executable,
        executablePath: details.executablePath,
        commandLine: details.commandLine,
        arguments: details.arguments,
        runtimeOptions: details.runtimeOptions,
        state: one.state,
        terminal: terminalName(one.terminal),
        sessionId: one.sessionId,
        rssBytes: one.rssPages * pageSize,
        rssGrowthPerHour: seenSeconds < growthAfterSeconds ? null : (grown * 3600) / seenSeconds,
        swapBytes: swapInUse && !one.kernelThread ? readSwapBytes(files, pid) : 0,
        cpuPercent: one.cpuPercent,
        ageSeconds: Math.max(0, uptimeSeconds - startTime / ticksPerSecond),
        unit: details.unit,
        container: details.container,
        orphan: isOrphan(one, all),
        abandoned: abandonment.abandoned,
        abandonedBecause: abandonment.because,
        notAbandonedBecause: abandonment.whyNot,
        agent: one.agent,
        killable: objection === null,
        notKillableBecause: objection?.because ?? null,
      });
    }
    return {
      facts: { process: processes },
      detail: `${sentence(processes, all)}${hidden}${abandonments.hidden}`,
    };
  };
}

/** Without swap in use nobody has anything in it: that spares the reading of every status file. */
function isSwapInUse(files: Files): boolean {
  const meminfo = files.tryRead("/proc/meminfo") ?? "";
  const value = (name: string) => new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1];
  return value("SwapTotal") !== value("SwapFree");
}

function readSwapBytes(files: Files, pid: number): number {
  return parseStatus(files.tryReadOnce(`/proc/${pid}/status`) ?? "").swapBytes ?? 0;
}

function sentence(processes: readonly Process[], all: ReadonlyMap<number, Tracked>): string {
  let kernelThreads = 0;
  for (const one of all.values()) if (one.kernelThread) kernelThreads += 1;
  let orphans = 0;
  let killable = 0;
  let largest: Process | null = null;
  for (const one of processes) {
    if (one.orphan) orphans += 1;
    if (one.orphan && one.killable) killable += 1;
    if (largest === null || one.rssBytes > largest.rssBytes) largest = one;
  }
  return [
    count(processes.length - kernelThreads, "process", "processes"),
    kernelThreads === 0 ? "" : ` and ${count(kernelThreads, "kernel thread")}`,
    orphans === 0 ? ", no orphan" : `, ${count(orphans, "orphan")} (${killable} killable)`,
    largest === null
      ? ""
      : `; largest ${largest.executable ?? largest.name} (pid ${largest.pid}) ${bytes(largest.rssBytes)}`,
    all.has(1) ? "" : "; those of other users are hidden from this one",
  ].join("");
}
