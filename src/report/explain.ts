/** `argus explain`: one cycle, told as a good engineer would. It renders the trail and computes nothing of its own. */
import { type ActionRecord, isWord } from "../types/action.ts";
import type { TrailCycle } from "../types/trail.ts";
import { conditionLines } from "./conditions.ts";
import { modelLines } from "./consultation.ts";
import { type Group, heldText, type Told, tellFindings } from "./findings.ts";
import { handOffLines } from "./hand-offs.ts";
import { beside, blank, type Line, labelled, print, spansOf, type Text, toned, wrap } from "./layout.ts";
import { actionName, deeds, outcomeOf, outcomeText, stateOf, stateTones, tally } from "./outcome.ts";
import { removedLines } from "./removed.ts";
import { blindReasons } from "./rules.ts";
import { severityTone, severityWord, triggerSentence } from "./sentences.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { oneLine } from "./text.ts";
import { count, dayAndTime, duration, ordinal, secondsFrom, took } from "./values.ts";

const labelWidth = 10;
const indent = 2;
const start = indent + labelWidth;

export function explainCycle(cycle: TrailCycle, style: Style): string {
  const { groups, others } = tellFindings(cycle);
  const lines: Line[] = [
    ...head(cycle, style),
    blank,
    ...groups.flatMap((group) => groupLines(group, cycle, style)),
    ...(others.length === 0 ? [] : otherActions(others, style)),
    ...(cycle.cycle.trigger === "command"
      ? []
      : [...rules(cycle, style), ...modelLines(cycle, { style, labelWidth, whole: true })]),
    ...handOffLines(cycle, { style, labelWidth }),
    ...notes(cycle, style),
  ];
  return print(lines, style);
}

function head(cycle: TrailCycle, style: Style): Line[] {
  const { id, host, ts, duration_ms, dry_run } = cycle.cycle;
  const dry: Text = dry_run ? [" A ", toned("info", "dry run"), ": nothing was changed."] : "";
  const found =
    cycle.cycle.trigger === "command"
      ? "A person asked for it on the command line; nothing was looked for."
      : cycle.findings.length === 0
        ? "Nothing was found."
        : `${count(cycle.findings.length, "finding")}. ${deeds(cycle)}`;
  return [
    ...wrap([toned("strong", `Cycle ${id}`), ` on ${host}`], { style, hang: indent }),
    ...wrap(
      [
        `${dayAndTime(ts)} UTC, started ${triggerSentence(cycle.cycle)}, took ${took(duration_ms)}.`,
        ...spansOf(dry),
      ],
      { style },
    ),
    ...wrap(found, { style, marked: "none" }),
  ];
}

function groupLines(group: Group, cycle: TrailCycle, style: Style): Line[] {
  const told = group.shown.flatMap((each) => [...explainFinding(each, cycle, style), blank]);
  return [...told, ...countedLines(group, style)];
}

/** Everything about one finding: what it saw, what was done about it, and what came of that. */
export function explainFinding({ finding, actions }: Told, cycle: TrailCycle, style: Style): Line[] {
  const { severity, summary, rule, file, line, description, held, evidence, why, advice } = finding;
  const field = (label: string, text: Text) =>
    labelled(toned("quiet", label), text, { style, indent, labelWidth });
  const conditions =
    evidence.length === 0
      ? wrap("no condition was recorded", { style, indent: start })
      : conditionLines(evidence, style, start);
  return [
    ...wrap([toned(severityTone(severity), severityWord(severity)), "  ", toned("strong", summary)], {
      style,
      hang: indent,
    }),
    ...field("Rule", [`${rule}`, toned("quiet", `  ${shortPath(file)}:${line}`)]),
    ...wrap(description, { style, indent: start, marked: "none" }),
    ...beside(toned("quiet", "Saw"), conditions, { style, indent, labelWidth }),
    ...labelled(
      toned("quiet", "Held"),
      held === null
        ? "at one look, which is all that the rule asks for"
        : `for ${heldText(held)}; the rule wants ${held.wanted}`,
      { style, indent, labelWidth, marked: "none" },
    ),
    ...field("Problem", problemText(finding, cycle)),
    ...actions.flatMap((action) => actionLines(action, style)),
    ...field("Remedy", [toned(stateTones[stateOf(finding)], stateOf(finding)), `: ${why}`]),
    ...(advice === undefined ? [] : field("Advice", advice)),
  ];
}

function problemText({ key, since, occurrences24h, ticket }: Told["finding"], { cycle }: TrailCycle): string {
  const parts = [key];
  if (since !== undefined) {
    const seconds = secondsFrom(since, cycle.ts);
    parts.push(
      seconds === 0 ? "opened in this cycle" : `open since ${dayAndTime(since)} (${duration(seconds)})`,
    );
  }
  if (occurrences24h !== undefined && occurrences24h > 1)
    parts.push(`${ordinal(occurrences24h)} time in 24 h`);
  if (ticket !== undefined) parts.push(`ticket ${ticket}`);
  return parts.join(", ");
}

/** The folder is the same for all of them; which of two it is, shipped or local, shows in its name. */
const shortPath = (file: string): string => file.split("/").slice(-2).join("/");

