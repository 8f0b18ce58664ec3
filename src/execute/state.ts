/**
 * What the executor remembers, in files of the state directory, so that a restart of Argus neither refills a budget
 * nor shortens a delay: `executor.json` (budgets and open intents), `restart-backoff.json`, `dedup.json`,
 * `observations.json`.
 */
import { join } from "node:path";
import * as z from "zod";
import { firstLines } from "../system/first-argus/line.ts";
import { stringify } from "../system/printable.ts";
import { createStore } from "../system/store.ts";
import type { Files } from "../system/system.ts";
import { Moment, secondsAtLeast } from "../types/moment.ts";
import { type AlertQuestion, Announced, withAnnounced } from "./announced.ts";
import { afterLook, countAttempt, UnitBackoff } from "./backoff.ts";
import { spentWithinHour } from "./budget.ts";
import { announcedOfFirst, backoffSentence, backoffsOfFirst, dedupSentence } from "./first-argus.ts";
import type { BudgetName, Policy } from "./policy.ts";
import { reasonOf } from "./reason.ts";
import { Repeats } from "./repeats.ts";

/** Written before an action changes the machine, taken out after it: a leftover one was cut off by a crash. */
export const Intent = z.strictObject({
  id: z.string(),
  type: z.string(),
  target: z.string().nullable(),
  cycle: z.string(),
  problem: z.string(),
  source: z.string(),
  at: Moment,
});
export type Intent = z.infer<typeof Intent>;

const Spent = z.strictObject({
  kills: z.array(Moment),
  restarts: z.array(Moment),
  cleanings: z.array(Moment),
});

const ExecutorFile = z.strictObject({ version: z.literal(1), spent: Spent, intents: z.array(Intent) });
const BackoffFile = z.strictObject({ version: z.literal(1), units: z.record(z.string(), UnitBackoff) });
const DedupFile = z.strictObject({ version: z.literal(1), announced: Announced });
const ObservationsFile = z.strictObject({ version: z.literal(1), repeats: Repeats });

function takeBackoffs(json: unknown, { now }: Former) {
  const taken = backoffsOfFirst(json, now);
  if (taken === null) return null;
  const { units, broken } = taken;
  return { value: { version: 1 as const, units }, said: backoffSentence(units, broken) };
}

function takeAnnounced(files: Files, json: unknown, { now, registryDir }: Former) {
  let trouble = "";
  function* lines() {
    try {
      yield* firstLines(files, registryDir);
    } catch (error) {
      trouble = `, and problems.jsonl could not be read: ${reasonOf(error)}`;
    }
  }
  const taken = announcedOfFirst(json, lines, now);
  if (taken === null) return null;
  const said = `${dedupSentence(taken)}${trouble}`;
  return { value: { version: 1 as const, announced: taken.announced }, said };
}

export type Spent = Readonly<Record<BudgetName, readonly Moment[]>>;
export type Backoffs = Readonly<Record<string, UnitBackoff>>;

export interface State {
  spent(): Spent;
  backoffs(): Backoffs;
  announced(): Announced;
  repeats(): Repeats;
  /** Open intents that an earlier Argus left behind. */
  leftovers(): readonly Intent[];
  /** Takes the leftovers out of the file. */
  forgetLeftovers(): void;
  /**
   * Counts the action against its budget, counts the attempt, and writes the intent, durably. When it throws,
   * nothing was counted, and the action must not be performed.
   */
  begin(intent: Intent, budget: BudgetName | null, backoffUnit: string | null): void;
  /** Takes the intent out of the file. */
  end(intent: Intent): void;
  markAnnounced(alerts: readonly AlertQuestion[], now: Moment): void;
  keepRepeats(repeats: Repeats): void;
  observeHealth(healthyUnits: ReadonlySet<string>, policy: Policy, now: Moment): void;
}

/** Where files of the first Argus are taken over: the time, and the registry that their texts stand in. */
export interface Former {
  readonly now: Moment;
  readonly registryDir: string;
  /** A dry run reads them, and leaves them as they are. */
  readonly stays?: boolean;
}

