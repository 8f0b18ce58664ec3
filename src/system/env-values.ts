/** Variables of `argus.env` and the environment, each read as what it is to be; a fault for what it cannot be. */
import { type Variable, type VariableName, variables } from "../types/settings.ts";
import type { EnvFile } from "./env-file.ts";
import type { Fault } from "./json-source.ts";
import { quoted } from "./names.ts";

export interface Value {
  readonly text: string;
  /** Empty: of the environment. */
  readonly file: string;
  readonly line: number;
  /** Of the environment: what it is called there. */
  readonly variable?: string;
}

export const faultIn = ({ file, line, variable }: Value, message: string): Fault => ({
  ...{ file, line, path: "", message },
  ...(variable === undefined ? {} : { variable }),
});

export function lookUp(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  file: EnvFile,
): Value | null {
  const fromEnvironment = env[name];
  if (fromEnvironment !== undefined && fromEnvironment !== "")
    return { text: fromEnvironment, file: "", line: 0, variable: name };
  const fromFile = file.values.get(name);
  if (fromFile === undefined || fromFile.text === "") return null;
  return { ...fromFile, file: file.path };
}

export function readInteger(name: VariableName, value: Value | null, faults: Fault[]): number {
  const row: Variable = variables[name];
  if (row.kind !== "integer") throw new Error(`${name} is no number`);
  if (value === null) return row.fallback;
  const number = /^-?\d{1,15}$/.test(value.text) ? Number(value.text) : Number.NaN;
  if (number >= row.min && number <= row.max) return number;
  const wanted = `a whole number from ${row.min} to ${row.max} (${row.unit})`;
  faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be ${wanted}`));
  return row.fallback;
}

export function readFlag(name: VariableName, value: Value | null, faults: Fault[]): boolean {
  const row: Variable = variables[name];
  if (row.kind !== "flag") throw new Error(`${name} is no flag`);
  if (value === null) return row.fallback;
  const word = value.text.toLowerCase();
  if (["false", "0", "no", "off"].includes(word)) return false;
  if (["true", "1", "yes", "on"].includes(word)) return true;
  faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be true or false`));
  return row.fallback;
}

export function readChoice(name: VariableName, value: Value | null, faults: Fault[]): string {
  const row: Variable = variables[name];
  if (row.kind !== "choice") throw new Error(`${name} is no choice`);
  if (value === null) return row.fallback;
  if (!row.choices.includes(value.text))
    faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be ${row.choices.join(" or ")}`));
  return value.text;
}

export function webUrl(name: VariableName, value: Value | null, faults: Fault[]): string | null {
  if (value === null) return null;
  if (!/^https?:$/.test(URL.canParse(value.text) ? new URL(value.text).protocol : "")) {
    faults.push(faultIn(value, `${name} is ${quoted(value.text)}, but must be http://… or https://…`));
  }
  return value.text;
}
