/** Which problems a cycle finds to be over: their condition is gone, and has stayed gone for the settle time. */
import type { Parts, Trigger } from "./cycle.ts";
import { detect } from "./detect/detect.ts";
import { readStreaks } from "./detect/streaks.ts";
import type { Handled } from "./escalate/alerts.ts";
import { problemFact } from "./record/problems.ts";
import { type Gone, resolvable } from "./record/resolvable.ts";
import type { Settled } from "./record/settling.ts";
import { withReboot } from "./self-facts.ts";
import type { Self } from "./types/facts.ts";
import type { Detection } from "./types/finding.ts";
import type { Facts } from "./types/snapshot.ts";

export interface Looked {
  readonly detection: Detection;
  readonly handled: readonly Handled[];
  /** Of the cycle, and where it looked again after a remedy, of that look. */
  readonly facts: Facts;
  readonly self: Self;
  readonly trigger: Trigger;
  readonly signal: AbortSignal;
}

export async function endedProblems(parts: Parts, looked: Looked): Promise<Settled[]> {
  const { settling, system } = parts;
  const { handled, facts, detection, trigger, signal } = looked;
  const repaired = new Set(handled.filter(({ isGone }) => isGone === true).map(({ finding }) => finding));
  const gone = goneBy(parts, detection, facts, repaired);
  const over = settling.look(gone, system.clock.now(), watchedSeconds(handled));
  const wait = settling.dueInSeconds(system.clock.now());
  // A single cycle has no later one that would look again.
  if (trigger !== "once" || wait === null) return over;
  await system.clock.sleep(wait * 1000, signal);
  return signal.aborted ? over : [...over, ...(await lookAgain(parts, looked.self))];
}

async function lookAgain(parts: Parts, self: Self): Promise<Settled[]> {
  const { system, config, registry } = parts;
  const { facts } = await withReboot(parts, parts.history.derive(await parts.collector.collect(self)));
  const now = system.clock.now();
  const detection = await detect({
    rules: parts.book.rules(),
    facts,
    streaks: readStreaks(parts.streaks.load()),
    problemOf: (key) => problemFact(registry.problems().get(key), now.wallMs),
    now,
    scheduled: false,
    maxGapSeconds: longestGap(config),
  });
  return parts.settling.lookAgain(goneBy(parts, detection, facts), now);
}

/** An hour without a look, or three missed cycles: nobody knows what was between. */
export const longestGap = ({ intervalSeconds }: Parts["config"]): number =>
  Math.max(3600, 3 * intervalSeconds);

function goneBy(
  { book, registry }: Parts,
  detection: Detection,
  facts: Facts,
  repaired?: ReadonlySet<Handled["finding"]>,
): Gone[] {
  const names = new Set(book.rules().rules.map(({ compiled }) => compiled.rule.name));
  return resolvable(registry.problems().values(), detection, names, facts, repaired);
}

/** For how long a remedy saw for itself that it had helped, by the key of the problem. */
function watchedSeconds(handled: readonly Handled[]): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const { finding, actions, advised = [], isGone } of handled) {
    if (isGone !== true) continue;
    for (const { verified, values } of [...actions, ...advised]) {
      const watched = values["settledSeconds"];
      if (verified === true && typeof watched === "number") seconds.set(finding.key, watched);
    }
  }
  return seconds;
}
