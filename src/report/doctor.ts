/** `argus doctor`: what this installation can and cannot do, each with the mend. */
import { blank, type Line, labelled, print, type Text, toned, wrap } from "./layout.ts";
import type { Style, Tone } from "./style.ts";
import { count } from "./values.ts";

export interface Check {
  readonly name: string;
  /** `limited`: Argus works, and does without something. `broken`: it cannot do what it is asked to. */
  readonly state: "ok" | "limited" | "broken";
  /** One sentence: what is so. */
  readonly detail: string;
  /** What to do about it; null where nothing need be done. */
  readonly mend: string | null;
}

const tones: Readonly<Record<Check["state"], Tone>> = { ok: "good", limited: "warning", broken: "critical" };
const order: readonly Check["state"][] = ["broken", "limited", "ok"];
const stateWidth = 9;

export function doctorReport(checks: readonly Check[], style: Style): string {
  const nameWidth = Math.min(24, Math.max(0, ...checks.map(({ name }) => name.length))) + 2;
  const lines = order.flatMap((state) =>
    checks.filter((check) => check.state === state).flatMap((check) => checkLines(check, nameWidth, style)),
  );
  return print([...wrap(headline(checks), { style }), blank, ...lines], style);
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

function checkLines({ name, state, detail, mend }: Check, nameWidth: number, style: Style): Line[] {
  const label: Text = [
    toned(tones[state], state.padEnd(stateWidth)),
    toned(state === "ok" ? undefined : "strong", name),
  ];
  const labelWidth = stateWidth + nameWidth;
  return [
    ...labelled(label, detail, { style, indent: 0, labelWidth }),
    ...(mend === null
      ? []
      : wrap(["→ ", toned("info", mend)], { style, indent: labelWidth, hang: labelWidth + 2 })),
  ];
}
