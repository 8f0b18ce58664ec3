/** The parts of the snapshot that matter to the problems at hand. Pure. */
import { redactProcess } from "../system/redact/processes.ts";
import type { Process } from "../types/facts.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Sizes } from "./briefing-parts.ts";
import type { Unresolved } from "./unresolved.ts";

/**
 * The host's few numbers always; services and endpoints that are watched; disks; the largest processes by what is
 * short; sessions when one is in question.
 * @param clean makes text from the machine fit to be sent.
 */
export function relevantFacts(
  unresolved: readonly Unresolved[],
  facts: Facts,
  { processes, rows }: Pick<Sizes, "processes" | "rows">,
  clean: (text: string) => string,
): Record<string, unknown> {
  /** The daily look is at everything. */
  const isWhole = unresolved.length === 0;
  const types = new Set(unresolved.flatMap(({ findings }) => findings.map(({ finding }) => finding.type)));
  const rounded = (value: number | null) => (value === null ? null : Math.round(value * 10) / 10);
  const gigabytes = (bytes: number) => Math.round(bytes / 1e7) / 100;
  const { host, memory, swap, load, pressure } = facts;
  return {
    host: host && { uptimeSeconds: Math.round(host.uptimeSeconds), cores: host.cores },
    memory: memory && {
      totalGigabytes: gigabytes(memory.totalBytes),
      availableGigabytes: gigabytes(memory.availableBytes),
      usedPercent: rounded(memory.usedPercent),
      limitedByCgroup: memory.limitedByCgroup,
    },
    swap: swap && {
      totalGigabytes: gigabytes(swap.totalBytes),
      usedPercent: rounded(swap.usedPercent),
      thrashMegabytesPerSecond: rounded(swap.thrashMegabytesPerSecond),
    },
    load: load && { one: load.one, five: load.five, fifteen: load.fifteen, perCore: rounded(load.perCore) },
    pressure,
    disks: facts.disk
      ?.slice(0, rows)
      .map(({ mount, usedPercent, availableBytes, inodesUsedPercent, fullInHours }) => ({
        mount: clean(mount),
        usedPercent: rounded(usedPercent),
        availableGigabytes: gigabytes(availableBytes),
        inodesUsedPercent: rounded(inodesUsedPercent),
        fullInHours: rounded(fullInHours),
      })),
    services: facts.service
      ?.filter(({ watched, installed, activeState }) => (watched && installed) || activeState === "failed")
      .slice(0, rows)
      .map(({ name, activeState, subState, result, restartsLastHour, sinceSeconds, stoppedByOperator }) => ({
        name: clean(name),
        state: clean(`${activeState} (${subState}), ${result}`),
        restartsLastHour,
        sinceSeconds: rounded(sinceSeconds),
        stoppedByOperator,
      })),
    endpoints: facts.endpoint
      ?.slice(0, rows)
      .map(({ name, url, ok, status, latencyMilliseconds, error }) => ({
        name: clean(name),
        url: clean(url),
        ok,
        status,
        latencyMilliseconds: rounded(latencyMilliseconds),
        error: error === null ? null : clean(error),
      })),
    ...((isWhole || types.has("session")) && {
      sessions: facts.session?.slice(0, rows).map(({ name, windows, idleSeconds, attached }) => ({
        name: clean(name),
        windows,
        idleSeconds: rounded(idleSeconds),
        attached,
      })),
    }),
    largest_by_memory: largest(facts.process, ({ rssBytes }) => rssBytes, processes, clean),
    ...((isWhole || types.has("swap")) && {
      largest_in_swap: largest(facts.process, ({ swapBytes }) => swapBytes, processes, clean),
    }),
    ...((isWhole || types.has("process")) && {
      busiest: largest(facts.process, ({ cpuPercent }) => cpuPercent, processes, clean),
    }),
  };
}

function largest(
  processes: Facts["process"],
  by: (process: Process) => number,
  most: number,
  clean: (text: string) => string,
) {
  const ranked = [...(processes ?? [])]
    .sort((a, b) => by(b) - by(a))
    .slice(0, most)
    .map(redactProcess);
  return ranked.map(
    ({
      pid,
      executable,
      name,
      commandLine,
      user,
      unit,
      rssBytes,
      swapBytes,
      cpuPercent,
      ageSeconds,
      killable,
    }) => ({
      pid,
      name: clean(executable ?? name),
      commandLine: clean(commandLine),
      user: clean(user),
      unit: unit === null ? null : clean(unit),
      rssMegabytes: Math.round(rssBytes / 1e6),
      swapMegabytes: Math.round(swapBytes / 1e6),
      cpuPercent: Math.round(cpuPercent),
      ageSeconds: Math.round(ageSeconds),
      killable,
    }),
  );
}
