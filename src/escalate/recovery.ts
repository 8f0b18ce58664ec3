/**
 * The end of a problem, for people. RESOLVED: it was alerted, and is over. REPAIRED: Argus brought it to an end before
 * anybody was alerted, which is reported once an hour. CLOSED: nobody can say that it is well, as a person stopped it or
 * nobody looks any more. Which of these goes out, and how often, the gate knows: it has what was alerted.
 */

import { ordinal } from "../report/values.ts";
import { isRemedy, type Proposal } from "../types/action.ts";
import {
  closings,
  isPast,
  mostProblemActions,
  openingsWithin,
  type Problem,
  type ProblemAction,
} from "../types/problem.ts";
import { duration } from "../types/quantities.ts";
import { healedBy } from "./healing.ts";

/** So many openings within an hour are no outages one after another. */
export const flappingOpenings = 3;
const hourMs = 3_600_000;

/** Openings within the last hour when they are many enough to call it flapping; null: it does not flap. */
export function flapping({ openings }: Pick<Problem, "openings">, nowMs: number): number | null {
  const recent = openings.filter((opening) => Math.abs(nowMs - Date.parse(opening)) < hourMs).length;
  return recent >= flappingOpenings ? recent : null;
}

/** When it has no longer opened so often within an hour, if it did so when it ended. */
export function calmAtMs({ openings, resolvedAt }: Pick<Problem, "openings" | "resolvedAt">): number | null {
  const decisive = openings.at(-flappingOpenings);
  if (decisive === undefined || resolvedAt === null) return null;
  const calm = Date.parse(decisive) + hourMs;
  return calm > Date.parse(resolvedAt) ? calm : null;
}

/** A problem that this cycle found to be over. */
export interface Over {
  readonly key: string;
  readonly because: "not_found" | (typeof closings)[number];
  /** When a look first found it gone, ISO 8601. */
  readonly goneAt: string;
}

/**
 * @param problems those of `over` are still open in it.
 * @param asked keys of problems that a rule wants alerted whenever it fires.
 * @param waiting keys of those whose conditions hold, and not yet for as long as their rule wants.
 */
export function recoveryProposals(
  problems: Iterable<Problem>,
  over: readonly Over[],
  asked: ReadonlySet<string>,
  nowMs: number,
  waiting: ReadonlySet<string> = new Set(),
): Proposal[] {
  const ends = new Map(over.map((each) => [each.key, each]));
  const all = [...problems];
  // Of what is in trouble again, or may be, or under another name, nobody says that it is calm.
  const inTrouble = new Set(all.flatMap(({ subject, life }) => (life === "resolved" ? [] : subject)));
  const repairs = repairsBySubject(all);
  const isDoubtful = ({ key, subject }: Problem): boolean => waiting.has(key) || inTrouble.has(subject);
  return all.flatMap((problem): Proposal[] => {
    const end = ends.get(problem.key);
    const flaps = flapping(problem, nowMs);
    if (end !== undefined) {
      if (end.because !== "not_found") return [closed(problem, end)];
      const flappingNow = flaps === null ? {} : { flapping: flaps };
      return [
        { ...ended(problem, end.goneAt, repairs), ...askedFor(asked.has(problem.key)), ...flappingNow },
      ];
    }
    return flaps === null && !isDoubtful(problem) ? endedBefore(problem, repairs, nowMs) : [];
  });
}

/** For so long the end of what was alerted is asked for again, should it not have been written down at the time. */
const againMs = 2 * hourMs;

/**
 * The gate lets it through while what was alerted awaits its end: it has flapped, and is calm now, also when the clock
 * leapt over the very moment; or the message could not be written.
 */
