/** What `argus run --once` prints: what was looked at, what was found, what was done or would be, what to type next. */
import type { ActionRecord } from "../types/action.ts";
import { severities } from "../types/problem.ts";
import type { RuleVerdict, TrailCycle, TrailFinding } from "../types/trail.ts";
import { modelLines } from "./consultation.ts";
import { type Group, heldText, type Told, tellFindings } from "./findings.ts";
import { blank, type Line, labelled, print, spansOf, type Text, toned, wrap } from "./layout.ts";
import { deeds, outcomeText, stateOf, tally } from "./outcome.ts";
import { blindReasons } from "./rules.ts";
import { severityTone, severityWord } from "./sentences.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { count, dayAndTime, duration, grouped, ordinal, secondsFrom, took } from "./values.ts";

const labelWidth = 10;

/** @param command how this Argus is called here: `argus`, or `npx argus` in a clone. */
export function cycleReport(cycle: TrailCycle, style: Style, command = "argus"): string {
  const lines: Line[] = [
    ...title(cycle, style),
    blank,
    ...wrap(headline(cycle), { style, marked: "none" }),
    blank,
    ...lookedAt(cycle, style),
    ...found(cycle, style),
    ...over(cycle, style),
    ...rules(cycle, style),
    ...modelLines(cycle, { style, labelWidth, whole: false }),
    ...notes(cycle, style),
    blank,
    ...next(cycle, style, command),
  ];
  return print(lines, style);
}

function title({ cycle }: TrailCycle, style: Style): Line[] {
  const dry: Text = cycle.dry_run ? [" · ", toned("info", "dry run, nothing was changed")] : "";
  return wrap([toned("strong", `Argus · ${cycle.host}`), ` · ${dayAndTime(cycle.ts)} UTC`, ...spansOf(dry)], {
    style,
    hang: 2,
  });
}

function headline(cycle: TrailCycle): Text {
  const { findings, collectors, rules } = cycle;
  const failed = collectors.filter(({ status }) => status === "failed").length;
  const unseen = failed === 0 ? "" : `, but ${count(failed, "collector")} failed`;
  if (findings.length === 0) {
    const blind = rules.verdicts.filter(({ verdict }) => verdict === "blind").length;
    const looked =
      blind === 0 ? count(rules.total, "rule") : `${rules.total - blind} of ${count(rules.total, "rule")}`;
    const rest = ` ${looked} looked, none fired.`;
    // Silence is not health: a rule that could not look says nothing about the machine.
    if (failed > 0) return [toned("warning", `Nothing found${unseen}.`), rest];
    return [toned("good", blind === 0 ? "All well." : "All well, as far as Argus can see."), rest];
  }
  const tone = severityTone(
    severities.find((severity) => findings.some((finding) => finding.severity === severity)) ?? "info",
  );
  const counts = severities.flatMap((severity) => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return number === 0 ? [] : [`${number} ${severity}`];
  });
  const found =
    counts.length === 1
      ? `${counts[0]} finding${findings.length === 1 ? "" : "s"}`
      : `${count(findings.length, "finding")}: ${counts.join(", ")}`;
  return [toned(tone, `${found}${unseen}.`), ` ${deeds(cycle)}`];
}

function lookedAt({ collectors, cycle }: TrailCycle, style: Style): Line[] {
  const rows = collectors.map(({ name, status, duration_ms, detail }): Text[] => {
    const said =
      status === "ok" ? detail : [toned(status === "failed" ? "bad" : "quiet", status), `: ${detail}`];
    return [name, said, toned("quiet", took(duration_ms))];
  });
  return [
    ...wrap([toned("strong", "Looked at"), toned("quiet", ` in ${took(cycle.duration_ms)}`)], { style }),
    ...table(rows, [{}, { wraps: true }, { align: "right" }], { style, indent: 2 }),
    blank,
  ];
}

function found(cycle: TrailCycle, style: Style): Line[] {
  const { groups, others } = tellFindings(cycle);
  if (groups.length === 0 && others.length === 0) return [];
  const told = groups.flatMap((group) => groupLines(group, cycle, style));
  const rest = others.length === 0 ? [] : [...otherLines(others, style), blank];
  return [...wrap(toned("strong", "Found"), { style }), ...told, ...rest];
}

function groupLines(group: Group, cycle: TrailCycle, style: Style): Line[] {
  return [...group.shown.flatMap((told) => findingLines(told, cycle, style)), ...countedLines(group, style)];
}

function findingLines({ finding, actions }: Told, cycle: TrailCycle, style: Style): Line[] {
  const { severity, summary } = finding;
  const indent = 2 + labelWidth;
  const arrow = (text: Text) => wrap(["→ ", ...spansOf(text)], { style, indent, hang: indent + 2 });
  return [
    ...labelled(toned(severityTone(severity), severityWord(severity)), toned("strong", summary), {
      style,
      indent: 2,
      labelWidth,
    }),
    ...wrap(toned("quiet", context(finding, cycle)), { style, indent }),
    ...actions.flatMap((action) => arrow(outcomeText(action))),
    ...(stateOf(finding) === "none" && severity !== "info"
      ? arrow([toned("warning", "no remedy"), `: ${finding.why}`])
      : []),
    blank,
  ];
}

/** The rule, how long the conditions held, and how long the problem has been open. */
function context(finding: TrailFinding, { cycle }: TrailCycle): string {
  const { rule, held, since, occurrences24h } = finding;
  const parts = [`rule ${rule}`];
  if (held !== null) parts.push(`held for ${heldText(held)}`);
  if (since !== undefined) {
    const seconds = secondsFrom(since, cycle.ts);
    parts.push(seconds === 0 ? "new" : `open for ${duration(seconds)}`);
  }
  if (occurrences24h !== undefined && occurrences24h > 1)
    parts.push(`${ordinal(occurrences24h)} time in 24 h`);
  return parts.join(" · ");
}

