/** `cycle_state.json` in the log folder: how the cycles are going, for people, for monitors, and for the `self` fact. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { isNoRoom } from "../system/error-code.ts";
import { fileError } from "../system/file-error.ts";
import { stringify } from "../system/printable.ts";
import { processAlive, processStart } from "../system/process-start.ts";
import { redact, redactDeep } from "../system/redact/redact.ts";
import { createStore } from "../system/store.ts";
import type { Files, System } from "../system/system.ts";
import type { Self } from "../types/facts.ts";
import { isoTime } from "../types/moment.ts";
import type { CollectorReport } from "../types/snapshot.ts";
import type { TrailCycle } from "../types/trail.ts";

export const CycleState = z.strictObject({
  version: z.literal(1),
  state: z.enum(["running", "idle", "failed"]),
  /** Id of the present or the last cycle. */
  cycle: z.string().nullable(),
  trigger: z.enum(["schedule", "once", "wake"]).nullable(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  /** Of the last complete cycle. */
  durationMs: z.number().nullable(),
  /** Cycles that were begun since the file was made. */
  cycles: z.number().int().nonnegative(),
  failuresInARow: z.number().int().nonnegative(),
  lastError: z.string().nullable(),
  /** Whose cycle it is: a pid alone could be somebody else's by now. */
  pid: z.number().int().nullable(),
  pidStartTime: z.number().int().nullable(),
  bootId: z.string().nullable(),
  /** A daemon runs on this state; false once it was told to stop. */
  watching: z.boolean().default(false),
  /** Collectors that failed in the last scheduled cycle, with the number of those in a row. */
  collectorFailures: z.record(z.string(), z.number().int().positive()).default({}),
  /** What is kept in memory because it cannot be written; then this file alone is kept up to date, in its place. */
  unwritten: z.strictObject({ since: z.string(), why: z.string() }).nullable().default(null),
});
export type CycleState = z.infer<typeof CycleState>;

export const cycleStatePath = (logDir: string): string => join(logDir, "cycle_state.json");

const empty = (): CycleState => ({
  version: 1,
  state: "idle",
  cycle: null,
  trigger: null,
  startedAt: null,
  finishedAt: null,
  durationMs: null,
  cycles: 0,
  failuresInARow: 0,
  lastError: null,
  pid: null,
  pidStartTime: null,
  bootId: null,
  watching: false,
  collectorFailures: {},
  unwritten: null,
});

/** So many scheduled cycles in a row make a failed look a problem: one may be a busy moment. */
const failuresToTell = 3;

export interface CycleStateFile {
  /** As it stands now. */
  state(): CycleState;
  /** As it stood when this process began. */
  atStart(): CycleState;
  /** Whether the cycle before the present one was cut off (killed, power lost); known once this one has begun. */
  interrupted(): boolean;
  /** Before a cycle: one that was cut off before it counts as failed. @returns whether one was, not yet counted. */
  countCutOff(): boolean;
  /** These four throw a UserError that names the file and the mend; what they say is then known to `state` all the same. */
  begin(cycle: { id: string; trigger: Exclude<TrailCycle["cycle"]["trigger"], "command"> }): void;
  end(durationMs: number): void;
  /** At once when the daemon is told to stop: how long it takes to do so is not its own affair. */
  toldToStop(): void;
  fail(error: unknown): void;
  /**
   * Counts the failed collectors of a scheduled cycle, in memory: `end` and `fail` write it. A wake-up counts nothing,
   * as those may come by the second.
   * @returns what the `self` fact says of them.
   */
  countCollectors(
    reports: readonly CollectorReport[],
    scheduled: boolean,
  ): Pick<Self, "failedCollectors" | "failedCollectorDetail">;
  /** @param rules files not in force because of an error, and the first of those errors. */
  selfFact(known: {
    brokenFiles: number;
    brokenDetail: string | null;
    settingsFault: string | null;
    /** null: the executor answers. */
    executorError: string | null;
  }): Omit<
    Self,
    | "failedCollectors"
    | "failedCollectorDetail"
    | "failingChannels"
    | "failingChannelDetail"
    | "writes"
    | "unwrittenSince"
    | "unwrittenDetail"
  >;
}

