/** Makes the parts of a cycle for one state directory, and holds its lock. */

import { join } from "node:path";
import { createCollector } from "../collect/collect.ts";
import { createStopCauses } from "../collect/stop-causes.ts";
import type { Parts } from "../cycle.ts";
import { type BookOptions, openRuleBook, type RuleBook } from "../detect/rule-book.ts";
import { StreakFile } from "../detect/streaks.ts";
import { createEscalation } from "../escalate/escalation.ts";
import { createHandOffReader } from "../escalate/hand-off-report.ts";
import { createExecutor, type Executor } from "../execute/executor.ts";
import { policyOf } from "../execute/policy.ts";
import { reasonOf } from "../execute/reason.ts";
import { createRemoteExecutor } from "../execute/remote.ts";
import type { ExecutorView } from "../execute/view.ts";
import { createTicketDesk } from "../notify/tickets/desk.ts";
import { createCycleState } from "../record/cycle-state.ts";
import { createHistory } from "../record/history.ts";
import { acquireLock } from "../record/lock.ts";
import { createRebootWatch } from "../record/reboot.ts";
import { createRegistry } from "../record/registry.ts";
import { createSettling } from "../record/settling.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { createTrail, readTrail } from "../record/trail.ts";
import type { InForce } from "../report/summary.ts";
import { type Copies, keepCopies, readCopies } from "../system/last-good.ts";
import { createLink, type Link } from "../system/link/client.ts";
import { createReserve } from "../system/reserve.ts";
import { createStore } from "../system/store.ts";
import type { System } from "../system/system.ts";
import { remoteWitness } from "../system/witness.ts";
import { createTimers } from "../timers.ts";
import type { Config } from "../types/settings.ts";
import type { TrailCycle } from "../types/trail.ts";
import { lostSentence, withMemory } from "./memory.ts";

export interface OpenParts {
  readonly parts: Parts;
  /** The same for other settings. Folders and socket stay as they were. */
  remake(config: Config): Parts;
  /** Between two cycles: writes the lock where there was no room for it. Throws a WorkError when another one has it now. */
  settle(): void;
  /** @returns what could not be written and is lost with this process, as a sentence; null: nothing. */
  release(): string | null;
}

/** The rules of the files, and of the last good copies where those are broken. @param last an open book, which may know better. */
export function openBook(
  { files, clock }: System,
  config: Config,
  last: RuleBook | null = null,
  keep?: BookOptions["keep"],
): RuleBook {
  const copies = last?.copies() ?? readCopies(files, config.stateDir, "rules");
  return openRuleBook(files, config, {
    copies,
    now: () => clock.now(),
    ...(keep === undefined ? {} : { keep }),
  });
}

/**
 * @param what the command, for whoever finds the lock taken.
 * @param goesOn it remembers in memory what finds no room on the disk. Not where budgets and delays would be forgotten
 * with a single cycle.
 */
