/** `argus status`: health at a glance. */
import { type Problem, severities } from "../types/problem.ts";
import type { TrailCycle } from "../types/trail.ts";
import {
  beside,
  blank,
  type Line,
  labelled,
  print,
  spansOf,
  type Text,
  table,
  toned,
  wrap,
} from "./layout.ts";
import { blindReasons } from "./rules.ts";
import { lifeTone, severityTone, severityWord, triggerSentence } from "./sentences.ts";
import type { Style } from "./style.ts";
import { count, dayAndTime, duration, secondsFrom, took } from "./values.ts";

export interface StatusData {
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly now: string;
  readonly stateDir: string;
  readonly intervalSeconds: number;
  /** null: no daemon and no `run --once` at the moment. */
  readonly running: { readonly pid: number; readonly what: string; readonly since: string } | null;
  /** null: none yet. */
  readonly lastCycle: TrailCycle | null;
  readonly cycles: {
    readonly failuresInARow: number;
    readonly lastError: string | null;
    /** It says that a cycle runs, and its process is gone. */
    readonly interrupted: boolean;
  } | null;
  /** Open and healing ones. */
  readonly problems: readonly Problem[];
  /** null: none in force. */
  readonly pause: { readonly until: string | null; readonly reason: string; readonly since: string } | null;
  readonly budgets: readonly {
    readonly name: string;
    readonly used: number;
    readonly limit: number;
    readonly nextInSeconds: number | null;
  }[];
  readonly backoffs: readonly {
    readonly unit: string;
    readonly state: "ready" | "backoff" | "cooldown";
    readonly attempts: number;
    readonly nextInSeconds: number;
    readonly healthySince: string | null;
  }[];
  readonly outbox: {
    readonly waiting: number;
    readonly oldest: string | null;
    readonly error: { readonly text: string } | null;
    readonly channel: boolean;
  };
  /** Configured units that are not installed here. */
  readonly absentUnits: readonly string[];
  /** Sentences to add: lines passed over, a secrets file this user may not read. */
  readonly notes: readonly string[];
}

const labelWidth = 12;
const mostProblems = 12;

export function statusReport(data: StatusData, style: Style): string {
  const field = (label: string, lines: Line[]): Line[] =>
    lines.length === 0 ? [] : beside(toned("strong", label), lines, { style, indent: 0, labelWidth });
  const text = (label: string, value: Text | null): Line[] =>
    value === null ? [] : labelled(toned("strong", label), value, { style, indent: 0, labelWidth });
  const lines: Line[] = [
    ...wrap([toned("strong", `Argus · ${data.host}`), ` · ${dayAndTime(data.now)} UTC`], { style, hang: 2 }),
    blank,
    ...wrap(headline(data), { style }),
    ...problems(data, style),
    blank,
    ...text("Daemon", daemon(data)),
    ...text("Last cycle", lastCycle(data)),
    ...text("Paused", paused(data)),
    ...field("Restarts", backoffs(data, style)),
    ...field("Budgets", budgets(data, style)),
    ...text("Outbox", outbox(data)),
    ...field("Collectors", collectors(data, style)),
    ...field("Rules", rules(data, style)),
    ...text(
      "Not here",
      data.absentUnits.length === 0
        ? null
        : `${data.absentUnits.join(", ")}: in argus.json, but not installed on this host`,
    ),
    ...data.notes.flatMap((note, index) => text(index === 0 ? "Notes" : "", note)),
  ];
  return print(lines, style);
}

