/**
 * Whether somebody asked for a unit to stop. systemd's properties do not tell: a service that ended by itself and
 * one that an operator or a package upgrade stopped are both `inactive`, `dead`, `success`. The journal does.
 */
import { timeLimit } from "../types/quantities.ts";
import { entriesOfBoot } from "./boot-id.ts";
import type { RunResult, System } from "./system.ts";
import type { UnitState } from "./unit-state.ts";

// systemd.journal-fields(7), messages of systemd itself: `journalctl --catalog` explains each.
const stopping = "de5b426a63be47a7b6ac3eaac82e2f6f"; // a stop job began; JOB_TYPE tells stop from restart
const stopped = "9d1aaa27d60140bd96365438aad20286"; // a stop job, or the first half of a restart, is done
const endings = ["7ad2d189f7e94e70a38c781354912448", "d9b373ed55a64feb8242e02dbe79a49c"]; // success, failure
const starts = ["7d4958e842da4a758f6c1cdc7b36dcc5", "39f53479d3a045ac8e11786248231fbf"]; // starting, started
// Told once a boot, by a system and by a container: as long as it is there, the journal reaches back to the boot.
const booted = ["b07a249cd024414a82dd00cd181378ff", "eed00a68ffd84e31882105fd973abdd1"];

const ofUnits = new Set([stopping, stopped, ...endings, ...starts]);

/** The last run of a unit gives at most five of these, and the newest is all that matters. */
const lines = 40;

interface JournalEntry {
  readonly message: string;
  readonly job: string;
  readonly microseconds: number;
}

/** What the journal says of how a unit went down. */
export interface StopLook {
  /**
   * True: a stop was asked for (`systemctl stop`, a package upgrade, a unit that it conflicts with), or it is masked.
   * False: it ended by itself, or was never started since boot. Null: the journal cannot tell: it may not be read, has
   * lost that part, or has not got it yet.
   */
  readonly requested: boolean | null;
  /** When that stop began, CLOCK_MONOTONIC; null: nobody asked for one, or nobody knows when. */
  readonly stopMicroseconds: number | null;
  /** When it was last said to stop or to have ended, CLOCK_MONOTONIC; null: the journal says nothing of that. */
  readonly downMicroseconds: number | null;
  /** Whether it was started since boot; null: nobody knows. */
  readonly ran: boolean | null;
  /** Why the journal gave no answer at all: one clause. Null: it answered. */
  readonly failed: string | null;
}

type Judged = Pick<StopLook, "requested" | "stopMicroseconds" | "ran">;
const unknown: Judged = { requested: null, stopMicroseconds: null, ran: null };
const unread: Omit<StopLook, "failed"> = { ...unknown, downMicroseconds: null };
const timeoutMs = 5_000;

type Journal = Pick<System, "run" | "clock">;

/** `requested` of `lookAtStop`. */
export async function stopWasRequested(
  system: Journal,
  unit: UnitState,
  signal?: AbortSignal,
): Promise<boolean | null> {
  return (await lookAtStop(system, unit, signal === undefined ? {} : { signal })).requested;
}

/**
 * Costs a journalctl, 10 ms and more.
 * @param untilMicroseconds looks at what was before, whatever became of the unit since; left out: how it is down now.
 */
