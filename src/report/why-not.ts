/** `argus explain --why-not RULE`: which condition failed and by how much, what was not seen, or what held it back. */
import { ticksPerSecond } from "../system/proc.ts";
import type { ActionRecord } from "../types/action.ts";
import type { CollectorReport } from "../types/snapshot.ts";
import type { Evidence } from "../types/trail.ts";
import { conditionLines, failedCondition, remoteness } from "./conditions.ts";
import { blank, type Line, print, spansOf, type Text, toned, wrap } from "./layout.ts";
import { outcomeText } from "./outcome.ts";
import { collectorOfFact } from "./sentences.ts";
import type { Style, Tone } from "./style.ts";
import { table } from "./table.ts";
import { count, dayAndTime, duration, grouped } from "./values.ts";

export interface WhyNotLook {
  /** What it is about: a unit, `4711@8812`, a mount point; `host`. */
  readonly identity: string;
  /** null: could not be judged. */
  readonly holds: boolean | null;
  readonly evidence: readonly Evidence[];
  /** Field -> what was seen instead, in words. */
  readonly reasons?: Readonly<Record<string, string>>;
  /** One sentence, when it could not be judged for a fault in Argus. */
  readonly fault?: string;
  /** null: the rule does not ask for a streak. */
  readonly held: {
    readonly cycles: number;
    readonly seconds: number;
    readonly wanted: string;
    readonly enough: boolean;
  } | null;
}

export interface WhyNot {
  readonly rule: string;
  readonly description: string;
  readonly file: string;
  readonly line: number;
  /** Entity kind the rule ranges over; null: the host. */
  readonly forEach: string | null;
  /** Switched off by a local rule of the same name. */
  readonly disabled: boolean;
  /** When the snapshot was taken, ISO 8601. */
  readonly takenAt: string;
  readonly looks: readonly WhyNotLook[];
  /** Facts that were not observed at all. */
  readonly missing: readonly string[];
  readonly collectors: readonly CollectorReport[];
  /** What became of the rule's actions in the newest cycle in which it fired. */
  readonly actions: readonly ActionRecord[];
}

const mostLooks = 5;

type Verdict = "disabled" | "blind" | "nothing to judge" | "fired" | "waiting" | "partly blind" | "quiet";

export function explainWhyNot(why: WhyNot, style: Style): string {
  const verdict = verdictOf(why);
  const lines: Line[] = [
    ...wrap(
      [toned("strong", why.rule), toned("quiet", `  ${why.file.split("/").slice(-2).join("/")}:${why.line}`)],
      { style, hang: 2 },
    ),
    ...wrap(why.description, { style, indent: 2, marked: "none" }),
    blank,
    ...wrap(answer(why, verdict), { style }),
    ...(verdict === "disabled" || verdict === "blind" ? [] : looks(why, verdict, style)),
  ];
  return print(lines, style);
}

function verdictOf({ disabled, missing, looks, forEach }: WhyNot): Verdict {
  if (disabled) return "disabled";
  if (missing.length > 0 && looks.every(({ holds }) => holds === null)) return "blind";
  if (looks.length === 0) return forEach === null ? "blind" : "nothing to judge";
  if (looks.some(({ holds, held }) => holds === true && (held === null || held.enough))) return "fired";
  if (looks.some(({ holds }) => holds === true)) return "waiting";
  return looks.some(({ holds }) => holds === null) ? "partly blind" : "quiet";
}

function answer(why: WhyNot, verdict: Verdict): Text {
  const { looks: all, forEach, takenAt, missing } = why;
  const when = ` at ${dayAndTime(takenAt)} UTC`;
  const number = (holds: boolean | null) => all.filter((look) => look.holds === holds).length;
  const things =
    forEach === null
      ? "the host"
      : count(all.length, forEach, forEach === "process" ? "processes" : `${forEach}s`);
  const say = (tone: Tone, word: string, text: string): Text => [toned(tone, word), text];
  switch (verdict) {
    case "disabled":
      return say("warning", "Switched off", ' by a local rule of the same name with "enabled": false.');
    case "blind":
      return say(
        "warning",
        "No data",
        `${when}: ${blindBecause(missing, why.collectors)}. The rule could not be judged.`,
      );
    case "nothing to judge":
      return say("good", "Nothing to judge", `${when}: no ${forEach} was there.`);
    case "fired": {
      const fired = all.filter(({ holds, held }) => holds === true && (held === null || held.enough)).length;
      return say(
        "info",
        "It does fire",
        `${when}${forEach === null ? "" : `: on ${fired} of ${things}`}. If nothing was done, the lines below say what held it back.`,
      );
    }
    case "waiting":
      return say(
        "info",
        "Waiting",
        `${when}: its conditions hold${forEach === null ? "" : ` on ${number(true)} of ${things}`}, but not yet for as long as it wants.`,
      );
    case "partly blind":
      return say(
        "warning",
        "Quiet, and partly without data",
        `${when}: ${number(null)} of ${things} could not be judged.`,
      );
    case "quiet":
      return say(
        "good",
        "Quiet",
        `${when}: ${forEach === null ? "its conditions do not hold" : `its conditions ${all.length === 1 ? `do not hold on the only ${forEach}` : `hold on none of ${things}`}`}.`,
      );
  }
}