function countedLines({ rule, shown, counted }: Group, style: Style): Line[] {
  if (counted.length === 0) return [];
  const indent = 2 + labelWidth;
  const more =
    shown.length === 0 ? count(counted.length, "finding") : `${count(counted.length, "more finding")}`;
  const severity = counted[0]?.finding.severity ?? "info";
  const tallies = tally(counted.flatMap(({ actions }) => actions));
  return [
    ...labelled(
      toned(severityTone(severity), severityWord(severity)),
      [toned("strong", `and ${more}`), ` of rule ${rule}`],
      { style, indent: 2, labelWidth },
    ),
    ...tallies.flatMap((text) => wrap(["→ ", ...spansOf(text)], { style, indent, hang: indent + 2 })),
    blank,
  ];
}

function otherLines(actions: readonly ActionRecord[], style: Style): Line[] {
  const shown = actions.slice(0, 5);
  const rest = actions.length - shown.length;
  return [
    ...shown.flatMap((action) =>
      wrap(["→ ", ...spansOf(outcomeText(action))], { style, indent: 2, hang: 4 }),
    ),
    ...(rest === 0 ? [] : wrap(`and ${count(rest, "more action")}`, { style, indent: 2 })),
  ];
}

function rules({ rules: { total, verdicts }, collectors }: TrailCycle, style: Style): Line[] {
  const number = (of: (verdict: RuleVerdict) => boolean) => verdicts.filter(of).length;
  const fired = number(({ verdict }) => verdict === "fired");
  const waiting = verdicts.filter((verdict) => verdict.waiting > 0 && verdict.verdict !== "fired");
  const blind = number(({ verdict }) => verdict === "blind");
  const quiet = total - fired - blind - waiting.filter(({ verdict }) => verdict === "quiet").length;
  const parts = [
    [quiet, "quiet"],
    [fired, "fired"],
    [waiting.length, "waiting"],
    [blind, "blind"],
  ] as const;
  const summary = parts
    .filter(([amount, word]) => amount > 0 || word === "fired")
    .map(([amount, word]) => `${amount} ${word}`);
  const waits = waiting.map((verdict): [Text, string] => {
    const where = verdict.judged > 1 ? ` on ${verdict.waiting} of ${grouped(verdict.judged)}` : "";
    return [
      toned("info", "waiting"),
      `${verdict.rule}: its conditions hold${where}, but not yet for as long as it wants`,
    ];
  });
  const blinds = blindReasons(verdicts, collectors).map(({ names, why }): [Text, string] => [
    toned("warning", "blind"),
    `${names.join(", ")}: ${why}`,
  ]);
  const all = quiet === total ? "all quiet" : summary.join(", ");
  return [
    ...labelled(toned("strong", "Rules"), `${total}: ${all}`, { style, indent: 0, labelWidth }),
    ...[...waits, ...blinds].flatMap(([label, text]) =>
      labelled(label, text, { style, indent: 2, labelWidth: labelWidth - 1 }),
    ),
  ];
}

function over({ problems }: TrailCycle, style: Style): Line[] {
  const { resolved, closed = [] } = problems;
  const line = (label: Text, keys: readonly string[]): Line[] => {
    if (keys.length === 0) return [];
    const rest = keys.length > 5 ? ` and ${keys.length - 5} more` : "";
    const named = `${count(keys.length, "problem")}: ${keys.slice(0, 5).join(", ")}${rest}`;
    return labelled(label, named, { style, indent: 0, labelWidth });
  };
  return [
    ...line(
      toned("good", "Resolved"),
      resolved.filter((key) => !closed.includes(key)),
    ),
    ...line("Closed", closed),
  ];
}

function notes({ notes: all }: TrailCycle, style: Style): Line[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, 10);
  const rest = all.length - shown.length;
  return [
    blank,
    ...wrap(toned("strong", "Notes"), { style }),
    ...shown.flatMap((note) => wrap(`· ${note}`, { style, indent: 2, hang: 4 })),
    ...(rest === 0 ? [] : wrap(`and ${rest} more`, { style, indent: 2 })),
  ];
}

function next(
  { findings, actions, cycle, collectors, rules: { verdicts } }: TrailCycle,
  style: Style,
  command: string,
): Line[] {
  const would = actions.some(({ refusal }) => refusal === "dry_run");
  const unseen =
    collectors.some(({ status }) => status === "failed") ||
    verdicts.some(({ verdict }) => verdict === "blind");
  const commands: [string, string][] = [];
  if (findings.length > 0)
    commands.push([`${command} explain`, "why, with the value that each condition saw"]);
  if (cycle.dry_run && would) commands.push([`${command} run --once`, "the same, and does it"]);
  if (actions.some(({ refusal, values }) => refusal === "watch_only" && values["cleanDryRun"] !== true))
    commands.push([`${command} mode act`, "lets Argus do what it would have done"]);
  if (unseen) commands.push([`${command} doctor`, "what Argus cannot see or do here, and the fix"]);
  if (findings.length === 0) commands.push([`${command} run`, "watches from now on, every few minutes"]);
  const rows = commands.map(([what, why]): Text[] => [toned("info", what), why]);
  return [
    ...wrap(toned("strong", "Next"), { style }),
    ...table(rows, [{}, { wraps: true }], { style, indent: 2 }),
  ];
}