function headline({
  problems: open,
  pause,
  cycles,
  lastCycle: last,
  running,
  now,
  intervalSeconds,
}: StatusData): Text {
  if (last === null)
    return [
      toned("warning", "Nothing is known yet."),
      " No cycle has run on this state folder; argus run --once makes one.",
    ];
  const parts: Text[] = [];
  const worst = severities.find((severity) => open.some((problem) => problem.severity === severity));
  const healing = open.filter(({ life }) => life === "healing").length;
  if (worst !== undefined) {
    const counts = severities.flatMap((severity) => {
      const number = open.filter((problem) => problem.severity === severity).length;
      return number === 0 ? [] : [`${number} ${severity}`];
    });
    parts.push([
      toned(severityTone(worst), `${count(open.length, "open problem")}: ${counts.join(", ")}.`),
      healing === 0 ? "" : ` ${healing} healing.`,
    ]);
  }
  if (cycles !== null && cycles.failuresInARow > 0)
    parts.push(toned("bad", `The last ${count(cycles.failuresInARow, "cycle")} failed.`));
  const age = secondsFrom(last.cycle.ts, now);
  // Two intervals without a look: whatever the registry says is old.
  if (age > 2 * intervalSeconds + 60) parts.push(toned("warning", `Nobody has looked for ${duration(age)}.`));
  if (pause !== null) parts.push(toned("warning", "Argus is paused."));
  if (parts.length === 0) {
    const looked = `The last look was ${duration(age)} ago`;
    return [
      toned("good", "All well."),
      running === null ? ` ${looked}, and nobody looks again until argus runs.` : ` ${looked}.`,
    ];
  }
  return parts.flatMap((part, index) => (index === 0 ? spansOf(part) : [{ text: " " }, ...spansOf(part)]));
}

function problems({ problems: open, now }: StatusData, style: Style): Line[] {
  if (open.length === 0) return [];
  const rank = (problem: Problem) => severities.indexOf(problem.severity);
  const sorted = [...open].sort((a, b) => rank(a) - rank(b) || (a.openedAt < b.openedAt ? -1 : 1));
  const rows = sorted
    .slice(0, mostProblems)
    .map((problem): Text[] => [
      toned(severityTone(problem.severity), severityWord(problem.severity)),
      toned(lifeTone(problem.life), problem.life),
      problem.description,
      duration(secondsFrom(problem.openedAt, now)),
      toned("quiet", problem.key),
    ]);
  const rest = sorted.length - rows.length;
  return [
    blank,
    ...table(rows, [{}, {}, { wraps: true }, { align: "right" }, {}], { style, indent: 2 }),
    ...(rest > 0 ? wrap(`and ${rest} more: argus problems`, { style, indent: 2 }) : []),
  ];
}

function daemon({ running, now, intervalSeconds }: StatusData): Text {
  if (running === null)
    return [
      toned("warning", "not running"),
      "; argus run starts it, systemctl start argus where it is installed as a service",
    ];
  const { pid, what, since } = running;
  const every = what.includes("--once") ? "" : `, a look every ${duration(intervalSeconds)}`;
  return [
    toned("good", "running"),
    ` as pid ${pid} (${what}) since ${dayAndTime(since)} (${duration(secondsFrom(since, now))})${every}`,
  ];
}

function lastCycle({ lastCycle: last, cycles, now }: StatusData): Text | null {
  if (last === null) return null;
  const { id, ts, trigger, duration_ms, dry_run } = last.cycle;
  const parts: Text[] = [
    `${id}, ${duration(secondsFrom(ts, now))} ago, ${triggerSentence(trigger)}, took ${took(duration_ms)}${dry_run ? ", dry run" : ""}`,
  ];
  if (cycles?.interrupted) parts.push([", ", toned("bad", "and the one after it was cut off")]);
  if (cycles !== null && cycles.failuresInARow > 0)
    parts.push([
      ", ",
      toned("bad", `then ${cycles.failuresInARow} failed`),
      `: ${cycles.lastError ?? "nobody knows why"}`,
    ]);
  return parts.flatMap((part) => spansOf(part));
}

