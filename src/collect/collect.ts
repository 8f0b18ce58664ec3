/** Looks at the machine: all collectors at once, each within its own time. */

import { setMaxListeners } from "node:events";
import type { System } from "../system/system.ts";
import { isSystemdRunning } from "../system/systemd.ts";
import type { Witness } from "../system/witness.ts";
import type { Self } from "../types/facts.ts";
import { isoTime } from "../types/moment.ts";
import { duration, timeLimit } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import type { CollectorReport, Facts, Snapshot } from "../types/snapshot.ts";
import type { Collect, Observation } from "./collector.ts";
import { createDiskCollector } from "./disks.ts";
import { createEndpointCollector } from "./endpoints.ts";
import { addHogs } from "./hogs.ts";
import { createHostCollector } from "./host.ts";
import { createProcessCollector } from "./processes.ts";
import { createSelfCollector } from "./self.ts";
import { withEndpointHints } from "./service-text.ts";
import { createServiceCollector } from "./services.ts";
import { createSessionCollector } from "./sessions.ts";
import { createUnitLook, type UnitsLook } from "./unit-look.ts";

export const collectorNames = [
  "host",
  "disks",
  "processes",
  "services",
  "sessions",
  "endpoints",
  "self",
] as const;
export type CollectorName = (typeof collectorNames)[number];

interface Row {
  readonly create: (system: System, config: Config, witness: Witness | null) => Collect;
  /** What it may take. Programs that it starts have 5 s each, and end earlier than this. */
  readonly limitMs: number;
  /** Observed along with it: its facts would be incomplete without. */
  readonly needs?: readonly CollectorName[];
  /** Reads without a pause, so it runs alone: meanwhile no answer from outside could be noticed, let alone timed. */
  readonly blocks?: true;
}

/** A new collector is one file and one row. */
const rows: Readonly<Record<CollectorName, Row>> = {
  host: { create: createHostCollector, limitMs: 2_000, needs: ["processes"] },
  disks: { create: createDiskCollector, limitMs: 5_000 },
  processes: { create: createProcessCollector, limitMs: 5_000, blocks: true },
  services: { create: createServiceCollector, limitMs: 12_000 },
  sessions: { create: createSessionCollector, limitMs: 7_000 },
  // An endpoint may be given 30 s by the settings.
  endpoints: { create: createEndpointCollector, limitMs: 40_000 },
  self: { create: createSelfCollector, limitMs: 1_000 },
};

export interface Collector {
  /** @param only observes just these, and what they need; all when left out. Never throws for what a collector does. */
  collect(self: Self, only?: ReadonlySet<CollectorName>): Promise<Snapshot>;
}

/**
 * The value remembers counters and processes between cycles.
 * @param witness whom to ask for what only root sees; null: this process sees all that it ever will.
 */
export function createCollector(system: System, config: Config, witness: Witness | null = null): Collector {
  const collectors = collectorNames.map((name) => ({
    name,
    ...rows[name],
    collect: rows[name].create(system, config, witness),
  }));
  /** Collectors that went on after their time was up, since when: nobody can end a call into the kernel. */
  const busy = new Map<CollectorName, number>();
  const { clock } = system;
  const look = createUnitLook(system, config);
  const readUnits = async () => (isSystemdRunning(system.files) ? await look() : null);

  async function observe(
    { name, collect, limitMs }: (typeof collectors)[number],
    cycle: { self: Self; units: () => Promise<UnitsLook | null> },
  ): Promise<{ reports: CollectorReport[]; facts: Facts }> {
    const startedMs = clock.monotonicMs();
    const since = busy.get(name);
    const report = (
      status: CollectorReport["status"],
      detail: string,
      { facts = {}, also = [] }: Partial<Observation> = {},
    ) => {
      const duration_ms = Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
      const own = { name, status, duration_ms, detail };
      return { reports: [own, ...also.map((each) => ({ ...each, duration_ms: 0 }))], facts };
    };
    if (since !== undefined) {
      return report("failed", `still waiting for the answer of ${duration((startedMs - since) / 1000)} ago`);
    }
    busy.set(name, startedMs);
    const limit = new AbortController();
    setMaxListeners(0, limit.signal); // each program and each request of a collector listens to it
    const done = new AbortController();
    const work = attempt(() => collect({ ...cycle, signal: limit.signal })).finally(() => busy.delete(name));
    const late = clock.sleep(limitMs, done.signal).then(() => "late" as const);
    const outcome = await Promise.race([work, late]);
    done.abort();
    if (outcome === "late") {
      limit.abort();
      return report("failed", `gave no answer within ${timeLimit(limitMs)}`);
    }
    if (outcome instanceof Error) return report("failed", whatFailed(outcome));
    return report(outcome.absent === true ? "absent" : "ok", outcome.detail, outcome);
  }

  return {
    async collect(self, only) {
      const wanted = only === undefined ? null : withNeeds(only);
      const takenAt = isoTime(clock.now());
      const cycle = { self, units: once(readUnits) };
      const chosen = collectors.filter(({ name }) => wanted?.has(name) ?? true);
      const alone = new Map<CollectorName, Awaited<ReturnType<typeof observe>>>();
      for (const each of chosen) if (each.blocks === true) alone.set(each.name, await observe(each, cycle));
      const observed = await Promise.all(chosen.map((each) => alone.get(each.name) ?? observe(each, cycle)));
      const facts = Object.assign({}, ...observed.map((each) => each.facts)) as Facts;
      return {
        takenAt,
        collectors: observed.flatMap((each) => each.reports),
        facts: withEndpointHints(addHogs(facts)),
      };
    },
  };
}

function withNeeds(only: ReadonlySet<CollectorName>): ReadonlySet<CollectorName> {
  return new Set([...only].flatMap((name) => [name, ...(rows[name].needs ?? [])]));
}

/** A collector's failure is a piece of data. */
async function attempt(collect: () => Promise<Observation>): Promise<Observation | Error> {
  try {
    return await collect();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Errors of the outside are plain; a TypeError and its like is a bug, which nobody finds without its place. */
function whatFailed(error: Error): string {
  if (error.constructor === Error) return error.message;
  const place = /\n\s+at (.+)/.exec(error.stack ?? "")?.[1] ?? "an unknown place";
  return `a bug in Argus: ${error.name}: ${error.message} at ${place}`;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
