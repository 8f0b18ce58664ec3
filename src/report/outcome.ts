/** What became of an action, in one word and one sentence: report and explanation say the same of it. */
import { type ActionRecord, isWord } from "../types/action.ts";
import type { RemediationState } from "../types/problem.ts";
import type { TrailCycle, TrailFinding } from "../types/trail.ts";
import { type Text, toned } from "./layout.ts";
import { refusalSentence } from "./sentences.ts";
import type { Tone } from "./style.ts";
import { oneLine } from "./text.ts";
import { count } from "./values.ts";

export interface Outcome {
  readonly word: "done" | "would" | "failed" | "no effect" | "refused" | "held back" | "not needed";
  readonly tone: Tone;
}

export function outcomeOf({ result, refusal, verified }: ActionRecord): Outcome {
  if (refusal === "dry_run" || refusal === "watch_only") return { word: "would", tone: "info" };
  if (refusal === "not_needed" || refusal === "target_gone") return { word: "not needed", tone: "good" };
  switch (result) {
    case "success":
      return verified === false ? { word: "no effect", tone: "bad" } : { word: "done", tone: "good" };
    case "failure":
      return { word: "failed", tone: "bad" };
    case "skipped":
      return { word: "refused", tone: "warning" };
    case "suppressed":
      return { word: "held back", tone: "quiet" };
  }
}

/** `restart_service openclaw-gateway` */
export function actionName({ type, target }: ActionRecord): string {
  const name = type === "" ? "an action without a type" : type;
  return target === null ? name : `${name} ${target}`;
}

/**
 * `done restart_service openclaw-gateway: systemctl restart ...; active`
 * @param brief without its sentence, where that stands already.
 */
export function outcomeText(action: ActionRecord, { brief = false } = {}): Text {
  const { word, tone } = outcomeOf(action);
  const detail = oneLine(action.detail) || (action.refusal === null ? "" : refusalSentence(action.refusal));
  if (word === "would") {
    // The forecast says it itself: `would run systemctl restart openclaw-gateway`.
    const forecast = detail.startsWith("would ")
      ? detail.slice("would ".length)
      : `${actionName(action)}: ${detail}`;
    // A dry run is one as a whole; that Argus only watches, each of its records must say.
    return [toned(tone, "would"), ` ${forecast}`, action.refusal === "watch_only" ? " (watch_only)" : ""];
  }
  const reason = action.refusal === null ? "" : ` (${action.refusal})`;
  return [toned(tone, word), ` ${actionName(action)}${reason}`, brief || detail === "" ? "" : `: ${detail}`];
}

/** What became of the finding's remedy. Earlier versions wrote only whether its rule took care of it. */
export const stateOf = ({ remediation, resolved }: TrailFinding): RemediationState =>
  remediation ?? (resolved ? "applied" : "none");

export const stateTones: Readonly<Record<RemediationState, Tone>> = {
  applied: "good",
  pending: "warning",
  withheld: "warning",
  failed: "bad",
  none: "quiet",
};

/** What became of it all, in one sentence. */
export function deeds({ actions, findings }: TrailCycle): string {
  const remedies = actions.filter(({ type }) => !isWord(type));
  const number = (...words: Outcome["word"][]) =>
    remedies.filter((action) => words.includes(outcomeOf(action).word)).length;
  const parts = [
    [number("done"), "applied"],
    [number("would"), "would be applied"],
    [number("failed", "no effect"), "failed"],
    [number("refused", "held back"), "refused for now"],
    [number("not needed"), "not needed any more"],
  ] as const;
  const said = parts.filter(([amount]) => amount > 0);
  const without = findings.filter((each) => each.severity !== "info" && stateOf(each) === "none").length;
  if (said[0] === undefined && without > 0)
    return without === findings.length
      ? "No rule has a remedy."
      : `No rule has a remedy for ${without} of them.`;
  const first =
    said[0] === undefined
      ? "No remedy was called for"
      : `${count(said[0][0], "remedy", "remedies")} ${said[0][1]}`;
  const open = without === 0 ? [] : [`${count(without, "finding")} without a remedy`];
  return `${[first, ...said.slice(1).map(([amount, what]) => `${amount} ${what}`), ...open].join(", ")}.`;
}

/** `refused kill_pid (budget_exhausted): 180 times` for many actions of one kind. */
export function tally(actions: readonly ActionRecord[]): Text[] {
  const counts = new Map<string, { number: number; action: ActionRecord }>();
  for (const action of actions) {
    const name = [action.type, outcomeOf(action).word, action.refusal ?? ""].join(" ");
    const known = counts.get(name);
    counts.set(name, { number: (known?.number ?? 0) + 1, action });
  }
  return [...counts.values()].map(({ number, action }): Text => {
    const { word, tone } = outcomeOf(action);
    const reason = action.refusal === null || action.refusal === "dry_run" ? "" : ` (${action.refusal})`;
    return [toned(tone, word), ` ${action.type}${reason}: ${count(number, "time")}`];
  });
}
