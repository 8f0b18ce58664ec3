/**
 * Whether a process is still the orphan, or still as abandoned, as it was when it was to be killed. This side looks for
 * itself: of what the proposal says, only which agent was seen above the process is believed, and that it has ended is
 * checked.
 */
import { type Asked, type Ground, type Judged, judgeAll, judgeNow } from "../../system/abandoned.ts";
import { oneLine } from "../../system/printable.ts";
import type { Expectation } from "../../types/action.ts";
import type { Answer, Context } from "../action.ts";
import { reasonOf } from "../reason.ts";

/** What the proposal stands on; null: it would be killed with an owner too. */
export type LostBecause = "orphan" | "abandoned" | null;

export const lostBecause = ({ orphan, abandoned }: Expectation): LostBecause =>
  abandoned === true ? "abandoned" : orphan === true ? "orphan" : null;

/** Throws nothing: what cannot be asked is a no. */
export async function askWhetherLost(
  asked: Asked,
  because: Exclude<LostBecause, null>,
  { system, signal }: Context,
): Promise<{ readonly answer: Answer; readonly ground: Ground | null; readonly isOther: boolean }> {
  try {
    const { judged, ground } = await judgeAll(system, [asked], signal, { orphans: true });
    return { answer: answerOf(asked.pid, because, judged[0]), ground, isOther: judged[0]?.isOther === true };
  } catch (error) {
    const detail = `whether process ${asked.pid} is still ${nameOf(because)} cannot be told: ${reasonOf(error)}`;
    return { answer: { pass: false, reason: "not_needed", detail }, ground: null, isOther: false };
  }
}

/** Without a pause, so that a signal can follow at once. What systemd says of the unit is of the last question. */
export function lookWhetherLost(
  asked: Asked,
  because: Exclude<LostBecause, null>,
  ground: Ground,
  { system }: Context,
): Answer {
  return answerOf(asked.pid, because, judgeNow(system.files, asked, ground));
}

function answerOf(pid: number, because: Exclude<LostBecause, null>, judged: Judged | undefined): Answer {
  const holds = because === "orphan" ? judged?.orphan : judged?.abandoned;
  if (holds === true) {
    const why = because === "abandoned" ? `: ${judged?.because}` : "";
    return { pass: true, detail: oneLine(`process ${pid} is still ${nameOf(because)}${why}`, 500) };
  }
  const why = because === "abandoned" ? (judged?.because ?? "nobody looked") : "it has an owner";
  const detail = oneLine(`process ${pid} is not ${nameOf(because)} any more: ${why}`, 500);
  return { pass: false, reason: "not_needed", detail };
}

const nameOf = (because: Exclude<LostBecause, null>): string =>
  because === "orphan" ? "an orphan" : "abandoned";