/** @param note told in one sentence when a file was set aside, or taken over from the first Argus. */
export function openState(
  files: Files,
  stateDir: string,
  note: (sentence: string) => void,
  former?: Former,
): State {
  const store = <T>(
    name: string,
    schema: z.ZodType<T>,
    empty: () => T,
    formerOf?: (json: unknown, from: Former) => { value: T; said: string } | null,
  ) =>
    createStore({
      ...{ files, path: join(stateDir, name), schema, empty, note },
      ...(former && formerOf
        ? { former: (json: unknown) => formerOf(json, former), formerStays: former.stays === true }
        : {}),
    });
  const executorStore = store<z.infer<typeof ExecutorFile>>("executor.json", ExecutorFile, () => ({
    version: 1,
    spent: { kills: [], restarts: [], cleanings: [] },
    intents: [],
  }));
  const backoffStore = store<z.infer<typeof BackoffFile>>(
    "restart-backoff.json",
    BackoffFile,
    () => ({
      version: 1,
      units: {},
    }),
    takeBackoffs,
  );
  const dedupStore = store<z.infer<typeof DedupFile>>(
    "dedup.json",
    DedupFile,
    () => ({
      version: 1,
      announced: {},
    }),
    (json, from) => takeAnnounced(files, json, from),
  );
  const repeatsStore = store<z.infer<typeof ObservationsFile>>("observations.json", ObservationsFile, () => ({
    version: 1,
    repeats: {},
  }));

  let executor = executorStore.load();
  let units = backoffStore.load().units;
  let announced = dedupStore.load().announced;
  let repeats = repeatsStore.load().repeats;
  let leftovers = executor.intents;

  const saveExecutor = (next: typeof executor): void => {
    files.makeDirectory(stateDir);
    executorStore.save(next);
    executor = next;
  };
  const saveUnits = (next: typeof units): void => {
    files.makeDirectory(stateDir);
    backoffStore.save({ version: 1, units: next });
    units = next;
  };

  return {
    spent: () => executor.spent,
    backoffs: () => units,
    announced: () => announced,
    repeats: () => repeats,
    leftovers: () => leftovers,
    forgetLeftovers() {
      const ids = new Set(leftovers.map((intent) => intent.id));
      if (ids.size === 0) return;
      saveExecutor({ ...executor, intents: executor.intents.filter((intent) => !ids.has(intent.id)) });
      leftovers = [];
    },
    begin(intent, budget, backoffUnit) {
      const spent =
        budget === null
          ? executor.spent
          : {
              ...executor.spent,
              [budget]: [...spentWithinHour(executor.spent[budget], intent.at), intent.at],
            };
      // The attempt first: between the two writes a crash costs an attempt, never one too many.
      const before = units;
      if (backoffUnit !== null) {
        saveUnits({ ...units, [backoffUnit]: countAttempt(units[backoffUnit], intent.at) });
      }
      try {
        saveExecutor({ ...executor, spent, intents: [...executor.intents, intent] });
      } catch (error) {
        units = before;
        throw error;
      }
    },
    end(intent) {
      saveExecutor({ ...executor, intents: executor.intents.filter((each) => each.id !== intent.id) });
    },
    markAnnounced(alerts, now) {
      // Kept in memory also when it cannot be written: a full disk must not make one message out of every cycle.
      announced = withAnnounced(announced, alerts, now);
      dedupStore.save({ version: 1, announced });
    },
    keepRepeats(next) {
      repeats = next;
      files.makeDirectory(stateDir);
      repeatsStore.save({ version: 1, repeats });
    },
    observeHealth(healthyUnits, policy, now) {
      const next: Record<string, UnitBackoff> = {};
      for (const [unit, entry] of Object.entries(units)) {
        const listed = policy.restartable.some((each) => each.unit === unit);
        if (!listed && secondsAtLeast(entry.last, now) >= policy.restartCooldownSeconds) continue;
        const after = afterLook(entry, healthyUnits.has(unit), policy, now);
        if (after !== null) next[unit] = after;
      }
      if (stringify(next) !== stringify(units)) saveUnits(next);
    },
  };
}