export async function openParts(
  machine: System,
  config: Config,
  what: string,
  { goesOn = false } = {},
): Promise<OpenParts> {
  const { stateDir, logDir, executorStateDir } = config;
  openStateDir(machine, stateDir, folderNames.state, goesOn);
  openStateDir(machine, logDir, folderNames.logs, goesOn);
  if (config.executorSocket === null) openStateDir(machine, executorStateDir, folderNames.executor, goesOn);
  const lock = await acquireLock(machine, stateDir, what);
  const roots = [stateDir, logDir, ...(config.executorSocket === null ? [executorStateDir] : [])];
  let noteHere: (sentence: string) => void = () => undefined;
  const system = goesOn ? withMemory(machine, roots, (sentence) => noteHere(sentence)) : machine;
  const link = config.executorSocket === null ? null : createLink(config.executorSocket);
  const kept = createKept(system, config);
  const unkept: string[] = [];
  const keep = keepRules(system, config, (sentence) => void unkept.push(sentence));
  let book: RuleBook | null = null;
  const partsFor = (settings: Config): Parts => {
    book = openBook(system, settings, book, keep);
    const parts = createParts(system, settings, book, link, kept);
    parts.notes.push(...unkept.splice(0));
    noteHere = (sentence) => void parts.notes.push(sentence);
    return parts;
  };
  try {
    return {
      parts: partsFor(config),
      remake: partsFor,
      settle: lock.settle,
      release: () => {
        link?.close();
        system.files.holding?.settle();
        lock.release();
        return lostSentence(system);
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A copy that cannot be written is no reason to stop: the present rules are in force all the same. */
function keepRules(
  { files, clock }: System,
  { stateDir }: Config,
  note: (sentence: string) => void,
): (copies: Copies) => void {
  return ({ texts }) => {
    try {
      keepCopies(files, stateDir, "rules", texts, clock.now(), note);
    } catch (error) {
      note(`the rules in force could not be kept for the time when a file breaks: ${reasonOf(error)}`);
    }
  };
}

/** What outlives a reload of the settings: two desks would talk to the tracker at once, what is due stays due. */
export function createKept(system: System, { stateDir }: Config) {
  return {
    desk: createTicketDesk(system, stateDir),
    timers: createTimers(system.clock),
    causes: createStopCauses(system),
    begunMs: Math.floor(system.clock.now().wallMs / 1000) * 1000,
  };
}

/** @param link to the executor's process; null: this one executes. */
export function createParts(
  system: System,
  config: Config,
  book: RuleBook,
  link: Link | null = null,
  { desk, timers, causes, begunMs } = createKept(system, config),
): Parts {
  const { files, clock } = system;
  const { stateDir, logDir } = config;
  const notes: string[] = [...config.notes];
  const note = (sentence: string): void => void notes.push(sentence);
  return {
    system,
    config,
    book,
    notes,
    collector: createCollector(system, config, link === null ? null : remoteWitness(link), causes),
    executor: executorOf(system, config, link),
    registry: createRegistry({ files, stateDir, nowMs: () => clock.now().wallMs, note }),
    escalation: createEscalation(system, config, note),
    desk,
    handOffs: createHandOffReader(system, config, note),
    trail: createTrail(files, stateDir, note),
    recent: () => recentCycles(files, stateDir),
    history: createHistory(system, stateDir, note),
    streaks: createStore({
      files,
      path: join(stateDir, "streaks.json"),
      schema: StreakFile,
      plain: true,
      empty: () => ({ version: 1 as const, streaks: {} }),
      note,
    }),
    // Space that is kept free is of no use in memory.
    reserve: createReserve(files.holding?.disk ?? files, stateDir),
    settling: createSettling(config.restartSettleSeconds),
    timers,
    begunMs,
    state: createCycleState(system, logDir, note),
    reboots: createRebootWatch(system, stateDir, note),
  };
}

/** With a socket, this process executes words alone; its own executor is never asked for more. */
export function executorOf(system: System, config: Config, link: Link | null): Executor {
  const options = { isDry: config.dryRun };
  if (link === null) return createExecutor(system, policyOf(config), config.executorStateDir, options);
  const words = createExecutor(system, policyOf(config), config.stateDir, options);
  // Of argus.env this process may have an old copy; the executor reads the file itself.
  const watchOnly = config.mode === "watch" && ["environment", "unclear"].includes(config.modeSource.kind);
  return createRemoteExecutor(words, link, watchOnly);
}

export const inForceIn = ({ silences, acks, mode }: ExecutorView): InForce => ({
  silenced: silences,
  acks,
  mode,
});

/** With null, the executor is not to be asked. */
export async function inForceAt(executor: Pick<Executor, "view">): Promise<InForce> {
  try {
    return inForceIn(await executor.view());
  } catch {
    return { silenced: null, mode: null };
  }
}

const recentCount = 5;

function recentCycles(files: System["files"], stateDir: string): TrailCycle[] {
  const cycles: TrailCycle[] = [];
  for (const cycle of readTrail(files, stateDir).cycles()) {
    if (cycles.push(cycle) >= recentCount) break;
  }
  return cycles.reverse();
}