function endedBefore(problem: Problem, repairs: Repairs, nowMs: number): Proposal[] {
  const { key, life, resolvedAt, resolvedBecause } = problem;
  // Of what the first Argus wrote nobody knows whether it is over.
  if (life !== "resolved" || resolvedAt === null || isPast(problem)) return [];
  const hasFlapped = calmAtMs(problem) !== null;
  if (!hasFlapped && Math.abs(nowMs - Date.parse(resolvedAt)) > againMs) return [];
  const closing = closings.find((each) => each === resolvedBecause);
  if (closing !== undefined) return [closed(problem, { key, because: closing, goneAt: resolvedAt })];
  const calm = hasFlapped ? ["It was flapping, and has been calm since."] : [];
  // A repair that nobody was alerted to was reported when it was one, or never is.
  const { repaired: _, ...end } = ended(problem, resolvedAt, repairs, calm);
  return [end];
}

const askedFor = (isAsked: boolean): { asked?: true } => (isAsked ? { asked: true } : {});

const common = ({ key, type, severity, subject, openedAt }: Problem) => ({
  type: "alert",
  source: "self",
  problem: key,
  problemType: type,
  severity,
  subject: subject.slice(0, 1024),
  since: openedAt,
  recovery: true as const,
});

/** `alpha (was: failed, signal), down 64 s, restarted by Argus on the 2nd attempt.` */
function ended(problem: Problem, goneAt: string, repairs: Repairs, more: readonly string[] = []): Proposal {
  const { remedy, words } = helpOf(problem, repairs);
  const times = openingsWithin(problem.openings, Date.parse(goneAt)).length;
  const lines = [...(times > 1 ? [`It was the ${ordinal(times)} time within 24 hours.`] : []), ...more];
  return {
    ...common(problem),
    message: `${[subjectAndState(problem), lasted(problem, goneAt), ...words].join(", ")}.`.slice(0, 8192),
    ...(lines.length === 0 ? {} : { lines }),
    ...(remedy === null ? {} : { repaired: true, actionTaken: `${remedy} (success)`.slice(0, 1024) }),
  };
}

const reasons: Readonly<Record<Exclude<Over["because"], "not_found">, string>> = {
  stopped: "a person stopped it, and it does not run",
  not_watched: "Argus does not watch it any more",
  rule_removed: "no rule looks for it any more",
};

function closed(problem: Problem, { because, goneAt }: Over): Proposal {
  const why = because === "not_found" ? "" : reasons[because];
  return {
    ...common(problem),
    message: `${subjectAndState(problem)}, ${lasted(problem, goneAt)}: ${why}.`.slice(0, 8192),
    closed: true,
  };
}

function subjectAndState(problem: Problem): string {
  const { subject, was, description } = problem;
  return `${subject} (was: ${was ?? withoutSubject(description, subject)})`;
}

const longestState = 160;

/** `web is 91 % full` of `web`: `91 % full`. */
function withoutSubject(description: string, subject: string): string {
  const rest = description.startsWith(`${subject} `) ? description.slice(subject.length + 1) : description;
  const state = rest.startsWith("is ") ? rest.slice(3) : rest;
  return state.length > longestState ? `${state.slice(0, longestState).toWellFormed()}…` : state;
}

/** Conditions in which a thing is away: others lasted, and it was there. */
const isDown = new Set(["down", "unreachable"]);

function lasted({ condition, openedAt }: Problem, goneAt: string): string {
  const seconds = Math.max(0, (Date.parse(goneAt) - Date.parse(openedAt)) / 1000);
  return `${isDown.has(condition) ? "down" : "after"} ${shortTime(seconds)}`;
}

/** Up to two minutes in seconds: that is how long a restart takes. */
function shortTime(seconds: number): string {
  if (seconds < 1) return "less than 1 s";
  return seconds < 120 ? `${Math.round(seconds)} s` : duration(seconds);
}

const deeds: Readonly<Record<string, string>> = {
  restart_service: "restarted by Argus",
  restart_container: "restarted by Argus",
  clean_container: "cleaned by Argus",
  clean_disk: "cleaned by Argus",
  kill_pid: "killed by Argus",
  kill_tmux: "killed by Argus",
};

