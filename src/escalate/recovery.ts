/**
 * The end of a problem, told to people, and problems that come and go. The gate lets an end pass only when the
 * beginning was announced, and once. While a problem flaps, neither each opening nor each end is told: people hear that
 * it flaps, and the end when it has been calm.
 */
import { type ActionRecord, isRemedy, type Proposal } from "../types/action.ts";
import type { Problem } from "../types/problem.ts";
import { duration } from "../types/quantities.ts";

/** So many openings within an hour are no outages one after another. */
export const flappingOpenings = 3;
const hourMs = 3_600_000;

/** Openings within the last hour when they are many enough to call it flapping; null: it does not flap. */
export function flapping({ openings }: Pick<Problem, "openings">, nowMs: number): number | null {
  const recent = openings.filter((opening) => Math.abs(nowMs - Date.parse(opening)) < hourMs).length;
  return recent >= flappingOpenings ? recent : null;
}

/** When it has no longer opened so often within an hour, if it did so when it ended. */
function calmAtMs({ openings, resolvedAt }: Problem): number | null {
  const decisive = openings.at(-flappingOpenings);
  if (decisive === undefined || resolvedAt === null) return null;
  const calm = Date.parse(decisive) + hourMs;
  return calm > Date.parse(resolvedAt) ? calm : null;
}

/**
 * @param gone the problems that this cycle found to be over; they are still open in `problems`. Of what a person stopped,
 *   or argus.json does not name any more, nobody says that it recovered.
 * @param intervalSeconds what became calm two intervals ago was told by an earlier cycle; what is told twice, the gate
 *   holds back.
 */
export function recoveryProposals(
  problems: Iterable<Problem>,
  gone: readonly { readonly key: string; readonly because: string }[],
  intervalSeconds: number,
  nowMs: number,
): Proposal[] {
  const over = new Set(gone.map(({ key }) => key));
  const unsaid = gone.filter(({ because }) => because === "stopped" || because === "not_watched");
  const quietly = new Set(unsaid.map(({ key }) => key));
  const sinceMs = nowMs - 2 * intervalSeconds * 1000;
  return [...problems].flatMap((problem): Proposal[] => {
    if (quietly.has(problem.key)) return [];
    if (over.has(problem.key)) return flapping(problem, nowMs) === null ? [recovery(problem, nowMs)] : [];
    if (problem.life !== "resolved" || isQuiet(problem)) return [];
    const calm = calmAtMs(problem);
    return calm !== null && calm > sinceMs && calm <= nowMs ? [recovery(problem, nowMs)] : [];
  });
}

const isQuiet = ({ resolvedBecause }: Problem): boolean =>
  resolvedBecause === "stopped" || resolvedBecause === "not_watched";

/** The end of what nobody heard of is no event: it goes into no record. */
export const withoutUnheard = (actions: readonly ActionRecord[]): ActionRecord[] =>
  actions.filter(
    ({ type, source, refusal }) => !(type === "alert" && source === "self" && refusal === "duplicate"),
  );

function recovery(problem: Problem, nowMs: number): Proposal {
  const { key, type, severity, subject, description, openedAt, resolvedAt } = problem;
  const endMs = resolvedAt === null ? nowMs : Date.parse(resolvedAt);
  const seconds = Math.max(0, (endMs - Date.parse(openedAt)) / 1000);
  const calm = resolvedAt === null ? "" : ", and has been calm since";
  const action = helped(problem);
  const done = action === null ? triedSentence(problem) : `Done by Argus: ${action.replace(":", " ")}.`;
  return {
    type: "alert",
    message: description.slice(0, 8192),
    lines: [`Over after ${duration(seconds)}${calm}. ${done}`],
    source: "self",
    problem: key,
    problemType: type,
    severity,
    subject: subject.slice(0, 1024),
    since: openedAt,
    recovery: true,
    ...(action === null ? {} : { actionTaken: `${action} (success)`.slice(0, 1024) }),
  };
}

/** What was tried and failed was not nothing. */
function triedSentence({ actions }: Problem): string {
  const tried = actions.filter(
    ({ action, result }) => result === "failure" && isRemedy(action.split(":", 1)[0] ?? ""),
  );
  const [first] = tried;
  if (first === undefined) return "Argus did nothing about it.";
  const times = tried.length === 1 ? "" : ` ${tried.length} times`;
  return `Argus tried ${first.action.replace(":", " ")}${times}, which failed; it came back after that.`;
}

/** Words heal nothing, and neither does what failed. */
function helped({ actions }: Problem): string | null {
  const last = actions.findLast(
    ({ action, result }) => result === "success" && isRemedy(action.split(":", 1)[0] ?? ""),
  );
  return last?.action ?? null;
}