function blindBecause(missing: readonly string[], collectors: readonly CollectorReport[]): string {
  const names = new Set(missing.map((path) => collectorOfFact(path.split(".", 1)[0] ?? "")));
  const reasons = collectors
    .filter(({ name, status }) => status !== "ok" && names.has(name))
    .map(({ name, detail }) => `the ${name} collector says "${detail}"`);
  const what =
    missing.length === 0
      ? "what it needs was not observed"
      : `${missing.join(", ")} ${missing.length === 1 ? "was" : "were"} not observed`;
  return [what, ...reasons].join("; ");
}

function looks({ looks: all, forEach, actions }: WhyNot, verdict: Verdict, style: Style): Line[] {
  const nearest = [...all].sort(
    (a, b) => rank(a) - rank(b) || remoteness(a.evidence) - remoteness(b.evidence),
  );
  const shown = nearest.slice(0, mostLooks);
  const rest = all.length - shown.length;
  return [
    ...shown.flatMap((look) => [blank, ...lookLines(look, forEach, style)]),
    ...(rest > 0
      ? [blank, ...wrap(`and ${grouped(rest)} more that are further away`, { style, indent: 2 })]
      : []),
    ...(verdict === "fired" ? gates(actions, style) : []),
  ];
}

/** Those that hold first, then those that nobody could judge, then by distance. */
const rank = ({ holds }: WhyNotLook): number => (holds === true ? 0 : holds === null ? 1 : 2);

/** A process is known by its pid and its start, since pids come again; `17980@620994` says that to nobody. */
const forPeople = (forEach: string, identity: string): string =>
  forEach === "process"
    ? identity.replace(
        /^(\d+)@(\d+)$/,
        (_, pid, ticks) => `${pid} (started ${duration(Number(ticks) / ticksPerSecond)} after boot)`,
      )
    : identity;

function lookLines(look: WhyNotLook, forEach: string | null, style: Style): Line[] {
  const { identity, holds, evidence, held, reasons = {} } = look;
  const title = wrap(
    toned("strong", forEach === null ? "host" : `${forEach} ${forPeople(forEach, identity)}`),
    {
      style,
      indent: 2,
      hang: 4,
    },
  );
  if (holds === true) {
    const enough = held === null || held.enough;
    const long =
      held === null
        ? ""
        : `: held for ${count(held.cycles, "cycle")} (${duration(held.seconds)}), the rule wants ${held.wanted}`;
    return [
      ...title,
      ...wrap(
        [
          toned("info", enough ? "all conditions hold" : "all conditions hold, but not yet for long enough"),
          long,
        ],
        { style, indent: 4 },
      ),
      ...conditionLines(evidence, style, 4),
    ];
  }
  if (look.fault !== undefined) return [...title, ...wrap(look.fault, { style, indent: 4, marked: "all" })];
  const failed = evidence.filter(({ result }) => result !== true);
  const rest = evidence.length - failed.length;
  return [
    ...title,
    ...failed.flatMap((one) => wrap(failedCondition(one, reasons[one.path]), { style, indent: 4, hang: 6 })),
    ...(rest > 0
      ? wrap(toned("quiet", `${count(rest, "other condition")} ${rest === 1 ? "holds" : "hold"}`), {
          style,
          indent: 4,
        })
      : []),
  ];
}

function gates(actions: readonly ActionRecord[], style: Style): Line[] {
  if (actions.length === 0) return [];
  return [
    blank,
    ...wrap(toned("strong", "When it last fired"), { style }),
    ...actions.slice(0, mostLooks).flatMap((action) => {
      const refused = action.steps.filter(({ pass }) => !pass);
      const brief = refused.some(({ detail }) => detail === action.detail);
      const rows = refused.map(({ step, detail }): Text[] => [toned("warning", "refused"), step, detail]);
      return [
        ...wrap(["→ ", ...spansOf(outcomeText(action, { brief }))], { style, indent: 2, hang: 4 }),
        ...table(rows, [{}, {}, { wraps: true }], { style, indent: 4 }),
      ];
    }),
  ];
}
