/** `argus doctor`: what this installation can and cannot do, each with the mend. */

import { firstFaults } from "../types/errors.ts";
import { duration } from "../types/quantities.ts";
import { blank, type Line, labelled, print, type Text, toned, wrap } from "./layout.ts";
import type { Style, Tone } from "./style.ts";
import { count } from "./values.ts";

export interface Check {
  readonly name: string;
  /** `limited`: Argus works, and does without something. `broken`: it cannot do what it is asked to. */
  readonly state: "ok" | "limited" | "broken";
  /** One sentence: what is so. */
  readonly detail: string;
  /** Several things that are wrong, one a line. */
  readonly faults?: readonly string[];
  /** What to do about it; null where nothing need be done. */
  readonly mend: string | null;
}

/** What is known of whoever looks at the machine. */
interface Looking {
  readonly known: boolean;
  readonly holder: { readonly pid: number; readonly what: string } | null;
  readonly lastCycleSeconds: number | null;
  readonly failuresInARow: number;
  readonly lastError: string | null;
}

/** @param timer whether a timer starts the cycles in place of a daemon. */
export function livenessCheck(
  { known, holder, lastCycleSeconds, failuresInARow, lastError }: Looking,
  { intervalSeconds, timer }: { readonly intervalSeconds: number; readonly timer: boolean },
): Check {
  const check = (state: Check["state"], detail: string, mend: string | null): Check => ({
    name: timer ? "timer" : "daemon",
    state,
    detail,
    mend,
  });
  if (!known) return check("limited", "this user may not look into its state", "sudo argus doctor");
  const last =
    lastCycleSeconds === null
      ? "there was no cycle yet"
      : `the last cycle was ${duration(lastCycleSeconds)} ago`;
  if (holder === null && !timer)
    return check("broken", `nobody looks at this machine; ${last}`, "systemctl start argus");
  if (failuresInARow > 0)
    return check(
      "broken",
      `${count(failuresInARow, "cycle")} in a row failed: ${lastError ?? "for no known reason"}`,
      "journalctl -u argus -u argus-once",
    );
  const wanted = timer ? timerSeconds : intervalSeconds;
  if (lastCycleSeconds === null || lastCycleSeconds > 2 * wanted + 60)
    return check(
      "broken",
      `${last}, and there should be one every ${duration(wanted)}`,
      "systemctl restart argus",
    );
  const who = timer ? "argus-once.timer starts the cycles" : `runs as pid ${holder?.pid}`;
  return check("ok", `${who}; ${last}`, null);
}

/** OnCalendar= of argus-once.timer. */
const timerSeconds = 300;

const tones: Readonly<Record<Check["state"], Tone>> = { ok: "good", limited: "warning", broken: "critical" };
const order: readonly Check["state"][] = ["broken", "limited", "ok"];
const stateWidth = 9;

export function doctorReport(checks: readonly Check[], style: Style): string {
  const nameWidth = Math.min(24, Math.max(0, ...checks.map(({ name }) => name.length))) + 2;
  const lines = order.flatMap((state) =>
    checks.filter((check) => check.state === state).flatMap((check) => checkLines(check, nameWidth, style)),
  );
  return print([...wrap(headline(checks), { style, marked: "none" }), blank, ...lines], style);
}

function headline(checks: readonly Check[]): Text {
  const number = (state: Check["state"]) => checks.filter((check) => check.state === state).length;
  const [broken, limited] = [number("broken"), number("limited")];
  if (broken > 0)
    return [
      toned("critical", `${count(broken, "thing")} ${broken === 1 ? "is" : "are"} broken`),
      limited === 0 ? "." : `, ${limited} limited.`,
    ];
  if (limited > 0) return [toned("warning", `Argus works, with ${count(limited, "limit")}.`)];
  return [toned("good", "Everything is in order.")];
}

function checkLines(
  { name, state, detail, faults = [], mend }: Check,
  nameWidth: number,
  style: Style,
): Line[] {
  const label: Text = [
    toned(tones[state], state.padEnd(stateWidth)),
    toned(state === "ok" ? undefined : "strong", name),
  ];
  const labelWidth = stateWidth + nameWidth;
  return [
    ...labelled(label, detail, { style, indent: 0, labelWidth }),
    ...firstFaults(faults).flatMap((fault) =>
      wrap(["· ", fault], { style, indent: labelWidth, hang: labelWidth + 2, mostLines: 12 }),
    ),
    ...(mend === null
      ? []
      : wrap(["→ ", toned("info", mend)], { style, indent: labelWidth, hang: labelWidth + 2 })),
  ];
}
