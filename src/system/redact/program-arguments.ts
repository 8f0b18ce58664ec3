/** Secrets among the arguments of known programs. */
import { isMixed, isSecretValue, tellingOf } from "./names.ts";
import type { Rule } from "./program-rules.ts";
import { programName, programs } from "./programs.ts";

/** A secret: from this offset of the word's text to its end. */
export interface Found {
  readonly index: number;
  readonly offset: number;
}

/** So many words after a program's name are its arguments: the work stays linear in a line of names of programs. */
export const mostArguments = 48;

/**
 * Secrets among the words of one simple command, whoever runs it (`sudo`, `docker exec db`, `COMMAND=`).
 * @param isCommand whether the program's name at this index surely begins a command; else its arguments may be prose,
 *   and a bare word is taken for a secret only when it looks like one.
 */
export function secretsAmong(words: readonly string[], isCommand: (index: number) => boolean): Found[] {
  const found: Found[] = [];
  for (const [index, word] of words.entries()) {
    const rules = programs.get(programName(word.slice(word.lastIndexOf("=") + 1)));
    if (rules === undefined) continue;
    const args = words.slice(index + 1, index + 1 + mostArguments);
    const sure = isCommand(index);
    for (const one of secretsOf(args, rules, sure)) found.push({ ...one, index: one.index + index + 1 });
  }
  return found;
}

function secretsOf(args: readonly string[], rules: readonly Rule[], sure: boolean): Found[] {
  const found: Found[] = [];
  const taking = new Set(
    rules.filter(({ kind }) => kind === "takes" || kind === "next").map(({ name }) => name),
  );
  const isValue = (value: string | undefined, offset = 0): boolean =>
    value !== undefined && isArgument(value.slice(offset));
  for (const rule of rules) {
    const start = startOf(args, rule.after);
    if (start === null) continue;
    const bare = (index: number, offset = 0): void => {
      const value = args[index];
      if (value === undefined || value.startsWith("-")) return;
      const isOne = isSecretValue("password", value.slice(offset), { quoted: false, assigned: false });
      if (isOne && (sure || isMixed(value))) found.push({ index, offset });
    };
    const from = rule.kind === "next" || rule.kind === "both" || rule.kind === "attached" ? 0 : start;
    switch (rule.kind) {
      case "next":
      case "both":
      case "attached":
      case "part":
        for (let index = rule.kind === "part" ? 0 : from; index < args.length; index += 1) {
          for (const one of atFlag(args, index, rule))
            if (isValue(args[one.index], one.offset)) found.push(one);
        }
        break;
      case "keyword":
        for (let index = start; index + 1 < args.length; index += 1)
          if (args[index]?.toLowerCase() === rule.name) bare(index + 1);
        break;
      case "named":
        for (let index = start; index + 1 < args.length; index += 1)
          if (names(args[index] ?? "")) bare(index + 1);
        break;
      case "positional":
      case "last": {
        const places = positionals(args, start, taking);
        const place = rule.kind === "last" ? places.at(-1) : places[rule.number - 1];
        if (place === undefined) break;
        const cut = rule.mark === "" ? 0 : (args[place] ?? "").indexOf(rule.mark) + 1;
        if (rule.mark === "" || cut > 0) bare(place, cut);
        break;
      }
      case "values":
        for (let index = start; index < args.length; index += 1) {
          const value = args[index] ?? "";
          const cut =
            value.startsWith("-") && !/^--from-literal=/.test(value) ? 0 : value.lastIndexOf("=", 200) + 1;
          if (cut > 1 && isArgument(value.slice(cut))) found.push({ index, offset: cutOf(value) });
        }
        break;
      case "stdin":
      case "takes":
        break;
    }
  }
  return found;
}

/** `//registry.npmjs.org/:_authToken`, `pypi-token.pypi`, `/app/db_password` */
function names(word: string): boolean {
  if (word.startsWith("-") || word.length > 200 || word.includes("=")) return false;
  return [word, word.slice(0, Math.max(0, word.lastIndexOf(".")))].some((name) => {
    const telling = tellingOf(name.slice(-64));
    return telling === "password" || telling === "key";
  });
}

/** `--from-literal=NAME=value`, `NAME=value` */
function cutOf(value: string): number {
  const first = value.indexOf("=") + 1;
  return value.startsWith("--") ? value.indexOf("=", first) + 1 || first : first;
}

function atFlag(args: readonly string[], index: number, { kind, name, mark }: Rule): Found[] {
  const word = args[index] ?? "";
  // Not `-p` with a value, but a flag of its own: `-password x`.
  if (/^-[a-z]{4,24}$/.test(word) && tellingOf(word) !== null && kind !== "next") return [];
  const attached = word.startsWith(name) && word.length > name.length ? name.length : null;
  const equals =
    attached !== null && name.startsWith("--") ? (word[name.length] === "=" ? attached + 1 : null) : null;
  const short =
    attached !== null && !name.startsWith("--") ? attached + (word[attached] === "=" ? 1 : 0) : null;
  if (kind === "part") {
    const [at, from] = word === name ? [index + 1, 0] : [index, equals ?? short];
    const value = args[at];
    if (value === undefined || from === null) return [];
    const cut = value.indexOf(mark, from);
    return cut < 0 || value.startsWith("//", cut + 1) ? [] : [{ index: at, offset: cut + 1 }];
  }
  if (kind !== "attached" && word === name) {
    const next = args[index + 1];
    return next === undefined || /^-[A-Za-z-]/.test(next) ? [] : [{ index: index + 1, offset: 0 }];
  }
  if (equals !== null) return [{ index, offset: equals }];
  if (kind !== "next" && short !== null) return [{ index, offset: short }];
  return kind === "next" && short !== null && word[name.length] === "=" ? [{ index, offset: short }] : [];
}

/** Where the arguments begin after the words that a rule wants before; null: they are not there. */
export function startOf(args: readonly string[], after: readonly string[]): number | null {
  let start = 0;
  for (const wanted of after) {
    const at = args.indexOf(wanted, start);
    if (at < 0) return null;
    start = at + 1;
  }
  return start;
}

function positionals(args: readonly string[], start: number, taking: ReadonlySet<string>): number[] {
  const places: number[] = [];
  for (let index = start; index < args.length; index += 1) {
    const word = args[index] ?? "";
    if (/^[<>]/.test(word) || /^\d?>/.test(word)) break;
    if (word.startsWith("-") && word.length > 1) index += taking.has(word) ? 1 : 0;
    else places.push(index);
  }
  return places;
}

/** What a secret cannot be: nothing, a variable, a mark, a placeholder. */
export function isArgument(value: string): boolean {
  return isSecretValue("password", value, { quoted: true, assigned: true });
}
