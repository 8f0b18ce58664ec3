/**
 * Wake-ups: whatever happens in between two cycles rings, and the daemon begins a cycle a moment later. Pure but for
 * the time it is told.
 */

/** What happens together is looked at together: units that go down with one another, and systemd's own follow-ups. */
export const coalesceMs = 100;
/**
 * A burst of ten, then one in five seconds: 12 ms of work in 5 s are 0.25 % of a processor, whatever keeps on ringing.
 */
export const burst = 10;
export const refillMs = 5_000;
/** Of a storm, the first ones tell enough. */
const mostReasons = 20;
/** The path of a mount may have 4,096 characters. */
const longestReason = 300;

export interface Bell {
  /** @param reason one clause, such as `nginx.service failed`. */
  ring(reason: string, nowMs: number): void;
  /** When the next wake-up is due, on the clock of `ring`; null: nothing rang. */
  dueMs(nowMs: number): number | null;
  /** For a cycle of the schedule: it looks at everything that rang so far. */
  answer(): string[];
  /** For a wake-up: the same, and it counts against the limit. */
  answerAwake(nowMs: number): string[];
}

export function createBell(onRing: () => void): Bell {
  let reasons: string[] = [];
  let more = 0;
  let firstMs: number | null = null;
  let tokens = burst;
  let tokensAtMs: number | null = null;

  function refill(nowMs: number): void {
    tokensAtMs ??= nowMs;
    const gained = Math.floor((nowMs - tokensAtMs) / refillMs);
    if (gained <= 0) return;
    tokens = Math.min(burst, tokens + gained);
    tokensAtMs += gained * refillMs;
  }

  function answer(): string[] {
    const said = more === 0 ? reasons : [...reasons, `and ${more} more`];
    reasons = [];
    more = 0;
    firstMs = null;
    return said;
  }

  return {
    ring(whole, nowMs) {
      const reason = whole.slice(0, longestReason);
      if (reasons.includes(reason)) return;
      if (reasons.length < mostReasons) reasons.push(reason);
      else more += 1;
      firstMs ??= nowMs;
      onRing();
    },
    dueMs(nowMs) {
      if (firstMs === null) return null;
      refill(nowMs);
      const soonest = firstMs + coalesceMs;
      return tokens > 0 ? soonest : Math.max(soonest, (tokensAtMs ?? nowMs) + refillMs);
    },
    answer,
    answerAwake(nowMs) {
      refill(nowMs);
      tokens -= 1;
      return answer();
    },
  };
}
