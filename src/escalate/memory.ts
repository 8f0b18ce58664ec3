/**
 * What is remembered of asking the model (`escalation.json`): requests and tokens of 24 hours, failures and their
 * cooldown, and what was put before it when. Pure; times are moments, so that a clock that is set changes nothing.
 */
import * as z from "zod";
import type { ConsultationOutcome } from "../types/consultation.ts";
import { ConsultationOutcome as Outcome } from "../types/consultation.ts";
import { Moment, secondsBetween } from "../types/moment.ts";
import type { Unresolved } from "./unresolved.ts";

const Request = z.strictObject({ at: Moment, tokens: z.number(), costDollars: z.number().nullable() });

/** When a problem was last put before the model, and which failed remedies it was told of in this outage. */
const AskedProblem = z.strictObject({ at: Moment, failed: z.array(z.string()) });

export const Memory = z.strictObject({
  version: z.literal(1),
  requests: z.array(Request),
  asked: z.record(z.string(), AskedProblem),
  failuresInARow: z.number().int().nonnegative(),
  cooldown: z.strictObject({ from: Moment, seconds: z.number(), why: z.string() }).nullable(),
  /** When the model last looked at the whole. */
  reviewedAt: Moment.nullable().default(null),
  /** When it was last asked to, with whatever came of it. */
  reviewTriedAt: Moment.nullable().default(null),
  last: z.strictObject({ at: Moment, outcome: Outcome, detail: z.string() }).nullable(),
});
export type Memory = z.infer<typeof Memory>;

export const emptyMemory = (): Memory => ({
  version: 1,
  requests: [],
  asked: {},
  failuresInARow: 0,
  cooldown: null,
  reviewedAt: null,
  reviewTriedAt: null,
  last: null,
});

const hour = 3600;
const day = 24 * hour;
const longestCooldown = 2 * hour;
const rateLimitCooldown = hour / 2;
const reviewRetry = 2 * hour;
/** Enough for every request of a day and every problem of one, and never a file that grows. */
const maxRequests = 1000;
const maxAsked = 1000;

/** What the model was not told of within the hour: a problem, or a remedy of it that failed since. */
export function newsIn(memory: Memory, unresolved: readonly Unresolved[], now: Moment): Unresolved[] {
  return unresolved.filter(({ key, failed }) => {
    const asked = Object.hasOwn(memory.asked, key) ? memory.asked[key] : undefined;
    if (asked === undefined || secondsBetween(asked.at, now) >= hour) return true;
    return failed.some((each) => !asked.failed.includes(each));
  });
}

/** Seconds until the whole of it may be put before the model again. */
export function secondsUntilAskedAgain(
  memory: Memory,
  unresolved: readonly Unresolved[],
  now: Moment,
): number {
  const waits = unresolved.map(({ key }) => hour - secondsBetween(memory.asked[key]?.at ?? now, now));
  return Math.max(0, Math.min(hour, ...waits));
}

/** What a question was about: problems, or, in the daily look, the whole. */
export type Asked = readonly Unresolved[] | "the whole";

export const isReviewDue = ({ reviewedAt, reviewTriedAt }: Memory, now: Moment): boolean =>
  (reviewedAt === null || secondsBetween(reviewedAt, now) >= day) &&
  (reviewTriedAt === null || secondsBetween(reviewTriedAt, now) >= reviewRetry);

export interface Spent {
  readonly requests: number;
  readonly tokens: number;
  /** Of the requests whose price is known. */
  readonly costDollars: number;
}

/** Of the last 24 hours. */
export function spentToday(memory: Memory, now: Moment): Spent {
  const today = memory.requests.filter(({ at }) => secondsBetween(at, now) < day);
  return {
    requests: today.length,
    tokens: today.reduce((sum, { tokens }) => sum + tokens, 0),
    costDollars: today.reduce((sum, { costDollars }) => sum + (costDollars ?? 0), 0),
  };
}

/** null: none is in force. */
export function cooldownAt(memory: Memory, now: Moment): { seconds: number; why: string } | null {
  if (memory.cooldown === null) return null;
  const seconds = memory.cooldown.seconds - secondsBetween(memory.cooldown.from, now);
  return seconds > 0 ? { seconds, why: memory.cooldown.why } : null;
}