export async function lookAtStop(
  { run, clock }: Journal,
  unit: UnitState,
  { signal, untilMicroseconds }: { readonly signal?: AbortSignal; readonly untilMicroseconds?: number } = {},
): Promise<StopLook> {
  if (unit.loadState === "masked" && untilMicroseconds === undefined)
    return { ...unread, requested: true, failed: null };
  const match = (ids: readonly string[]) => ids.map((id) => `MESSAGE_ID=${id}`);
  const args = [
    "--quiet",
    "--no-pager",
    "--output=json",
    "--output-fields=MESSAGE_ID,JOB_TYPE",
    "--reverse",
    `--lines=${lines}`,
    // Anybody can log a message with these fields; only systemd can log it as process 1.
    ...entriesOfBoot(
      clock.now().bootId,
      ["_PID=1", `UNIT=${unit.id}`, ...match([...ofUnits])],
      ["_PID=1", ...match(booted)],
    ),
  ];
  const result = await run("journalctl", args, signal === undefined ? { timeoutMs } : { timeoutMs, signal });
  if (result.exitCode !== 0) return { ...unread, failed: whyNot(result) };
  const entries = parseEntries(result.stdout);
  if (entries === null) return { ...unread, failed: "journalctl answered with something else than JSON" };
  const limit = untilMicroseconds ?? Number.POSITIVE_INFINITY;
  const before = entries.filter(({ microseconds }) => microseconds <= limit);
  const judged = judge(before, untilMicroseconds === undefined ? unit.inactiveEnterMicroseconds : 0);
  return { ...judged, downMicroseconds: before.find(isDown)?.microseconds ?? null, failed: null };
}

function whyNot({ missing, timedOut, stderr, exitCode }: RunResult): string {
  if (missing) return "journalctl is not installed";
  if (timedOut) return `journalctl did not answer within ${timeLimit(timeoutMs)}`;
  return `journalctl failed: ${stderr.split("\n", 1)[0] || `exit status ${exitCode}`}`;
}

/** @param text JSON lines, newest first. Null when they are not that. */
function parseEntries(text: string): JournalEntry[] | null {
  const entries: JournalEntry[] = [];
  for (const line of text.split("\n").filter((each) => each !== "")) {
    try {
      const entry = JSON.parse(line) as Record<string, unknown>;
      entries.push({
        message: String(entry["MESSAGE_ID"]),
        job: String(entry["JOB_TYPE"] ?? ""),
        microseconds: Number(entry["__MONOTONIC_TIMESTAMP"]),
      });
    } catch {
      return null;
    }
  }
  return entries;
}

function judge(entries: readonly JournalEntry[], endedMicroseconds: number): Judged {
  const own = entries.filter(({ message }) => ofUnits.has(message));
  const sinceBoot = entries.some(({ message }) => booted.includes(message));
  if (own.length === 0)
    return endedMicroseconds === 0 && sinceBoot ? { ...unknown, requested: false, ran: false } : unknown;
  const ranAndEnded: Judged = { requested: false, stopMicroseconds: null, ran: true };
  const cannotTell: Judged = { ...unknown, ran: true };
  let ended = false;
  for (const [index, entry] of own.entries()) {
    if (isStop(entry))
      return { requested: true, stopMicroseconds: beginOfStop(own.slice(index)).microseconds, ran: true };
    if (endings.includes(entry.message)) {
      if (ended) return ranAndEnded;
      // The journal may lag behind by moments and miss the end that systemd knows: an older one says nothing about it.
      if (entry.microseconds < endedMicroseconds - 1_000_000) return cannotTell;
      ended = true;
    }
    if (starts.includes(entry.message)) return ended ? ranAndEnded : cannotTell;
  }
  return ended ? ranAndEnded : cannotTell;
}

/**
 * Stopped while it waited for its next automatic restart, a unit says "Stopped" alone; the restart itself says so too,
 * but as a restart job. systemd before version 240 names no job: then "Stopping" alone counts.
 */
const isStop = ({ message, job }: JournalEntry): boolean =>
  (message === stopped && job === "stop") || (message === stopping && (job === "stop" || job === ""));

const isDown = (entry: JournalEntry): boolean => endings.includes(entry.message) || isStop(entry);

/** The oldest message of this stop: those of the run before it lie beyond a start. */
function beginOfStop(newestFirst: readonly JournalEntry[]): JournalEntry {
  const start = newestFirst.findIndex(({ message }) => starts.includes(message));
  const run = start === -1 ? newestFirst : newestFirst.slice(0, start);
  return run.findLast(isStop) ?? (newestFirst[0] as JournalEntry);
}
