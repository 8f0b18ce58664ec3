/** `restart-backoff.json` and `dedup.json` as the first Argus wrote them, in the form of today. Pure. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { quoted } from "../system/names.ts";
import { normaliseUnit, unitDisplayName } from "../system/systemd.ts";
import { unitNameFault } from "../system/unit-name.ts";
import type { Moment } from "../types/moment.ts";
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

/**
 * Its keys are hashes of prose: only with the text at hand is it known what they are about.
 * @param lines its registry: the type and the text as they stand there, and the record that they are read as.
 * @returns null: it is another form.
 */
export function announcedOfFirst(
  json: unknown,
  lines: () => Iterable<{ type: string; description: string; record: RegistryRecord }>,
  now: Moment,
): { announced: Announced; taken: number; dropped: number } | null {
  const file = Dedup.safeParse(json);
  if (!file.success) return null;
  const entries = new Map(Object.entries(file.data.keys));
  const announced: Announced = {};
  let taken = 0;
  for (const { type, description, record } of entries.size === 0 ? [] : lines()) {
    for (const key of [firstKey(type, description), firstKey(type, `${description}\n`)]) {
      const said = Said.safeParse(entries.get(key));
      if (!said.success) continue;
      entries.delete(key);
      taken += 1;
      const at = momentOf(Math.min(said.data.last_seen, now.wallMs / 1000), now);
      const before = announced[record.key];
      if (before === undefined || before.at.wallMs < at.wallMs)
        announced[record.key] = { at, severity: record.severity };
    }
  }
  return { announced, taken, dropped: entries.size };
}

const firstKey = (type: string, text: string): string =>
  `${type}:${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;

export const backoffSentence = (units: Readonly<Record<string, UnitBackoff>>, broken: readonly string[]) => {
  const names = Object.keys(units).map(unitDisplayName);
  const taken = names.length === 0 ? "no unit has attempts to take over" : `taken over: ${names.join(", ")}`;
  return broken.length === 0
    ? taken
    : `${taken}; not readable, and left out: ${broken.map(quoted).join(", ")}`;
};

export const dedupSentence = (taken: number, dropped: number): string =>
  `entries taken over: ${taken}; dropped, because no line of problems.jsonl has their text: ${dropped}`;
