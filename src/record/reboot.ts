/**
 * `boot.json`: the boot that Argus ran in last, so that it notices a reboot, once, and whether somebody asked for it.
 * Believed is the journal's end of the boot before, and where it keeps nothing a shutdown on record in wtmp. Without both
 * Argus knows only that its own daemon was not told to stop, as when it was killed before: it says no more than that.
 */
import { join } from "node:path";
import * as z from "zod";
import { type BootBefore, readBootBefore, readPresentBoot } from "../system/boot-journal.ts";
import { hasShutdownRecord } from "../system/boot-records.ts";
import { createStore } from "../system/store.ts";
import type { System } from "../system/system.ts";
import type { Reboot } from "../types/facts.ts";
import { isoTime, Moment, secondsBetween } from "../types/moment.ts";
import type { CycleState } from "./cycle-state.ts";

const Unexpected = z.strictObject({
  bootedAt: z.iso.datetime(),
  /** null: the journal has nothing of the boot before. */
  lastEntryAt: z.iso.datetime().nullable(),
  lastLines: z.array(z.string()).max(5),
  noticed: Moment,
});
type Unexpected = z.infer<typeof Unexpected>;

const File = z.strictObject({
  version: z.literal(1),
  /** As this process sees it; null: Argus has not run here. */
  kernelBoot: z.string().nullable(),
  /** As journald sees it; null: the journal did not say. */
  journalBoot: z.string().nullable(),
  unexpected: Unexpected.nullable(),
});
type File = z.infer<typeof File>;

/** An event is no state: it is a finding for so long, so that what held back its message for a while does not lose it. */
const tellSeconds = 3600;
/** The clock may be set after the first entries of a boot. */
const toleranceMs = 60_000;
/** With a loss of power goes what was not yet on disk: five minutes of the journal (SyncIntervalSec=), and some more. */
const lostMs = 3_600_000;

export interface RebootWatch {
  /** @param before the state of the cycles as an Argus before this process left it. Never rejects for what it finds. */
  look(before: CycleState): Promise<Reboot>;
}

export function createRebootWatch(
  system: Pick<System, "files" | "clock" | "run">,
  stateDir: string,
  note: (sentence: string) => void,
): RebootWatch {
  const path = join(stateDir, "boot.json");
  const empty = (): File => ({ version: 1, kernelBoot: null, journalBoot: null, unexpected: null });
  const store = createStore({ files: system.files, path, schema: File, empty, note });
  let known: File | null = null;

  return {
    async look(before) {
      if (known === null) {
        const next = await sinceThen(system, store.load(), before, note);
        store.save(next);
        known = next;
      }
      return factOf(known.unexpected, system.clock.now());
    },
  };
}

async function sinceThen(
  { run, clock }: Pick<System, "run" | "clock">,
  last: File,
  before: CycleState,
  note: (sentence: string) => void,
): Promise<File> {
  const now = clock.now();
  const bootedMs = now.wallMs - now.uptimeSeconds * 1000;
  const newest = await readPresentBoot(run);
  // A journal that keeps nothing any more ends in an earlier boot.
  const isPresent =
    newest !== null &&
    (newest.id === now.bootId.replaceAll("-", "") || newest.newestEntryMs > bootedMs - toleranceMs);
  const present = isPresent ? newest : null;
  const journalBoot = present?.id ?? null;
  const next = { ...last, kernelBoot: now.bootId, journalBoot: journalBoot ?? last.journalBoot };
  if (last.kernelBoot === null) return next;
  const lastCycleMs = Date.parse(before.startedAt ?? "");
  const isOther =
    journalBoot !== null && last.journalBoot !== null
      ? journalBoot !== last.journalBoot
      : last.kernelBoot !== now.bootId && !(bootedMs <= lastCycleMs);
  if (!isOther) return next;
  const end = present === null ? null : await readBootBefore(run, present);
  const told = end !== null && !(end.lastEntryMs + lostMs < lastCycleMs) ? end : null;
  const isOnRecord =
    told === null && (await hasShutdownRecord(run, Number.isNaN(lastCycleMs) ? now.wallMs : lastCycleMs));
  if (isOnRecord) return { ...next, unexpected: null };
  if (told === null && !wasCutOff(before, now, bootedMs))
    note(
      "the host was started anew, and nobody can say whether it was shut down before: the journal has nothing of the time before",
    );
  const isUnexpected = told === null ? wasCutOff(before, now, bootedMs) : !told.wasShutDown;
  return { ...next, unexpected: isUnexpected ? unexpectedOf(told, now, bootedMs) : null };
}

/** A daemon had run in the boot before, and nobody had told it to stop; whether it still ran at the end is not known. */
function wasCutOff({ watching, bootId, startedAt }: CycleState, now: Moment, bootedMs: number): boolean {
  const isBefore = Date.parse(startedAt ?? "") < bootedMs + toleranceMs;
  return watching && bootId !== null && bootId !== now.bootId && isBefore;
}

function unexpectedOf(end: BootBefore | null, now: Moment, bootedMs: number): Unexpected {
  const iso = (wallMs: number) => isoTime({ ...now, wallMs });
  return {
    bootedAt: iso(bootedMs),
    lastEntryAt: end === null ? null : iso(end.lastEntryMs),
    lastLines: [...(end?.lastLines ?? [])],
    noticed: now,
  };
}

const nothing: Reboot = { unexpected: false, bootedAt: null, detail: null, lastLines: [] };

function factOf(unexpected: Unexpected | null, now: Moment): Reboot {
  if (unexpected === null || secondsBetween(unexpected.noticed, now) >= tellSeconds) return nothing;
  const { bootedAt, lastEntryAt, lastLines } = unexpected;
  const time = (iso: string) => iso.replace("T", " ").replace("Z", " UTC");
  const end =
    lastEntryAt === null
      ? "it may not have been shut down before: Argus was not told to stop, and the journal keeps nothing of the time before"
      : `it had not been shut down before; its journal ends at ${time(lastEntryAt)}`;
  return {
    unexpected: true,
    bootedAt,
    detail: `the host was started at ${time(bootedAt)}, and ${end}`,
    lastLines,
  };
}
