/** Whether the model is asked about this cycle, and why not. Pure. */

import type { Moment } from "../types/moment.ts";
import { duration } from "../types/quantities.ts";
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
  const unresolved = unresolvedOf(situation.handled);
  if (unresolved.length === 0) return decideReview(situation, limits, memory, now);

  const things = `${unresolved.length} unresolved problem${unresolved.length === 1 ? "" : "s"}`;
  const but = ({ why, reason }: Obstacle): ModelDecision => ({
    asked: false,
    why,
    detail: `${things}, but ${reason}`,
  });
  const unable = unableTo(situation, limits);
  if (unable?.why === "no_key")
    return but({ ...unable, reason: `${unable.reason}, so they alert by themselves` });
  if (unable !== null) return but(unable);

  const news = newsIn(memory, unresolved, now);
  if (news.length === 0) {
    const wait = waiting(secondsUntilAskedAgain(memory, unresolved, now));
    const reason = `the model was asked about them within the hour; again in ${wait} at the latest`;
    return but({ why: "same_unresolved_set", reason });
  }
  const held = heldBack(limits, memory, now);
  if (held !== null) return but(held);
  const fresh = news.length === unresolved.length ? "" : `, of which ${news.length} with news`;
  return { asked: true, why: "asked", detail: `${things}${fresh}` };
}

/** Nothing is unresolved: at most the daily look, for which the same stands in the way as for any question. */
function decideReview(situation: Situation, limits: ModelLimits, memory: Memory, now: Moment): ModelDecision {
  if (limits.review === "never" || !isReviewDue(memory, now)) return nothingToAsk(situation);
  const obstacle = unableTo(situation, limits) ?? heldBack(limits, memory, now);
  if (obstacle === null) {
    const detail = "nothing is unresolved; this is the daily look at the whole";
    return { asked: true, why: "asked", detail };
  }
  const detail = `the daily look at the whole is due, but ${obstacle.reason}`;
  return { asked: false, why: obstacle.why, detail };
}

function nothingToAsk({ handled }: Situation): ModelDecision {
  if (handled.length === 0) return { asked: false, why: "nothing_found", detail: "no rule fired" };
  const isCovered = handled.every(({ remediation }) => remediation.covered);
  const detail = isCovered ? "rules cover all that was found" : "what they do not cover waits for approval";
  return { asked: false, why: "every_finding_resolved", detail };
}

interface Obstacle {
  readonly why: ModelAnswer;
  readonly reason: string;
}

function unableTo({ paused, dryRun, diskGuard }: Situation, { hasKey }: ModelLimits): Obstacle | null {
  if (paused) return { why: "paused", reason: "Argus is paused" };
  if (dryRun) return { why: "dry_run", reason: "a dry run asks nobody" };
  if (diskGuard) return { why: "disk_guard", reason: "less than 100 MB are free for the state" };
  return hasKey ? null : { why: "no_key", reason: "ANTHROPIC_API_KEY is not set" };
}

function heldBack({ dailyCalls, dailyTokens }: ModelLimits, memory: Memory, now: Moment): Obstacle | null {
  const cooldown = cooldownAt(memory, now);
  if (cooldown !== null) {
    const reason = `asking failed, and is tried again in ${waiting(cooldown.seconds)}: ${cooldown.why}`;
    return { why: "cooldown", reason };
  }
  const { requests, tokens } = spentToday(memory, now);
  if (requests >= dailyCalls) {
    const reason = `${requests} of ${dailyCalls} requests of 24 hours are used (ARGUS_LLM_DAILY_CALLS)`;
    return { why: "daily_budget", reason };
  }
  if (tokens >= dailyTokens) {
    const reason = `${tokens} of ${dailyTokens} tokens of 24 hours are used (ARGUS_LLM_DAILY_TOKENS)`;
    return { why: "daily_budget", reason };
  }
  return null;
}

const waiting = (seconds: number): string => duration(Math.ceil(seconds));
