/** The general check after an action: on a fresh look, the rule that asked for it must not fire any more. */
import type { Collector, CollectorName } from "./collect/collect.ts";
import type { RuleBook } from "./detect/rule-book.ts";
import { lookAgain } from "./detect/why-not.ts";
import type { History } from "./record/history.ts";
import type { System } from "./system/system.ts";
import { type ActionRecord, isWord } from "./types/action.ts";
import type { EntityKind, Self } from "./types/facts.ts";
import type { Finding } from "./types/finding.ts";
import type { Facts } from "./types/snapshot.ts";

/** What it takes to look again. */
export interface Eyes {
  readonly system: System;
  readonly collector: Collector;
  readonly book: RuleBook;
  readonly history: Pick<History, "derive">;
}

export interface Attempt {
  readonly finding: Finding;
  readonly actions: readonly ActionRecord[];
  /** Whether a look after its actions found the condition gone. Left out: nobody looked, or it could not be judged. */
  readonly isGone?: boolean;
}

/** The executor answers in the order of the proposals. */
export function assign(
  remedies: readonly { finding: Finding; proposals: readonly unknown[] }[],
  actions: readonly ActionRecord[],
): Attempt[] {
  let next = 0;
  return remedies.map(({ finding, proposals }) => {
    const own = actions.slice(next, next + proposals.length);
    next += proposals.length;
    return { finding, actions: own };
  });
}

const collectorsOf: Readonly<Record<EntityKind | "host", readonly CollectorName[]>> = {
  host: ["host", "processes"],
  disk: ["disks"],
  service: ["services"],
  process: ["processes"],
  session: ["sessions"],
  endpoint: ["services", "endpoints"],
};

/** A note or a message changes nothing that a rule looks at. */
const changed = ({ type, result }: ActionRecord): boolean => result === "success" && !isWord(type);

/** The executor found the target in another state than the snapshot: which of them holds, another look tells. */
const isDoubted = ({ refusal }: ActionRecord): boolean =>
  refusal === "not_needed" || refusal === "target_gone" || refusal === "identity_changed";

/** @returns the same attempts, with `verified` as the fresh look says, and the facts of that look. */
export async function confirm(
  eyes: Eyes,
  self: Self,
  attempts: readonly Attempt[],
): Promise<{ readonly attempts: Attempt[]; readonly facts: Facts }> {
  const toConfirm = attempts.filter(({ actions }) =>
    actions.some((each) => changed(each) || isDoubted(each)),
  );
  const { answers, facts } = await stillFiring(
    eyes,
    self,
    toConfirm.map(({ finding }) => finding),
  );
  return { attempts: attempts.map((attempt) => confirmed(attempt, answers)), facts };
}

function confirmed({ finding, actions }: Attempt, answers: ReadonlyMap<Finding, boolean | null>): Attempt {
  const fires = answers.get(finding) ?? null;
  if (fires === null) return { finding, actions };
  // What systemd is still starting is neither down nor up: a later cycle sees what becomes of it.
  const isOpen = ({ verified, values }: ActionRecord) => verified !== false && values["starting"] !== true;
  const seen = (action: ActionRecord): ActionRecord =>
    changed(action) && isOpen(action) ? { ...action, verified: !fires } : action;
  return { finding, actions: actions.map(seen), isGone: !fires };
}

/** @returns for each finding whether its conditions hold on a fresh look; null: it could not be judged. */
async function stillFiring(
  eyes: Eyes,
  self: Self,
  findings: readonly Finding[],
): Promise<{ answers: Map<Finding, boolean | null>; facts: Facts }> {
  const answers = new Map<Finding, boolean | null>();
  if (findings.length === 0) return { answers, facts: {} };
  const only = new Set<CollectorName>(findings.flatMap(({ entity }) => collectorsOf[entity?.kind ?? "host"]));
  // What only the past can tell is filled in as at the first look: a rule may have fired on that.
  const { facts } = eyes.history.derive(await eyes.collector.collect(self, only.add("host")));
  const problemOf = () => ({ occurrences24h: 1, openSeconds: 0 });
  const input = { facts, streaks: new Map(), problemOf, now: eyes.system.clock.now() };
  for (const judged of eyes.book.rules().rules) {
    const own = findings.filter(({ rule }) => rule === judged.compiled.rule.name);
    if (own.length === 0) continue;
    const { looks, missing } = await lookAgain(judged, input, new Set(own.map(identityOf)));
    const seen = new Map(looks.map((look) => [look.identity, look.holds]));
    // Not there any more counts as gone, unless nobody could look.
    const unseen = missing.length > 0 ? null : false;
    for (const finding of own)
      answers.set(finding, seen.has(identityOf(finding)) ? (seen.get(identityOf(finding)) ?? null) : unseen);
  }
  return { answers, facts };
}

const identityOf = ({ entity }: Finding): string => entity?.identity ?? "host";