export interface Ending {
  readonly outcome: ConsultationOutcome;
  readonly detail: string;
  readonly requests: number;
  readonly tokens: number;
  readonly costDollars: number | null;
  readonly rateLimited: boolean;
  /** What the server asked for; null when it did not. */
  readonly retryAfterSeconds: number | null;
}

/**
 * What is written before a request is sent: as though it had failed. A crash in the middle, or one that the reply
 * causes, is then counted and cools down like any failure.
 */
export function begun(memory: Memory, about: Asked, intervalSeconds: number, now: Moment): Memory {
  const detail = "Argus ended before an answer came";
  const ending: Ending = { ...nothingSpent, outcome: "failed", detail, requests: 1 };
  return ended(memory, about === "the whole" ? about : [], ending, intervalSeconds, now);
}

const nothingSpent = {
  requests: 0,
  tokens: 0,
  costDollars: null,
  rateLimited: false,
  retryAfterSeconds: null,
};

/** @param memory as it was before the request, not as `begun` wrote it. */
export function ended(
  memory: Memory,
  about: Asked,
  ending: Ending,
  intervalSeconds: number,
  now: Moment,
): Memory {
  const requests = [...memory.requests, ...requestsOf(ending, now)].filter(
    ({ at }) => secondsBetween(at, now) < day,
  );
  const next: Memory = {
    ...memory,
    requests: requests.slice(-maxRequests),
    reviewTriedAt: about === "the whole" ? now : memory.reviewTriedAt,
    last: { at: now, outcome: ending.outcome, detail: ending.detail },
  };
  // A refusal is an answer too: the same question would get it again.
  if (ending.outcome === "answered" || ending.outcome === "refused") {
    const healthy = { ...next, failuresInARow: 0, cooldown: null };
    if (about === "the whole") return { ...healthy, reviewedAt: now };
    return { ...healthy, asked: withAsked(memory.asked, about, now) };
  }
  const limited = ending.rateLimited ? rateLimitCooldown : 0;
  const wished = Math.max(limited, Math.min(day, ending.retryAfterSeconds ?? 0));
  const cooldown = (seconds: number) => ({ from: now, seconds, why: ending.detail });
  // Nobody waits for the daily look: that it failed must not put off a question about trouble, unless the server says so.
  if (about === "the whole") return wished > 0 ? { ...next, cooldown: cooldown(wished) } : next;
  const failuresInARow = memory.failuresInARow + 1;
  const doubling = Math.min(longestCooldown, intervalSeconds * 2 ** Math.min(failuresInARow - 1, 20));
  return { ...next, failuresInARow, cooldown: cooldown(Math.max(doubling, wished)) };
}

/** The requests count, and nothing else happened. */
export function interrupted(memory: Memory, requests: number, now: Moment): Memory {
  const made = requestsOf({ requests, tokens: 0, costDollars: null }, now);
  return { ...memory, requests: [...memory.requests, ...made].slice(-maxRequests) };
}

function requestsOf(
  { requests, tokens, costDollars }: Pick<Ending, "requests" | "tokens" | "costDollars">,
  at: Moment,
) {
  // Repeated requests got no answer, so the last one has all the tokens.
  return Array.from({ length: requests }, (_, index) =>
    index === requests - 1 ? { at, tokens, costDollars } : { at, tokens: 0, costDollars: null },
  );
}

function withAsked(asked: Memory["asked"], told: readonly Unresolved[], now: Moment): Memory["asked"] {
  const kept = Object.entries(asked).filter(([, { at }]) => secondsBetween(at, now) < day);
  const next = new Map(kept);
  for (const { key, failed } of told) {
    const before = next.get(key);
    // An outage that goes on is asked about every hour; in between it may fail in one way and then in another again.
    const known = before !== undefined && secondsBetween(before.at, now) < 2 * hour ? before.failed : [];
    next.delete(key);
    next.set(key, { at: now, failed: [...new Set([...known, ...failed])].slice(-50) });
  }
  return Object.fromEntries([...next].slice(-maxAsked));
}