function actionLines(action: ActionRecord, style: Style): Line[] {
  const { source, steps, message, duration_ms, values } = action;
  const { reason } = values;
  const asked = source.startsWith("rule:")
    ? ""
    : `, ${typeof reason === "string" ? reason : `asked for by ${source}`}`;
  const rows = steps.map(({ step, pass, detail }): Text[] => [
    toned(pass ? "good" : "warning", pass ? "passed" : "refused"),
    step,
    detail,
  ]);
  const saidByGate = action.refusal !== null && steps.at(-1)?.detail === action.detail;
  const time = duration_ms < 1000 ? "" : ` (${took(duration_ms)})`;
  return [
    ...labelled(toned("quiet", "Action"), [toned("strong", actionName(action)), asked], {
      style,
      indent,
      labelWidth,
    }),
    ...(message === null || action.detail.includes(oneLine(message))
      ? []
      : wrap(`"${oneLine(message)}"`, { style, indent: start })),
    ...table(rows, [{}, {}, { wraps: true }], { style, indent: start }),
    ...wrap(["→ ", ...spansOf(outcomeText(action, { brief: saidByGate })), toned("quiet", time)], {
      style,
      indent: start,
      hang: start + 2,
    }),
    ...removedLines(action, { style, indent: start, hang: start + 2 }),
    ...verification(action, style),
  ];
}

/** What was seen afterwards; nothing where nothing was done, or nothing can be seen. */
function verification({ type, result, refusal, verified }: ActionRecord, style: Style): Line[] {
  if (refusal !== null || isWord(type)) return [];
  const layout = { style, indent: start, hang: start + 2 };
  if (verified === true)
    return wrap(["→ ", toned("good", "verified"), ": a fresh look found the trouble gone"], layout);
  if (verified === false)
    return wrap(["→ ", toned("bad", "not verified"), ": a fresh look found the trouble still there"], layout);
  return result === "success"
    ? wrap(["→ ", toned("info", "not verified yet"), ": the next cycle looks again"], layout)
    : [];
}

function countedLines({ rule, shown, counted }: Group, style: Style): Line[] {
  if (counted.length === 0) return [];
  const mostNamed = 10;
  const more = shown.length === 0 ? "" : "more ";
  const rows = counted.slice(0, mostNamed).map(({ finding, actions }): Text[] => {
    const outcome = actions[0] === undefined ? undefined : outcomeOf(actions[0]);
    return [`· ${finding.summary}`, outcome === undefined ? "" : toned(outcome.tone, outcome.word)];
  });
  const severity = counted[0]?.finding.severity ?? "info";
  return [
    ...wrap(
      [
        toned(severityTone(severity), severityWord(severity)),
        "  ",
        toned("strong", count(counted.length, `${more}finding`)),
        ` of rule ${rule}`,
      ],
      { style },
    ),
    ...table(rows, [{ wraps: true }, {}], { style, indent }),
    ...(counted.length > mostNamed
      ? wrap(`and ${counted.length - mostNamed} like them; explain --json has them all`, { style, indent })
      : []),
    ...tally(counted.flatMap(({ actions }) => actions)).flatMap((text) =>
      wrap(["→ ", ...spansOf(text)], { style, indent, hang: indent + 2 }),
    ),
    blank,
  ];
}

function otherActions(actions: readonly ActionRecord[], style: Style): Line[] {
  const mostShown = 5;
  const rest = actions.length - mostShown;
  return [
    ...wrap(toned("strong", "Besides"), { style }),
    ...actions.slice(0, mostShown).flatMap((action) => actionLines(action, style)),
    ...(rest > 0 ? wrap(`and ${count(rest, "more action")}`, { style, indent }) : []),
    blank,
  ];
}

/** What did not fire although it might have, and what nobody could see. */
function rules({ collectors, rules: { total, verdicts } }: TrailCycle, style: Style): Line[] {
  const number = (wanted: string) => verdicts.filter(({ verdict }) => verdict === wanted).length;
  const could =
    number("blind") === 0 ? count(total, "rule") : `${total - number("blind")} of ${count(total, "rule")}`;
  const line = (label: Text, text: Text) =>
    labelled(label, text, { style, indent: labelWidth, labelWidth: 9 });
  const waiting = verdicts.filter((verdict) => verdict.waiting > 0);
  const blind = blindReasons(verdicts, collectors);
  const unseen = collectors.filter(
    ({ name, status }) => status !== "ok" && !blind.some(({ why }) => why.includes(`no ${name}, because`)),
  );
  return [
    ...labelled(toned("strong", "Rules"), `${could} looked, ${number("fired")} fired`, {
      style,
      indent: 0,
      labelWidth,
    }),
    ...waiting.flatMap(({ rule, waiting: entities, judged }) =>
      line(
        toned("info", "waiting"),
        `${rule}: holds${judged > 1 ? ` on ${entities} of ${judged}` : ""}, not yet for as long as it wants`,
      ),
    ),
    ...blind.flatMap(({ names, why }) => line(toned("warning", "blind"), `${names.join(", ")}: ${why}`)),
    ...unseen.flatMap(({ name, status, detail }) =>
      line(toned(status === "failed" ? "bad" : "quiet", status), `${name}: ${detail}`),
    ),
  ];
}

function notes({ notes: all }: TrailCycle, style: Style): Line[] {
  const mostShown = 10;
  const shown =
    all.length > mostShown ? [...all.slice(0, mostShown), `and ${all.length - mostShown} more`] : all;
  return shown.flatMap((note, index) =>
    labelled(index === 0 ? toned("strong", "Notes") : "", `· ${note}`, { style, indent: 0, labelWidth }),
  );
}
