/** Asks again after what may pass: with growing pauses, or as long as the other side asks to wait. */
import pRetry from "p-retry";
import type { Attempt, Sent } from "./channel.ts";
import type { Clean } from "./clean.ts";

/** Worth another try, after so long. */
export class Temporary extends Error {
  readonly waitMs: number;
  /** The other side had the message and failed at it. */
  readonly heard: boolean;
  constructor(message: string, waitMs = 0, heard = false) {
    super(message);
    this.waitMs = waitMs;
    this.heard = heard;
  }
}

/** No answer came. It may be the fault of the message only if it got there: a reset, a hang, an answer that is no HTTP. */
export function unanswered(who: string, error: unknown, clean: Clean): Temporary {
  const why = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error ? error.cause : null;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return new Temporary(
    `${who} cannot be reached: ${clean(why)}`,
    0,
    /^(|EPIPE|ECONNRESET|HPE_.*)$/.test(code),
  );
}

/** An attempt with less time than this would only end in a worse sentence than the one before. */
const leastMs = 1000;

export type Answer = Exclude<Sent, { kind: "later" }>;

/**
 * @param who for "there was no time left to reach WHO".
 * @param ask one request of at most so many milliseconds; throws Temporary.
 */
export async function persist(
  who: string,
  attempt: Pick<Attempt, "clock" | "signal" | "deadlineMs">,
  ask: (leftMs: number) => Promise<Answer>,
): Promise<Sent> {
  const left = () => attempt.deadlineMs - attempt.clock.monotonicMs();
  let pauseMs = 0;
  let tried = false;
  let before = new Temporary(`there was no time left to reach ${who}`);
  try {
    return await pRetry(
      async () => {
        if (pauseMs > 0) await attempt.clock.sleep(pauseMs, attempt.signal);
        if (left() <= 0 || (tried && left() < leastMs)) throw before;
        tried = true;
        return await ask(left());
      },
      {
        retries: 4,
        minTimeout: 500,
        factor: 3,
        maxRetryTime: Math.max(0, left()),
        signal: attempt.signal,
        shouldRetry: ({ error }) => error instanceof Temporary && error.waitMs + leastMs < left(),
        // To wait as the other side asks is no failed attempt.
        shouldConsumeRetry: ({ error }) => !(error instanceof Temporary && error.waitMs > 0),
        onFailedAttempt: ({ error }) => {
          if (!(error instanceof Temporary)) return;
          pauseMs = error.waitMs;
          before = error;
        },
      },
    );
  } catch (error) {
    if (attempt.signal.aborted) return { kind: "later", error: "Argus was told to stop", blockedMs: 0 };
    if (error instanceof Temporary) {
      const { message, waitMs, heard } = error;
      return { kind: "later", error: message, blockedMs: waitMs, ...(heard ? { heard } : {}) };
    }
    throw error;
  }
}
