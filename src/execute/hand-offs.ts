/**
 * Problems given to a coding agent: `hand-offs.json` says which and when, `hand-offs/ID/` holds what it was given
 * (`incident.json`) and what `argus agent` left (`result.json`). A run is over when it left something, or when its
 * time is up: systemd has ended it then.
 */
import { join } from "node:path";
import * as z from "zod";
import { stringify } from "../system/printable.ts";
import { RefusedFile } from "../system/refused.ts";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import { AgentResult, type HandOffRun, maxResultBytes } from "../types/hand-off.ts";
import { Moment, secondsAtLeast, secondsBetween } from "../types/moment.ts";

const Run = z.strictObject({ id: z.string(), problem: z.string(), at: Moment, seconds: z.number() });
type Run = z.infer<typeof Run>;
const File = z.strictObject({ version: z.literal(1), runs: z.array(Run) });

const daySeconds = 86_400;
/** From the time limit to systemd's own, and some for its end. */
export const graceSeconds = 30;

export interface HandOffs {
  /** Of the last 24 hours, oldest first. */
  list(now: Moment): HandOffRun[];
  /** Counted and written before it begins. @returns its folder. */
  begin(run: Run, incident: string): string;
}

export const handOffFolder = (stateDir: string, id: string): string => join(stateDir, "hand-offs", id);

export function openHandOffs(files: Files, stateDir: string, note: (sentence: string) => void): HandOffs {
  const path = join(stateDir, "hand-offs.json");
  const store = createStore({
    files,
    path,
    schema: File,
    empty: () => ({ version: 1 as const, runs: [] }),
    note,
  });
  let runs = store.load().runs;

  /** A clock that is set may make a day longer, never shorter: they are counted against the limit of a day. */
  const ofToday = (now: Moment) => runs.filter(({ at }) => secondsAtLeast(at, now) < daySeconds);

  return {
    list: (now) => ofToday(now).map((run) => viewOf(files, stateDir, run, now, note)),
    begin(run, incident) {
      const folder = handOffFolder(stateDir, run.id);
      files.makeDirectory(folder);
      files.writeAtomic(join(folder, "incident.json"), incident);
      const next = [...ofToday(run.at), run];
      store.save({ version: 1, runs: next });
      const kept = new Set(next.map(({ id }) => id));
      for (const { id } of runs) if (!kept.has(id)) forget(files, handOffFolder(stateDir, id));
      runs = next;
      return folder;
    },
  };
}

function forget(files: Files, folder: string): void {
  // Somebody may have been quicker.
  if (files.stat(folder) === null) return;
  for (const name of files.list(folder, "own")) files.remove(join(folder, name));
  files.removeDirectory(folder);
}

function viewOf(
  files: Files,
  stateDir: string,
  run: Run,
  now: Moment,
  note: (sentence: string) => void,
): HandOffRun {
  const { id, problem, at, seconds } = run;
  const result = readResult(files, join(handOffFolder(stateDir, id), "result.json"), note);
  const isOver =
    result !== null || secondsBetween(at, now) > seconds + graceSeconds || at.bootId !== now.bootId;
  const startedAt = new Date(at.wallMs).toISOString();
  return { id, problem, startedAt, state: isOver ? "ended" : "running", result };
}

/** Written by a program of another user: whatever it holds is data, and more of it than `argus agent` writes is none. */
function readResult(files: Files, path: string, note: (sentence: string) => void): AgentResult | null {
  try {
    const text = files.tryReadHead(path, maxResultBytes + 1, "own") ?? "";
    const result = AgentResult.safeParse(JSON.parse(text)).data ?? null;
    // Bytes that are no text grow as they are read.
    return Buffer.byteLength(stringify(result)) > maxResultBytes ? null : result;
  } catch (error) {
    if (error instanceof RefusedFile) note(error.message);
    return null;
  }
}