function paused({ pause }: StatusData): Text | null {
  if (pause === null) return null;
  const until = pause.until === null ? "until argus resume" : `until ${dayAndTime(pause.until)} UTC`;
  return [
    toned("warning", until),
    `, since ${dayAndTime(pause.since)}${pause.reason === "" ? "" : `: ${pause.reason}`}`,
  ];
}

function backoffs({ backoffs: all, now }: StatusData, style: Style): Line[] {
  const rows = all.map(({ unit, state, attempts, nextInSeconds, healthySince }): Text[] => {
    const attempt = `${count(attempts, "attempt")} of 3`;
    if (healthySince !== null)
      return [
        unit,
        toned("good", "healthy"),
        `for ${duration(secondsFrom(healthySince, now))} after ${attempt}; forgotten after an hour`,
      ];
    const next =
      nextInSeconds > 0 ? `the next one in ${duration(nextInSeconds)}` : "the next one may be made now";
    return [unit, toned(state === "cooldown" ? "bad" : "warning", state), `${attempt}, ${next}`];
  });
  return table(rows, [{}, {}, { wraps: true }], { style, indent: labelWidth });
}

function budgets({ budgets: all }: StatusData, style: Style): Line[] {
  if (all.length === 0) return [];
  const parts = all.flatMap(({ name, used, limit, nextInSeconds }, index): Text[] => {
    const full = nextInSeconds !== 0;
    const next = nextInSeconds === null || nextInSeconds === 0 ? "" : ` (next in ${duration(nextInSeconds)})`;
    return [
      index === 0 ? "" : ", ",
      toned(full && limit > 0 ? "warning" : undefined, `${used} of ${limit} ${name}`),
      next,
    ];
  });
  return wrap([...parts.flatMap((part) => spansOf(part)), " in the last hour"], {
    style,
    indent: labelWidth,
  });
}

function outbox({ outbox: { waiting, oldest, error, channel }, now }: StatusData): Text {
  const since = oldest === null ? "" : `, the oldest for ${duration(secondsFrom(oldest, now))}`;
  if (!channel)
    return [
      toned("warning", "no channel configured"),
      `${waiting === 0 ? "" : ` (${count(waiting, "message")} kept here${since})`}; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env`,
    ];
  if (waiting === 0) return "empty: everything was delivered";
  return [
    toned("warning", `${count(waiting, "message")} ${waiting === 1 ? "waits" : "wait"}`),
    since,
    error === null ? "" : `: ${error.text}`,
  ];
}

function collectors({ lastCycle: last }: StatusData, style: Style): Line[] {
  if (last === null) return [];
  const ok = last.collectors.filter(({ status }) => status === "ok").length;
  const others = last.collectors.filter(({ status }) => status !== "ok");
  return [
    ...wrap(ok === last.collectors.length ? "all ok" : `${ok} of ${last.collectors.length} ok`, {
      style,
      indent: labelWidth,
    }),
    ...others.flatMap(({ name, status, detail }) =>
      wrap([toned(status === "failed" ? "bad" : "quiet", status), ` ${name}: ${detail}`], {
        style,
        indent: labelWidth,
        hang: labelWidth + 2,
      }),
    ),
  ];
}

function rules({ lastCycle: last }: StatusData, style: Style): Line[] {
  if (last === null) return [];
  const { total, verdicts } = last.rules;
  const number = (wanted: string) => verdicts.filter(({ verdict }) => verdict === wanted).length;
  const parts = [
    `${total - number("fired") - number("blind")} quiet`,
    `${number("fired")} fired`,
    ...(number("blind") === 0 ? [] : [`${number("blind")} blind`]),
  ];
  return [
    ...wrap(`${total}: ${parts.join(", ")}`, { style, indent: labelWidth }),
    ...blindReasons(verdicts, last.collectors).flatMap(({ names, why }) =>
      wrap([toned("warning", "blind"), ` ${names.join(", ")}: ${why}`], {
        style,
        indent: labelWidth,
        hang: labelWidth + 2,
      }),
    ),
  ];
}
