/**
 * The summary of the day: read from the state, and sent once a day. What was sent for which day is on disk before the
 * message is: a restart sends none twice, and of days that were missed only the last one is told.
 */
import { join } from "node:path";
import * as z from "zod";
import { putIntoOutbox } from "./execute/outbox.ts";
import { isOpen } from "./record/problems.ts";
import { readHistory, readProblems } from "./record/registry-reader.ts";
import { readTrail } from "./record/trail.ts";
import { type InForce, type Summary, summarise, summaryText } from "./report/summary.ts";
import { fileError } from "./system/file-error.ts";
import { hostName } from "./system/host-name.ts";
import { createLineFile } from "./system/line-file.ts";
import { stringify } from "./system/printable.ts";
import { redact, redactDeep } from "./system/redact/redact.ts";
import { createStore } from "./system/store.ts";
import type { System } from "./system/system.ts";
import { isoTime, type Moment } from "./types/moment.ts";
import type { Config } from "./types/settings.ts";

export const daySeconds = 86_400;

export function readSummary(
  { files, clock }: Pick<System, "files" | "clock">,
  stateDir: string,
  seconds: number,
  inForce: InForce,
): Summary {
  const now = clock.now();
  const to = isoTime(now);
  const from = isoTime({ ...now, wallMs: now.wallMs - seconds * 1000 });
  const trail = readTrail(files, stateDir);
  const host = trail.newest()?.cycle.host ?? hostName(files);
  const open = [...readProblems(files, stateDir).problems.values()].filter(isOpen);
  const records = readHistory(files, stateDir).since(from);
  return summarise(host, { from, to }, records, trail.cycles(), open, inForce);
}

/** Waits in the outbox for the relay, or without it for every channel. Throws what the file system says. */
export function sendSummary({ files, clock }: System, stateDir: string, summary: Summary): void {
  const now = clock.now();
  const message = {
    version: 1 as const,
    createdAt: isoTime(now),
    severity: "info" as const,
    text: redact(summaryText(summary)),
    problems: summary.open.map(({ key }) => key),
    host: summary.host,
    daily: redactDeep({ ...summary }),
  };
  putIntoOutbox(files, stateDir, message, now);
}

const File = z.strictObject({
  version: z.literal(1),
  /** Milliseconds since 1970: the time of day that was last served; null: none yet. */
  servedMs: z.number().nullable(),
});

const keptBytes = 1_000_000;
const dayMs = daySeconds * 1000;

export interface DailySummary {
  /**
   * After a cycle: sends the summary when its time of day has come. Never rejects.
   * @param inForce asked only when one is sent.
   * @returns what a person should know, a sentence each.
   */
  tend(config: Pick<Config, "summaryAt" | "channels">, inForce: () => Promise<InForce>): Promise<string[]>;
}

export function createDailySummary(system: System, stateDir: string): DailySummary {
  const { files, clock } = system;
  let notes: string[] = [];
  const path = join(stateDir, "summary.json");
  const store = createStore({
    files,
    path,
    schema: File,
    empty: () => ({ version: 1 as const, servedMs: null }),
    note: (sentence) => notes.push(sentence),
  });
  /** As far as this process knows: a file that cannot be written does not make it tell one twice. */
  let servedMs: number | null = null;
  let isRead = false;
  let trouble: string | null = null;
  let isAtWork = false;

  function isDue(slotMs: number, nowMs: number): boolean {
    if (!isRead) servedMs = store.load().servedMs;
    isRead = true;
    // The first day begins now, and so it does when the clock was wrong by days.
    if (servedMs === null || servedMs > nowMs + dayMs) serve(slotMs);
    return servedMs !== null && slotMs > servedMs;
  }

  function serve(slotMs: number | null): void {
    servedMs = slotMs;
    try {
      store.save({ version: 1, servedMs });
    } catch (error) {
      say(fileError("write", path, error).message);
    }
  }

  /** The same is said once. */
  function say(sentence: string): void {
    if (sentence !== trouble) notes.push(`the summary of the day: ${sentence}`);
    trouble = sentence;
  }

  return {
    async tend({ summaryAt, channels }, inForce) {
      // A wake-up may end while the executor is still asked.
      if (summaryAt === null || summaryAt === "never" || isAtWork) return [];
      notes = [];
      isAtWork = true;
      try {
        const now = clock.now();
        const slotMs = slotBefore(summaryAt, now);
        if (!isDue(slotMs, now.wallMs)) return notes;
        const known = await inForce().catch(() => ({ silenced: null, mode: null }));
        const summary = readSummary(system, stateDir, daySeconds, known);
        const before = servedMs;
        serve(slotMs);
        try {
          if (channels.length > 0) sendSummary(system, stateDir, summary);
        } catch (error) {
          serve(before);
          throw error;
        }
        keep(system, stateDir, summary);
        trouble = null;
      } catch (error) {
        say(error instanceof Error ? error.message : String(error));
      } finally {
        isAtWork = false;
      }
      return notes;
    },
  };
}

/** In a file of its own as well, whatever becomes of the message. */
function keep({ files }: System, stateDir: string, summary: Summary): void {
  const path = join(stateDir, "summaries.jsonl");
  const line = stringify(redactDeep({ ...summary, text: summaryText(summary) }));
  createLineFile({ files, path, maxBytes: keptBytes, keep: 1, durable: false }).append(line);
}

/**
 * When it was last that time of day, by this machine's clock. An hour that the change to summer time leaves out is the
 * one after it; of one that comes twice the first counts.
 */
export function slotBefore(at: string, { wallMs }: Pick<Moment, "wallMs">): number {
  const [hours = 0, minutes = 0] = at.split(":").map(Number);
  const today = new Date(wallMs);
  const slotOf = (daysAgo: number) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - daysAgo, hours, minutes).getTime();
  return slotOf(0) <= wallMs ? slotOf(0) : slotOf(1);
}
