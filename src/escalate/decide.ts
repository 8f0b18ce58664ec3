/** Whether the model is asked about this cycle, and why not. Pure. */
import type { Moment } from "../types/moment.ts";
import type { ModelAnswer } from "../types/trail.ts";
import type { Handled } from "./alerts.ts";
import {
  cooldownAt,
  isReviewDue,
  type Memory,
  newsIn,
  secondsUntilAskedAgain,
  spentToday,
} from "./memory.ts";
import { unresolvedOf } from "./unresolved.ts";

export interface Situation {
  readonly handled: readonly Handled[];
  readonly paused: boolean;
  readonly dryRun: boolean;
  /** Less than 100 MB are free where the state is. */
  readonly diskGuard: boolean;
}

export interface ModelLimits {
  readonly hasKey: boolean;
  readonly dailyCalls: number;
  readonly dailyTokens: number;
  readonly review: "never" | "daily";
}

export interface ModelDecision {
  readonly asked: boolean;
  readonly why: ModelAnswer;
  /** One sentence. */
  readonly detail: string;
}

/** The first of these that holds is the answer, from the most fundamental to the least. */
export function decide(
  situation: Situation,
  limits: ModelLimits,
  memory: Memory,
  now: Moment,
): ModelDecision {
  const { handled } = situation;
  const not = (why: ModelAnswer, detail: string): ModelDecision => ({ asked: false, why, detail });
  const unresolved = unresolvedOf(handled);
  if (unresolved.length === 0) return decideReview(situation, limits, memory, now);

  const things = `${unresolved.length} unresolved problem${unresolved.length === 1 ? "" : "s"}`;
  const but = (why: ModelAnswer, reason: string) => not(why, `${things}, but ${reason}`);
  if (situation.paused) return but("paused", "Argus is paused");
  if (situation.dryRun) return but("dry_run", "a dry run asks nobody");
  if (situation.diskGuard) return but("disk_guard", "less than 100 MB are free for the state");
  if (!limits.hasKey) return but("no_key", "ANTHROPIC_API_KEY is not set, so they alert by themselves");

  const news = newsIn(memory, unresolved, now);
  if (news.length === 0) {
    const wait = minutes(secondsUntilAskedAgain(memory, unresolved, now));
    return but(
      "same_unresolved_set",
      `the model was asked about them within the hour; again in ${wait} at the latest`,
    );
  }
  const cooldown = cooldownAt(memory, now);
  if (cooldown !== null)
    return but(
      "cooldown",
      `asking failed, and is tried again in ${minutes(cooldown.seconds)}: ${cooldown.why}`,
    );
  const { requests, tokens } = spentToday(memory, now);
  if (requests >= limits.dailyCalls) {
    return but(
      "daily_budget",
      `${requests} of ${limits.dailyCalls} requests of 24 hours are used (ARGUS_LLM_DAILY_CALLS)`,
    );
  }
  if (tokens >= limits.dailyTokens) {
    return but(
      "daily_budget",
      `${tokens} of ${limits.dailyTokens} tokens of 24 hours are used (ARGUS_LLM_DAILY_TOKENS)`,
    );
  }
  const fresh = news.length === unresolved.length ? "" : `, of which ${news.length} with news`;
  return { asked: true, why: "asked", detail: `${things}${fresh}` };
}

/** Nothing is unresolved: at most the daily look, and only when nothing at all stands against asking. */
function decideReview(
  { handled, paused, dryRun, diskGuard }: Situation,
  limits: ModelLimits,
  memory: Memory,
  now: Moment,
): ModelDecision {
  const { requests, tokens } = spentToday(memory, now);
  const isDue = limits.review === "daily" && isReviewDue(memory, now);
  const isFree =
    requests < limits.dailyCalls && tokens < limits.dailyTokens && cooldownAt(memory, now) === null;
  if (isDue && isFree && limits.hasKey && !paused && !dryRun && !diskGuard)
    return {
      asked: true,
      why: "asked",
      detail: "nothing is unresolved; this is the daily look at the whole",
    };
  if (handled.length === 0) return { asked: false, why: "nothing_found", detail: "no rule fired" };
  const isCovered = handled.every(({ resolution }) => resolution.resolved);
  const detail = isCovered
    ? "rules cover all that was found"
    : "what they do not cover waits for a person's yes";
  return { asked: false, why: "every_finding_resolved", detail };
}

const minutes = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
