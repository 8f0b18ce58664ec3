/**
 * The processes that are there, and what is remembered of each from cycle to cycle. Of each, only `stat` is read in
 * every cycle, the rest once in its life and again when it may have changed. The records are updated in place:
 * 5,000 new ones a cycle would cost 15 ms of collecting the old ones.
 */

import { agentName } from "../system/agents.ts";
import { isScheduler } from "../system/job-owners.ts";
import { isAlive } from "../system/orphans.ts";
import type { Relation } from "../system/owner-chain.ts";
import { listPids, type ProcessStat, readStat, ticksPerSecond } from "../system/proc.ts";
import type { Files } from "../system/system.ts";
import { entersUnit, isSystemUnit, isUnitMain } from "../system/unit-main.ts";
import type { RememberedAgent } from "../types/agent.ts";
import { type Details, readDetails } from "./process-details.ts";

/** A program sets itself up in this time: it changes its user, cgroup or title, or becomes another one by exec. */
const settlingSeconds = 10;
/** The kernel counts processor time in hundredths of a second: over less than this a share would be noise. */
const shareAfterSeconds = 0.5;

type Changing<T> = { -readonly [K in keyof T]: T[K] };

export interface Tracked extends Changing<Relation> {
  readonly pid: number;
  readonly startTime: number;
  readonly kernelThread: boolean;
  readonly firstParentPid: number;
  readonly firstSeenMs: number;
  readonly firstRssPages: number;
  details: Details;
  executable: string | null;
  name: string;
  arguments: readonly string[];
  /** It is a coding agent itself; null: it is none. */
  itself: RememberedAgent | null;
  /** Agents that were ever seen above it, the nearest first: one may have started another, which ended before it. */
  agents: readonly RememberedAgent[];
  /** The nearest of them that lives; where none does, the nearest. */
  agent: RememberedAgent | null;
  /** Whether cron, at or a CI system's runner was ever seen above it. */
  scheduled: boolean;
  rssPages: number;
  /** Share of one processor since the last cycle; at first, since its start. */
  cpuPercent: number;
  startStack: number;
  ticks: number;
  ticksAtMs: number;
  seenIn: number;
}

/** @returns a function that looks again and answers all that is there now, by pid. */
export function createTracking(
  files: Files,
): (nowMs: number, uptimeSeconds: number) => ReadonlyMap<number, Tracked> {
  const all = new Map<number, Tracked>();
  let cycle = 0;

  function look(pid: number, nowMs: number, uptimeSeconds: number): void {
    const stat = readStat(files, pid);
    if (stat === null) return;
    const before = all.get(pid);
    const known = before !== undefined && before.startTime === stat.startTime ? before : null;
    if (known !== null && isSettled(known, stat, uptimeSeconds)) {
      update(known, stat, known.details, nowMs);
      known.seenIn = cycle;
      return;
    }
    const details = readDetails(files, stat);
    if (details === null) return; // it vanished while it was read
    const one = known ?? firstSight(stat, details, nowMs, uptimeSeconds);
    update(one, stat, details, nowMs);
    one.seenIn = cycle;
    all.set(pid, one);
  }

  return (nowMs, uptimeSeconds) => {
    cycle += 1;
    for (const pid of listPids(files)) look(pid, nowMs, uptimeSeconds);
    for (const [pid, one] of all) if (one.seenIn !== cycle) all.delete(pid);
    markUnitMains(all);
    rememberAbove(all);
    return all;
  };
}

function isSettled(known: Tracked, stat: ProcessStat, uptimeSeconds: number): boolean {
  if (known.kernelThread) return true;
  if (!known.details.complete) return false;
  // exec keeps pid and start time, and gives a new name or at least a new stack.
  if (known.name !== stat.name || known.startStack !== stat.startStack) return false;
  return uptimeSeconds - stat.startTime / ticksPerSecond > settlingSeconds;
}

function firstSight(stat: ProcessStat, details: Details, nowMs: number, uptimeSeconds: number): Tracked {
  const ticks = stat.userTicks + stat.systemTicks;
  const lifeTicks = Math.max(1, uptimeSeconds * ticksPerSecond - stat.startTime);
  // Written out: an object put together from others has no fixed layout, and is five times slower to update.
  return {
    pid: stat.pid,
    startTime: stat.startTime,
    parentPid: stat.parentPid,
    firstParentPid: stat.parentPid,
    sessionId: stat.sessionId,
    groupId: stat.groupId,
    state: stat.state,
    terminal: stat.terminal,
    kernelThread: stat.kernelThread,
    name: stat.name,
    startStack: stat.startStack,
    details,
    arguments: details.arguments,
    itself: agentOf(stat, details),
    agents: [],
    agent: null,
    scheduled: false,
    executable: details.executable,
    unit: details.unit,
    unitPath: details.unitPath,
    unitMain: false,
    containerInit: details.containerInit,
    userManager: details.userManager,
    rssPages: stat.rssPages,
    firstRssPages: stat.rssPages,
    firstSeenMs: nowMs,
    cpuPercent: (ticks / lifeTicks) * 100,
    ticks,
    ticksAtMs: nowMs,
    seenIn: 0,
  };
}

