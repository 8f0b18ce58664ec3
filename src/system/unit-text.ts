/** What `systemctl show` is asked for, and how its text is read. Pure. */
import { type UnitState, unitProperties, unitStateOf } from "./unit-state.ts";

export function showArguments(names: readonly string[], withFailed: boolean): string[] {
  return [
    "--no-pager",
    // The state filter applies to the pattern alone: plain names are shown whatever state they are in.
    "--state=failed",
    `--property=${unitProperties.join(",")}`,
    "show",
    "--",
    ...names,
    ...(withFailed ? ["*"] : []),
  ];
}

/** @param text blocks of `Property=value` lines, with an empty line between units. */
export function parseUnits(text: string): UnitState[] {
  const units: UnitState[] = [];
  for (const block of text.split(/\n{2,}/)) {
    const values = new Map<string, string>();
    for (const line of block.split("\n")) {
      const equals = line.indexOf("=");
      if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1));
    }
    const id = values.get("Id");
    if (id === undefined || id === "") continue;
    const word = (name: string) => values.get(name) ?? "";
    units.push(
      unitStateOf({
        word,
        number: (name) => Number(word(name)) || 0,
        flag: (name) => word(name) === "yes",
        list: (name) =>
          word(name)
            .split(" ")
            .filter((each) => each !== "")
            .map(unquoted),
        span: (name) => spanOf(word(name)),
        amount: (name) => amountOf(word(name)),
        job: word("Job") !== "" && word("Job") !== "0",
      }),
    );
  }
  return units;
}

/** null for `infinity`, `[not set]` and the number that stands for both in some releases. */
function amountOf(text: string): number | null {
  const amount = /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  return amount < 2 ** 63 ? amount : null;
}

/** A name with a backslash stands in quotes, each backslash doubled. */
function unquoted(word: string): string {
  const inside = /^"(.*)"$/.exec(word)?.[1];
  return inside === undefined ? word : inside.replace(/\\(.)/g, "$1");
}

/** systemd.time(7), "Displaying time spans": in microseconds. */
const units: Readonly<Record<string, number>> = {
  y: 31_557_600e6,
  month: 2_629_800e6,
  w: 604_800e6,
  d: 86_400e6,
  h: 3_600e6,
  min: 60e6,
  s: 1e6,
  ms: 1e3,
  us: 1,
};

/** `1min 30s` -> 90000000; null for `infinity`, and for what is no span. */
export function spanOf(text: string): number | null {
  if (text === "0") return 0;
  const parts = text.split(" ").map((part) => /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(part));
  let sum = 0;
  for (const part of parts) {
    const unit = units[part?.[2] ?? ""];
    if (unit === undefined) return null;
    sum += Number(part?.[1]) * unit;
  }
  return Math.round(sum);
}
