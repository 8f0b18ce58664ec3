/** The lines of `argus status`, one function each. */
import { deedOf } from "./approvals.ts";
import { type Line, spansOf, type Text, toned, wrap } from "./layout.ts";
import { blindReasons } from "./rules.ts";
import { triggerSentence } from "./sentences.ts";
import { silenceRows } from "./silences.ts";
import type { StatusData } from "./status-data.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { count, dayAndTime, duration, secondsFrom, took } from "./values.ts";

/** Where the values stand; their labels are to the left of it. */
export const labelWidth = 12;

export function daemon({ running, now, intervalSeconds }: StatusData): Text {
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

export function lastCycle({ lastCycle: last, cycles, now }: StatusData): Text | null {
  if (last === null) return null;
  const { id, ts, duration_ms, dry_run } = last.cycle;
  const parts: Text[] = [
    `${id}, ${duration(secondsFrom(ts, now))} ago, ${triggerSentence(last.cycle)}, took ${took(duration_ms)}${dry_run ? ", dry run" : ""}`,
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

export function paused({ pause }: StatusData): Text | null {
  if (pause === null) return null;
  const until = pause.until === null ? "until argus resume" : `until ${dayAndTime(pause.until)} UTC`;
  return [
    toned("warning", until),
    `, since ${dayAndTime(pause.since)}${pause.by === undefined ? "" : ` by ${pause.by}`}${pause.reason === "" ? "" : `: ${pause.reason}`}`,
  ];
}

export function approvals({ approvals: all }: StatusData, style: Style): Line[] {
  const pending = all.filter(({ state }) => state === "pending");
  return pending.flatMap(({ id, proposal, expiresInSeconds }) =>
    wrap(
      [
        toned("warning", deedOf(proposal)),
        ` waits for it: argus approve ${id}, within ${duration(expiresInSeconds)}`,
      ],
      { style, indent: labelWidth, hang: labelWidth + 2 },
    ),
  );
}

export const maintenance = ({ maintenance: open }: StatusData): Text | null =>
  open.length === 0 ? null : [toned("warning", "open"), `: ${open.join(", ")}`];

export const silences = ({ silences: all }: StatusData, style: Style): Line[] =>
  silenceRows(all, { style, indent: labelWidth });

/** Less has no room for columns of text. */
const narrow = 60;
const serviceTones: Readonly<Record<string, "good" | "bad" | "warning">> = {
  up: "good",
  waiting: "good",
  down: "bad",
  stuck: "bad",
  unreadable: "bad",
};

/** Those that are up in one line, each other one with its reason. */
export function services({ services: all = [] }: StatusData, style: Style): Line[] {
  const up = all.filter(({ status }) => status === "up").map(({ name }) => name);
  const others = all.filter(({ status }) => status !== "up");
  const rows = others.map(({ name, status, why, sinceSeconds }): [string, Text, string] => {
    const since = sinceSeconds === null || status === "stuck" ? "" : `for ${duration(sinceSeconds)}`;
    const words = [why, since].filter((part) => part !== "").join(", ");
    return [name, toned(serviceTones[status ?? ""] ?? "warning", status ?? "no data"), words];
  });
  // The names that matter most are the last thing to be cut.
  const listed =
    style.width < narrow
      ? rows.flatMap(([name, status, words]) =>
          wrap([`${name} `, ...spansOf(status), words === "" ? "" : `: ${words}`], {
            style,
            indent: labelWidth,
            hang: labelWidth + 2,
          }),
        )
      : table(rows, [{}, {}, { wraps: true }], { style, indent: labelWidth });
  return [
    ...(up.length === 0
      ? []
      : wrap([toned("good", "up"), `: ${up.join(", ")}`], {
          style,
          indent: labelWidth,
          hang: labelWidth + 2,
        })),
    ...listed,
  ];
}

export function handOffs({ handOffs: all, now }: StatusData): Text | null {
  if (all.length === 0) return null;
  const running = all.find(({ state }) => state === "running");
  const ended = `${count(all.length, "hand-off")} in the last 24 hours`;
  if (running === undefined) return ended;
  const since = duration(secondsFrom(running.startedAt, now));
  return [toned("warning", `${running.id} is at work`), ` on ${running.problem} for ${since}; ${ended}`];
}

export function backoffs({ backoffs: all, now }: StatusData, style: Style): Line[] {
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

export function budgets({ budgets: all }: StatusData, style: Style): Line[] {
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
    marked: "none",
    indent: labelWidth,
  });
}

export function model({ model: { model: name, hasKey, requests, costDollars, cooldown } }: StatusData): Text {
  if (!hasKey) return "never asked: ANTHROPIC_API_KEY is not set";
  const spent = `${name}: ${requests.used} of ${requests.limit} requests in the last 24 hours, $${costDollars.toFixed(4)}`;
  if (cooldown === null) return spent;
  return [
    spent,
    toned("warning", `; not asked for another ${duration(cooldown.seconds)}`),
    `: ${cooldown.why}`,
  ];
}

export function outbox({ outbox: { waiting, oldest, channels }, now }: StatusData): Text {
  const since = oldest === null ? "" : `, the oldest for ${duration(secondsFrom(oldest, now))}`;
  if (channels.length === 0)
    return [
      toned("warning", "no channel configured"),
      `${waiting === 0 ? "" : ` (${count(waiting, "message")} kept here${since})`}; set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in argus.env, or name channels in argus.json`,
    ];
  const isFine = ({ waiting: left, error, refused }: (typeof channels)[number]): boolean =>
    left === 0 && error === null && refused === null;
  const troubled = channels.filter((each) => !isFine(each));
  const fine = channels.filter((each) => !troubled.includes(each)).map(({ name }) => name);
  const names = fine.join(", ");
  if (waiting === 0 && troubled.length === 0) return `empty: everything was delivered (${names})`;
  const state =
    waiting === 0
      ? "empty"
      : toned("warning", `${count(waiting, "message")} ${waiting === 1 ? "waits" : "wait"}`);
  const parts = troubled.map(({ name, waiting: left, error, refused }): Text => {
    const before = `; ${name}${left === waiting || left === 0 ? "" : ` (${left})`}`;
    const why = [error?.text ?? [], refused === null ? [] : refusedSentence(refused)].flat();
    return why.length === 0 ? `${before}: not yet sent` : [toned("bad", before), `: ${why.join("; ")}`];
  });
  const works = fine.length === 0 ? "" : `; ${names} ${fine.length === 1 ? "has" : "have"} everything`;
  return [state, since, ...parts.flatMap((part) => spansOf(part)), works];
}

type Refused = NonNullable<StatusData["outbox"]["channels"][number]["refused"]>;

function refusedSentence({ count: number, since, path }: Refused): string {
  const what = `${count(number, "message")} refused for good since ${dayAndTime(since)} UTC`;
  const kept = number === 1 ? path : `${path.slice(0, path.lastIndexOf("/"))}/*.refused-*`;
  return `${what}, kept as ${kept}; argus doctor says why and what to do`;
}

export function tickets({ tickets: { open, waiting, missing, trouble } }: StatusData): Text | null {
  if (missing !== null)
    return [
      toned("warning", "none are filed"),
      `: there is no ${missing} here; argus doctor says how to get them`,
    ];
  if (open + waiting === 0 && trouble === null) return null;
  const parts: Text[] = [
    `${open} open`,
    ...(waiting === 0 ? [] : [toned("warning", `${waiting} not filed yet`)]),
    ...(trouble === null ? [] : [[toned("bad", trouble.text), ` (since ${dayAndTime(trouble.since)} UTC)`]]),
  ];
  return parts.flatMap((part, index) => (index === 0 ? spansOf(part) : [{ text: "; " }, ...spansOf(part)]));
}

export function collectors({ lastCycle: last }: StatusData, style: Style): Line[] {
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

export function rules({ lastCycle: last }: StatusData, style: Style): Line[] {
  if (last === null) return [];
  const { total, verdicts } = last.rules;
  const number = (wanted: string) => verdicts.filter(({ verdict }) => verdict === wanted).length;
  const parts = [
    `${total - number("fired") - number("blind")} quiet`,
    `${number("fired")} fired`,
    ...(number("blind") === 0 ? [] : [`${number("blind")} without data`]),
  ];
  return [
    ...wrap(`${total}: ${parts.join(", ")}`, { style, indent: labelWidth }),
    ...blindReasons(verdicts, last.collectors).flatMap(({ names, why }) =>
      wrap([toned("warning", "no data"), ` for ${names.join(", ")}: ${why}`], {
        style,
        indent: labelWidth,
        hang: labelWidth + 2,
      }),
    ),
  ];
}
