/** `argus check`: what is wrong with settings, rules and rule tests, or that nothing is. */
import { firstFaults } from "../types/errors.ts";
import { blank, type Line, labelled, print, type Text, toned, wrap } from "./layout.ts";
import type { Style } from "./style.ts";
import { count } from "./values.ts";

export interface CheckData {
  /** The settings file that was read, and what is wrong with it. */
  readonly settings: { readonly file: string; readonly faults: readonly string[] };
  /** Sentences about what argus.json names: what is wrong, and what is inactive by nature. */
  readonly services?: { readonly faults: readonly string[]; readonly natures: readonly string[] };
  readonly rules: {
    /** Folders that were read. */
    readonly folders: readonly string[];
    readonly files: number;
    readonly inForce: number;
    readonly disabled: readonly string[];
    /** What nobody would be told of by rules that can all be used, and the fix; null or left out: nothing. */
    readonly sightless?: string | null;
    /** Whole sentences, with file, line, rule and path. */
    readonly faults: readonly string[];
  };
  readonly tests: {
    readonly passed: number;
    readonly failed: readonly {
      readonly name: string;
      readonly file: string;
      readonly line: number;
      readonly failures: readonly string[];
    }[];
    /** Test files that cannot be read. */
    readonly faults: readonly string[];
  };
  /** An argus.env that this user may not read. */
  readonly unread?: string;
  /** Whole sentences about what is no fault, and still worth a change. */
  readonly notes?: readonly string[];
  /** What became of settings of the first Argus, all of them. */
  readonly former?: readonly string[];
}

const nothing: NonNullable<CheckData["services"]> = { faults: [], natures: [] };

export function isFine({ settings, services = nothing, rules, tests }: CheckData): boolean {
  return (
    settings.faults.length === 0 &&
    services.faults.length === 0 &&
    rules.faults.length === 0 &&
    (rules.sightless ?? null) === null &&
    tests.failed.length === 0 &&
    tests.faults.length === 0
  );
}

const labelWidth = 10;

export function checkReport(data: CheckData, style: Style): string {
  const { settings, services = nothing, rules, tests } = data;
  const verdict = (fine: boolean): Text => (fine ? toned("good", "ok") : toned("critical", "wrong"));
  const section = (name: string, fine: boolean, text: string): Line[] =>
    labelled(toned("strong", name), [...[verdict(fine)].flat(), `  ${text}`], {
      style,
      indent: 0,
      labelWidth,
    });
  const faults = (all: readonly string[]): Line[] =>
    firstFaults(all).flatMap((fault) => wrap(["· ", fault], { style, indent: 2, hang: 4, mostLines: 12 }));
  const disabled =
    rules.disabled.length === 0
      ? ""
      : `, ${count(rules.disabled.length, "rule")} switched off (${rules.disabled.join(", ")})`;
  const lines: Line[] = [
    ...section(
      "Settings",
      settings.faults.length === 0 && services.faults.length === 0,
      filesAtFault(settings),
    ),
    ...faults(settings.faults),
    ...faults([...services.faults, ...services.natures, ...(data.notes ?? [])]),
    ...(data.former ?? []).flatMap((each) => wrap(["· ", each], { style, indent: 2, hang: 4 })),
    ...section(
      "Rules",
      rules.faults.length === 0 && (rules.sightless ?? null) === null,
      `${count(rules.inForce, "rule")} in ${count(rules.files, "file")} of ${rules.folders.join(" and ")}${disabled}`,
    ),
    ...faults(rules.faults),
    ...faults([rules.sightless ?? []].flat()),
    ...section(
      "Tests",
      tests.failed.length === 0 && tests.faults.length === 0,
      `${tests.passed} of ${count(tests.passed + tests.failed.length, "rule test")} passed`,
    ),
    ...faults(tests.faults),
    ...tests.failed.flatMap(({ name, file, line, failures }) => [
      ...wrap(["· ", toned("strong", name), toned("quiet", `  ${file}:${line}`)], {
        style,
        indent: 2,
        hang: 4,
      }),
      ...failures.flatMap((failure) => wrap(failure, { style, indent: 4, hang: 6 })),
    ]),
    blank,
    ...wrap(verdictOf(data), { style, marked: "none" }),
  ];
  return print(lines, style);
}

/** Not argus.json where only the argus.env beside it is wrong. */
function filesAtFault({ file, faults }: CheckData["settings"]): string {
  const named = faults.map((fault) => /^(\/.*?)(?::\d+)?: /.exec(fault)?.[1] ?? file);
  return named.length === 0 ? file : [...new Set(named)].join(" and ");
}

/** A test that fails keeps nobody from starting: it says that a rule does something else than somebody wanted. */
function verdictOf(data: CheckData): Text {
  if (isFine(data) && data.unread !== undefined)
    return toned(
      "warning",
      `All that could be read is well. This user cannot read ${data.unread}, so it was not checked: sudo argus check`,
    );
  if (isFine(data)) return toned("good", "All is well: these can be used.");
  const { settings, services = nothing, rules, tests } = data;
  if (settings.faults.length > 0 || rules.faults.length > 0)
    return toned("critical", "These cannot be used; Argus goes on with the last good ones.");
  if (services.faults.length > 0)
    return toned("critical", "Argus would start with these, but not watch every service that they name.");
  if ((rules.sightless ?? null) !== null)
    return toned("critical", "Argus would start with these, but the rules do not see what they should.");
  const what =
    tests.failed.length > 0 ? "a rule does something else than its test wants" : "a test file cannot be used";
  return toned("warning", `The rules can be used, but ${what}.`);
}
