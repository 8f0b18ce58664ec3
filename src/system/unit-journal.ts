/**
 * Whether somebody asked for a unit to stop. systemd's properties do not tell: a service that ended by itself and
 * one that an operator or a package upgrade stopped are both `inactive`, `dead`, `success`. The journal does.
 */
import type { Run } from "./system.ts";
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

/**
 * True: a stop was asked for (`systemctl stop`, a package upgrade, a unit that it conflicts with), or it is masked.
 * False: it ended by itself, or was never started since boot. Null: the journal cannot tell: it may not be read, has
 * lost that part, or has not got it yet. Costs a journalctl, 10 ms and more.
 */
export async function stopWasRequested(
  run: Run,
  unit: UnitState,
  signal?: AbortSignal,
): Promise<boolean | null> {
  if (unit.loadState === "masked") return true;
  const match = (ids: readonly string[]) => ids.map((id) => `MESSAGE_ID=${id}`);
  const args = [
    "--boot",
    "--quiet",
    "--no-pager",
    "--output=json",
    "--output-fields=MESSAGE_ID,JOB_TYPE",
    "--reverse",
    `--lines=${lines}`,
    // Anybody can log a message with these fields; only systemd can log it as process 1.
    "_PID=1",
    `UNIT=${unit.id}`,
    ...match([...ofUnits]),
    "+",
    "_PID=1",
    ...match(booted),
  ];
  const result = await run(
    "journalctl",
    args,
    signal === undefined ? { timeoutMs: 5_000 } : { timeoutMs: 5_000, signal },
  );
  if (result.exitCode !== 0) return null;
  const entries = parseEntries(result.stdout);
  return entries === null ? null : judge(entries, unit.inactiveEnterMicroseconds);
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

function judge(entries: readonly JournalEntry[], endedMicroseconds: number): boolean | null {
  const own = entries.filter(({ message }) => ofUnits.has(message));
  const sinceBoot = entries.some(({ message }) => booted.includes(message));
  if (own.length === 0) return endedMicroseconds === 0 && sinceBoot ? false : null;
  let ended = false;
  for (const entry of own) {
    // Stopped while it waited for its next automatic restart, it says "Stopped" alone; the restart itself says so too,
    // but as a restart job. systemd before version 240 names no job: then "Stopping" alone counts.
    if (entry.message === stopped && entry.job === "stop") return true;
    if (entry.message === stopping && (entry.job === "stop" || entry.job === "")) return true;
    if (endings.includes(entry.message)) {
      if (ended) return false;
      // The journal may lag behind by moments and miss the end that systemd knows: an older one says nothing about it.
      if (entry.microseconds < endedMicroseconds - 1_000_000) return null;
      ended = true;
    }
    if (starts.includes(entry.message)) return ended ? false : null;
  }
  return ended ? false : null;
}