export function createCycleState(
  system: System,
  logDir: string,
  note: (sentence: string) => void,
): CycleStateFile {
  const { files, clock, self } = system;
  const path = cycleStatePath(logDir);
  const store = createStore({ files, path, schema: CycleState, empty, note });
  let state = store.load();
  const atStart = state;
  let interrupted = false;
  /** The cycle that was cut off, once it is counted. */
  let counted: string | null = null;
  // Read once: a process keeps its start time.
  const pidStartTime = processStart(files, self.pid);

  function save(next: CycleState): void {
    state = { ...next, unwritten: unwritten() };
    try {
      store.save(state);
      if (unwritten() !== null) showInPlace();
    } catch (error) {
      throw fileError("write", path, error);
    }
  }

  function unwritten(): CycleState["unwritten"] {
    const held = files.holding?.held() ?? null;
    return held === null ? null : { since: held.since, why: held.why };
  }

  /** So that `argus status` sees how the cycles are going, and that the rest is older: that much needs no room. */
  function showInPlace(): void {
    try {
      state = { ...state, unwritten: unwritten() };
      files.overwrite(path, stringify(redactDeep(state)));
    } catch (error) {
      // Read-only: nothing can be shown there.
      if (!isNoRoom(error)) throw error;
    }
  }

  return {
    state: () => state,
    atStart: () => atStart,
    interrupted: () => interrupted,
    countCutOff() {
      if (!isInterrupted(files, state, clock.now().bootId) || counted === state.cycle) return false;
      counted = state.cycle;
      const lastError = "the cycle did not end: it was cut off, or it hung until it was";
      state = { ...state, failuresInARow: state.failuresInARow + 1, lastError };
      return true;
    },
    begin({ id, trigger }) {
      const { bootId } = clock.now();
      // Our own unfinished one counts too: a cycle of this process that neither ended nor failed is a bug to be seen.
      interrupted =
        isInterrupted(files, state, bootId) || (state.state === "running" && state.pid === self.pid);
      save({
        ...state,
        state: "running",
        cycle: id,
        trigger,
        startedAt: isoTime(clock.now()),
        finishedAt: null,
        cycles: state.cycles + 1,
        pid: self.pid,
        pidStartTime,
        bootId,
        watching: trigger !== "once",
      });
    },
    end(durationMs) {
      save({
        ...state,
        state: "idle",
        finishedAt: isoTime(clock.now()),
        durationMs: Math.round(durationMs),
        failuresInARow: 0,
      });
    },
    toldToStop: () => save({ ...state, watching: false }),
    fail(error) {
      save({
        ...state,
        state: "failed",
        finishedAt: isoTime(clock.now()),
        failuresInARow: state.failuresInARow + 1,
        lastError: redact((error instanceof Error ? error.message : String(error)).slice(0, 8000)).slice(
          0,
          1000,
        ),
      });
    },
    countCollectors(reports, scheduled) {
      if (scheduled) {
        const failed = reports.filter(({ status }) => status === "failed");
        const counts = failed.map(({ name }) => [name, (state.collectorFailures[name] ?? 0) + 1] as const);
        state = { ...state, collectorFailures: Object.fromEntries(counts) };
      }
      const lasting = reports.filter(
        ({ name, status }) => status === "failed" && (state.collectorFailures[name] ?? 0) >= failuresToTell,
      );
      if (lasting.length === 0) return { failedCollectors: [], failedCollectorDetail: null };
      const words = lasting.map(
        ({ name, detail }) => `${name} (${state.collectorFailures[name]} cycles): ${detail}`,
      );
      return {
        failedCollectors: lasting.map(({ name }) => name),
        failedCollectorDetail: words.join("; ").slice(0, 1000),
      };
    },
    selfFact: ({ brokenFiles, brokenDetail, settingsFault, executorError }) => ({
      cycles: state.cycles,
      failuresInARow: state.failuresInARow,
      interrupted,
      lastDurationMilliseconds: state.durationMs,
      lastError: state.lastError,
      brokenRuleFiles: brokenFiles,
      brokenRuleDetail: brokenDetail,
      settingsInForce: settingsFault === null,
      settingsFault,
      executorAnswers: executorError === null,
      executorError,
    }),
  };
}

/** The state as another process left it; null when there is none, or it cannot be understood. Throws a WorkError. */
export function readCycleState(files: Files, logDir: string): CycleState | null {
  const text = files.tryRead(cycleStatePath(logDir), "own");
  if (text === null) return null;
  try {
    return CycleState.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** It says that a cycle is running, and the process whose cycle that was is gone. */
export function isInterrupted(files: Files, state: CycleState, bootId: string): boolean {
  if (state.state !== "running") return false;
  const { pid, pidStartTime } = state;
  return (
    pid === null ||
    pidStartTime === null ||
    state.bootId !== bootId ||
    !processAlive(files, pid, pidStartTime)
  );
}

/** Sorts by time, and two machines or restarts within a second still differ. */
export function newCycleId(clock: System["clock"]): string {
  return `${isoTime(clock.now()).replace(/[-:]/g, "")}-${randomBytes(2).toString("hex")}`;
}
