/**
 * Whether nobody waits for a process any more and nobody can learn what becomes of it. One judgement for the collector,
 * which reports it, and for the executor, which asks again before each signal. Whoever was not seen to be gone is
 * there: unknown is live.
 */
import type { RememberedAgent } from "../types/agent.ts";
import { hasClient } from "./clients.ts";
import { allBelow, type Family, type Kin, readFamily, type UnitKnown } from "./family.ts";
import { jobOwner } from "./job-owners.ts";
import { isTestRun, runtimeOptionsOf } from "./node-options.ts";
import { isAlive, isOrphan } from "./orphans.ts";
import { wrappersOfLost } from "./owner-chain.ts";
import { createPace } from "./pace.ts";
import { processAlive } from "./process-start.ts";
import { type ReaderMemory, type ReadersSeen, seekReaders } from "./readers.ts";
import { whoElseLearns } from "./result-places.ts";
import {
  goesToProgram,
  linksOf,
  readOutputs,
  readOutputsBesides,
  readOutputsKeptAside,
  type Stream,
  whyUnread,
} from "./streams.ts";
import type { Files, System } from "./system.ts";
import { askMains } from "./unit-mains.ts";
import { isShell } from "./wrappers.ts";

export interface Asked {
  readonly pid: number;
  readonly startTime: number;
  /** An agent that was seen above it; null: none was. */
  readonly agent: RememberedAgent | null;
}

export interface Judged {
  readonly orphan: boolean;
  readonly abandoned: boolean;
  /** Systemd names another living process as the main one of its unit. */
  readonly isOther: boolean;
  /** Why, or why not: one clause that follows "because". */
  readonly because: string;
}

type UnitsKnown = ReadonlyMap<string, UnitKnown>;

/** What takes time to find out, and what the last look before a signal starts from. */
export interface Ground {
  /** What systemd says, by the path of the unit's cgroup. */
  readonly units: UnitsKnown;
  readonly readers: ReadersSeen;
}

/**
 * One answer for each question, in their order. It rests for other work in between. Throws when the signal is aborted.
 * @param options.memory of the last look; none before a signal.
 * @param options.orphans systemd is asked also where only `orphan` depends on its answer.
 */
export async function judgeAll(
  system: Pick<System, "files" | "clock" | "bus" | "run" | "self">,
  questions: readonly Asked[],
  signal: AbortSignal = new AbortController().signal,
  { orphans = false, memory = null as ReaderMemory | null } = {},
): Promise<{ readonly judged: readonly Judged[]; readonly ground: Ground }> {
  const { files, clock } = system;
  const pace = createPace(clock, signal);
  const steps = seekReaders(files, linksToSeek(questions, readFamily(files, null), files), memory);
  let readers: ReadersSeen | null = null;
  while (readers === null) {
    const step = steps.next();
    if (step.done === true) readers = step.value;
    else if (pace.due()) await pace.rest();
  }
  const judge = async (asked: readonly Asked[], all: Family, seen: ReadersSeen): Promise<Judged[]> => {
    const judged: Judged[] = [];
    for (const each of asked) {
      judged.push(judgeOne(files, each, all, seen));
      if (pace.due()) await pace.rest();
    }
    return judged;
  };
  // Most are not abandoned whatever systemd says: it is asked about the others only.
  const first = await judge(questions, readFamily(files, null), readers);
  const open = questions.filter((_, index) => first[index]?.abandoned === true || orphans);
  const members = open.flatMap(({ pid }) => withThoseAbove(files, pid)).filter(({ unit }) => unit !== null);
  if (members.length === 0) return { judged: first, ground: { units: new Map(), readers } };
  const units = await askMains(system, members, signal);
  const second = await judge(open, readFamily(files, units), readers);
  const judged = questions.map((each, index) => second[open.indexOf(each)] ?? first[index] ?? notThere);
  return { judged, ground: { units, readers } };
}

/** Itself, and what waits for it. */
function withThoseAbove(files: Files, pid: number): readonly Kin[] {
  const all = readFamily(files, null);
  const one = all.get(pid);
  return one === undefined ? [] : [one, ...(wrappersOfLost(one, all) ?? [])];
}

const notThere: Judged = {
  orphan: false,
  abandoned: false,
  isOther: false,
  because: "it is not there any more",
};