/**
 * What was applied last helped, if nothing since then speaks against it: neither a failure, nor that it was asked for
 * again. Otherwise somebody else did: systemd, or a person.
 */
function helpOf(
  problem: Problem,
  repairs: Repairs,
): { readonly remedy: string | null; readonly words: readonly string[] } {
  const tried = problem.actions.filter(({ action, ...each }) => isRemedy(typeOf(action)) && wasDone(each));
  const last = healedBy(problem)?.last;
  if (last === undefined) {
    // The same thing may have been repaired for the sake of another problem of it.
    if (repairs.get(problem.subject)?.some((repair) => helped(repair, problem)))
      return { remedy: null, words: [] };
    if (tried.length > 0) return { remedy: null, words: [`ended without Argus: ${failures(tried)}`] };
    return { remedy: null, words: problem.type === "argus" ? [] : ["ended without Argus"] };
  }
  const attempts = tried.filter(({ action }) => action === last.action).length;
  const words = deeds[typeOf(last.action)] ?? `by Argus (${last.action.replace(":", " ")})`;
  // Of a long outage the first attempts are forgotten: no number is better than a wrong one.
  const isCounted = problem.actions.length < mostProblemActions;
  const isLater = attempts > 1 && isCounted && last.action.startsWith("restart");
  return {
    remedy: last.action,
    words: [isLater ? `${words} on the ${ordinal(attempts)} attempt` : words],
  };
}

/** A failure that was not begun, as nobody answered, is no attempt. */
const wasDone = ({ result, verified }: Pick<ProblemAction, "result" | "verified">): boolean =>
  result === "success" || (result === "failure" && verified !== null);

/** Remedies that succeeded, by the subject of the problem for whose sake they were applied. */
type Repairs = ReadonlyMap<string, readonly { readonly key: string; readonly ts: string }[]>;

/** Once for all: many thousand problems may end in one cycle. */
function repairsBySubject(all: readonly Problem[]): Repairs {
  const repairs = new Map<string, { key: string; ts: string }[]>();
  for (const { key, subject, actions } of all)
    for (const { ts, action, result } of actions) {
      if (result !== "success" || !isRemedy(typeOf(action))) continue;
      const known = repairs.get(subject);
      if (known === undefined) repairs.set(subject, [{ key, ts }]);
      else known.push({ key, ts });
    }
  return repairs;
}

const helped = (repair: { key: string; ts: string }, { key, openedAt }: Problem): boolean =>
  repair.key !== key && repair.ts >= openedAt;

function failures(tried: readonly ProblemAction[]): string {
  const name = tried.at(-1)?.action.replace(":", " ") ?? "";
  return tried.length === 1
    ? `${name} did not help`
    : `${tried.length} attempts, the last ${name}, did not help`;
}

const typeOf = (action: string): string => action.split(":", 1)[0] ?? "";

/** Where several rules asked for an alert about one problem, what became of it: of the others nothing is recorded. */
export function oneAlertEach<
  Action extends { type: string; source: string; problem: string; result: string },
>(actions: readonly Action[]): Action[] {
  const isAlert = ({ type, source }: Action) => type === "alert" && source !== "self";
  const alerts = new Map<string, Action[]>();
  for (const action of actions.filter(isAlert)) {
    const same = alerts.get(action.problem);
    if (same === undefined) alerts.set(action.problem, [action]);
    else same.push(action);
  }
  return actions.filter((action) => {
    if (!isAlert(action)) return true;
    const same = alerts.get(action.problem) ?? [];
    const sent = same.find(({ result }) => result === "success" || result === "failure");
    return action === (sent ?? same[0]);
  });
}

/** The end of what nobody heard of is no event: it goes into no record. */
export const withoutUnheard = <Action extends { type: string; source: string; refusal: string | null }>(
  actions: readonly Action[],
): Action[] =>
  actions.filter(
    ({ type, source, refusal }) => !(type === "alert" && source === "self" && refusal === "duplicate"),
  );
