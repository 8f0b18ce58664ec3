/** `restart-backoff.json` and `dedup.json` as the first Argus wrote them, in the form of today. Pure. */
import { createHash } from "node:crypto";
import * as z from "zod";
import type { FirstLine } from "../system/first-argus/line.ts";
import { quoted } from "../system/names.ts";
import { normaliseUnit, unitDisplayName } from "../system/systemd.ts";
import { unitNameFault } from "../system/unit-name.ts";
import type { Moment } from "../types/moment.ts";
import { isHealed } from "../types/past.ts";
import type { RegistryRecord } from "../types/problem.ts";
import type { Announced } from "./announced.ts";
import type { UnitBackoff } from "./backoff.ts";

/** Epoch seconds; left out, null and 0: never. */
const Epoch = z.number().min(0).nullish();

const Backoffs = z.object({ services: z.record(z.string(), z.unknown()) });
const Backoff = z.object({
  attempts: z.int().min(0),
  last_attempt: Epoch,
  cooldown_until: Epoch,
});

/**
 * Attempts and cooldowns go on, so that a unit that failed three times is not restarted anew by the change of program.
 * @returns null: it is another form.
 */
export function backoffsOfFirst(
  json: unknown,
  now: Moment,
): { units: Record<string, UnitBackoff>; broken: readonly string[] } | null {
  const file = Backoffs.safeParse(json);
  if (!file.success) return null;
  const units: Record<string, UnitBackoff> = {};
  const broken: string[] = [];
  for (const [name, value] of Object.entries(file.data.services)) {
    const entry = Backoff.safeParse(value);
    if (!entry.success || unitNameFault(name) !== null) broken.push(name);
    else {
      const taken = backoffOf(entry.data, now);
      if (taken !== null) units[normaliseUnit(name)] = taken;
    }
  }
  return { units, broken };
}

function backoffOf(entry: z.infer<typeof Backoff>, now: Moment): UnitBackoff | null {
  const until = entry.cooldown_until ?? 0;
  const isResting = until * 1000 > now.wallMs;
  const attempts = isResting ? 3 : Math.min(3, entry.attempts);
  if (attempts === 0) return null;
  // A time to come is one that a clock set back since then: what is surely over counts, and that is nothing.
  const lastSeconds = Math.min(entry.last_attempt || now.wallMs / 1000, now.wallMs / 1000);
  const cooldown = until > lastSeconds ? { cooldownSeconds: Math.ceil(until - lastSeconds) } : {};
  return { attempts, last: momentOf(lastSeconds, now), healthySince: null, ...cooldown };
}

/** A time of the wall clock, within this boot where it lies in it. */
function momentOf(epochSeconds: number, now: Moment): Moment {
  const agoSeconds = now.wallMs / 1000 - epochSeconds;
  const wallMs = Math.round(epochSeconds * 1000);
  return agoSeconds <= now.uptimeSeconds
    ? { wallMs, uptimeSeconds: now.uptimeSeconds - agoSeconds, bootId: now.bootId }
    : { wallMs, uptimeSeconds: 0, bootId: "" };
}

const Dedup = z.object({ keys: z.record(z.string(), z.unknown()) });
const Said = z.object({ last_seen: z.number().min(0) });

export interface TakenAnnounced {
  readonly announced: Announced;
  readonly taken: number;
  /** Nobody was told, or it is not clear of what, or a repair came after it. */
  readonly untold: number;
  /** No line has their text. */
  readonly unknown: number;
}

/**
 * Its keys are hashes of prose, and stand there whatever was done: only a line says that an alert was sent, and about
 * what. What is not sure is alerted to anew.
 * @param lines its registry, newest first.
 * @returns null: it is another form.
 */
export function announcedOfFirst(
  json: unknown,
  lines: () => Iterable<FirstLine>,
  now: Moment,
): TakenAnnounced | null {
  const file = Dedup.safeParse(json);
  if (!file.success) return null;
  const entries = new Map(Object.entries(file.data.keys));
  const announced: Announced = {};
  const repaired = new Set<string>();
  const taken = new Set<string>();
  const seen = new Set<string>();
  for (const { type, description, record, isSure } of entries.size === 0 ? [] : lines()) {
    if (isHealed(record.action_taken, record.action_result)) repaired.add(record.key);
    for (const key of [firstKey(type, description), firstKey(type, `${description}\n`)]) {
      const said = Said.safeParse(entries.get(key));
      if (!said.success) continue;
      seen.add(key);
      if (taken.has(key) || !isSure || !wasSent(record) || repaired.has(record.key)) continue;
      taken.add(key);
      // It counted on without an alert: the time of the alert is that of its line.
      const seconds = Math.min(said.data.last_seen, Date.parse(record.ts) / 1000, now.wallMs / 1000);
      const at = momentOf(seconds, now);
      const before = announced[record.key];
      if (before === undefined || before.at.wallMs < at.wallMs)
        announced[record.key] = { at, severity: record.severity };
    }
  }
  return {
    announced,
    taken: taken.size,
    untold: seen.size - taken.size,
    unknown: entries.size - seen.size,
  };
}

const wasSent = (record: RegistryRecord): boolean =>
  /^alert(?::|$)/.test(record.action_taken) && record.action_result === "success";

const firstKey = (type: string, text: string): string =>
  `${type}:${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;

export const backoffSentence = (units: Readonly<Record<string, UnitBackoff>>, broken: readonly string[]) => {
  const names = Object.keys(units).map(unitDisplayName);
  const taken = names.length === 0 ? "no unit has attempts to take over" : `taken over: ${names.join(", ")}`;
  return broken.length === 0
    ? taken
    : `${taken}; not readable, and left out: ${broken.map(quoted).join(", ")}`;
};

export const dedupSentence = ({ taken, untold, unknown }: TakenAnnounced): string =>
  `entries taken over: ${taken}; left out, because problems.jsonl has no alert that was sent and clearly is about the same: ${untold}; ` +
  `dropped, because no line of problems.jsonl has their text: ${unknown}`;