/** The same for one a moment later, without a pause: a signal can follow at once. */
export function judgeNow(files: Files, question: Asked, { units, readers }: Ground): Judged {
  return judgeOne(files, question, readFamily(files, units), readers.lookAgain());
}

function linksToSeek(questions: readonly Asked[], all: Family, files: Files): ReadonlySet<string> {
  const links = new Set<string>();
  for (const { pid } of questions) {
    const one = all.get(pid);
    const wrappers = one === undefined ? null : wrappersOfLost(one, all);
    if (one === undefined || wrappers === null) continue;
    for (const [, stream] of streamsOf(files, one, wrappers)) {
      for (const link of linksOf([stream])) links.add(link);
    }
  }
  return links;
}

function judgeOne(files: Files, asked: Asked, all: Family, readers: ReadersSeen): Judged {
  const one = all.get(asked.pid);
  if (one === undefined || one.startTime !== asked.startTime) return notThere;
  const orphan = isOrphan(one, all);
  const known = all.unit(one);
  const isOther =
    known !== null && known.mainPid > 0 && known.mainPid !== one.pid && isAlive(all.get(known.mainPid));
  const live = (because: string): Judged => ({ orphan, abandoned: false, isOther, because });
  const wrappers = wrappersOfLost(one, all);
  if (wrappers === null) return live("somebody above it still waits for it");
  const owner = jobOwner(files, one, all);
  if (owner !== null) return live(`it ${owner}`);
  const unread = whyNobodyLearns(files, one, wrappers, readers);
  const gone = goneAgent(files, asked);
  const lost =
    gone === null ? "its parent has ended" : `the agent above it (${gone.name}, pid ${gone.pid}) has ended`;
  if (isTestRun(runtimeOptionsOf(one.executable, one.arguments))) {
    const elsewhere = whoElseLearns(files, one, wrappers, all);
    if (elsewhere !== null) return live(elsewhere);
    if (unread === null) return live("somebody can read its output, or may be able to");
    return { orphan, abandoned: true, isOther, because: `${lost}, and its output ${unread}` };
  }
  const outputs = readOutputs(files, one.pid);
  if (outputs.some((stream) => goesToProgram(stream) && whyUnread(files, one.pid, stream, readers) === null))
    return live("a program reads its output, or may be able to");
  const toProgram = unread !== null && outputs.some(goesToProgram);
  if (gone === null && !toProgram)
    return live("no agent above it is known to have ended, and its output is not cut off");
  const client = hasClient(files, one.pid, allBelow(one.pid, all));
  if (client !== false)
    return live(client === null ? "its clients cannot be seen" : "a client is connected to it");
  const what = toProgram ? `${lost}, and its output ${unread}` : lost;
  return { orphan, abandoned: true, isOther, because: `${what}, and no client is connected to it` };
}

/** All that a result could be written to: by the process itself, and by what waits for it. */
function streamsOf(
  files: Files,
  one: Kin,
  wrappers: readonly Kin[],
): (readonly [pid: number, stream: Stream])[] {
  const besides = isTestRun(runtimeOptionsOf(one.executable, one.arguments))
    ? readOutputsBesides(files, one.pid)
    : [];
  const own = [...readOutputs(files, one.pid), ...besides].map((stream) => [one.pid, stream] as const);
  const above = wrappers.flatMap(({ pid, executable }) =>
    [...readOutputs(files, pid), ...(isShell(executable ?? "") ? readOutputsKeptAside(files, pid) : [])].map(
      (stream) => [pid, stream] as const,
    ),
  );
  return [...own, ...above];
}

/** Clause that follows "its output"; null when somebody can read any of it, also in place of it. */
function whyNobodyLearns(
  files: Files,
  one: Kin,
  wrappers: readonly Kin[],
  readers: ReadersSeen,
): string | null {
  const clauses: string[] = [];
  for (const [pid, stream] of streamsOf(files, one, wrappers)) {
    const clause = whyUnread(files, pid, stream, readers);
    if (clause === null) return null;
    clauses.push(clause);
  }
  const [output = "", errors = ""] = clauses;
  return output === errors ? output : `${output} (its errors: ${errors})`;
}

/** What is said to have been seen is checked as far as it can be: such a process is gone, and was there before. */
function goneAgent(files: Files, { agent, startTime }: Asked): RememberedAgent | null {
  if (agent === null || agent.startTime > startTime) return null;
  return processAlive(files, agent.pid, agent.startTime) ? null : agent;
}