function update(one: Tracked, stat: ProcessStat, details: Details, nowMs: number): void {
  one.parentPid = stat.parentPid;
  one.sessionId = stat.sessionId;
  one.groupId = stat.groupId;
  one.state = stat.state;
  one.terminal = stat.terminal;
  if (details !== one.details || stat.name !== one.name) one.itself = agentOf(stat, details);
  one.name = stat.name;
  one.rssPages = stat.rssPages;
  one.startStack = stat.startStack;
  if (details !== one.details) {
    one.details = details;
    one.executable = details.executable;
    one.arguments = details.arguments;
    one.unit = details.unit;
    one.unitPath = details.unitPath;
    one.containerInit = details.containerInit;
    one.userManager = details.userManager;
  }
  const seconds = (nowMs - one.ticksAtMs) / 1000;
  if (seconds < shareAfterSeconds) return;
  const ticks = stat.userTicks + stat.systemTicks;
  one.cpuPercent = (Math.max(0, ticks - one.ticks) / ticksPerSecond / seconds) * 100;
  one.ticks = ticks;
  one.ticksAtMs = nowMs;
}

function agentOf({ pid, startTime, name }: ProcessStat, details: Details): RememberedAgent | null {
  const agent = agentName({ name, executable: details.executable, arguments: details.arguments });
  return agent === null ? null : { pid, startTime, name: agent };
}

/** Deeper than any tree of processes that people make. */
const maxDepth = 64;

/** What is above a process now will be forgotten by the kernel when it ends: a process has no former parents. */
function rememberAbove(all: ReadonlyMap<number, Tracked>): void {
  const resolved = new Set<number>();
  const resolve = (one: Tracked, depth: number): void => {
    if (resolved.has(one.pid)) return;
    resolved.add(one.pid);
    const parent = one.parentPid > 1 && depth < maxDepth ? all.get(one.parentPid) : undefined;
    if (parent !== undefined) inherit(one, parent, depth);
    const [nearest = null] = one.agents;
    one.agent = one.agents.find(isThere) ?? nearest;
  };
  const isThere = ({ pid, startTime }: RememberedAgent): boolean => {
    const agent = all.get(pid);
    return agent?.startTime === startTime && isAlive(agent);
  };
  const inherit = (one: Tracked, parent: Tracked, depth: number): void => {
    resolve(parent, depth + 1);
    const above = parent.itself === null ? parent.agents : [parent.itself, ...parent.agents];
    if (above.length > 0) one.agents = above;
    one.scheduled ||= parent.scheduled || isScheduler(parent.name, parent.executable);
  };
  for (const one of all.values()) resolve(one, 0);
}

function markUnitMains(all: ReadonlyMap<number, Tracked>): void {
  const oldestLeader = new Map<string, number>();
  for (const one of all.values()) {
    if (one.unitPath === null || one.sessionId !== one.pid) continue;
    if (!entersUnit(one, all.get(one.parentPid) ?? null)) continue;
    oldestLeader.set(one.unitPath, Math.min(one.startTime, oldestLeader.get(one.unitPath) ?? one.startTime));
  }
  for (const one of all.values()) {
    const { unitPath } = one;
    one.unitMain =
      unitPath !== null &&
      isUnitMain(one, all.get(one.parentPid) ?? null, () => oldestLeader.get(unitPath) ?? null);
  }
}

/**
 * Session leaders that came into a service from outside, where there is more than one: the service's main process, and
 * what was started detached and lost its parent. By unit; a user's units are left out, system's manager knows nothing
 * of them.
 */
export function rivalLeaders(all: ReadonlyMap<number, Tracked>): Map<string, Tracked[]> {
  const leaders = new Map<string, Tracked[]>();
  for (const one of all.values()) {
    if (one.unit === null || !isSystemUnit(one) || one.sessionId !== one.pid) continue;
    if (!entersUnit(one, all.get(one.parentPid) ?? null)) continue;
    leaders.set(one.unit, [...(leaders.get(one.unit) ?? []), one]);
  }
  for (const [unit, rivals] of leaders) if (rivals.length < 2) leaders.delete(unit);
  return leaders;
}
