/** Secrets in the arguments of known programs, and what is fed to their standard input. The table is programs.ts. */

import { isSecretAfterFlag, secretPart } from "./arguments.ts";
import { isMixed, isSecretValue, tellingOf } from "./names.ts";
import { programs, type Rule } from "./programs.ts";
import { type SimpleCommand, simpleCommands, spanOf, type Word } from "./words.ts";

/** A secret: from this offset of the word's text to its end. */
export interface Found {
  readonly index: number;
  readonly offset: number;
}

/** So many words after a program's name are its arguments: the work stays linear in a line of names of programs. */
const mostArguments = 48;

/** Path and ending taken off: `/usr/bin/mysql`, `mysql.exe`. */
export function programName(word: string): string {
  if (word.length > 200) return "";
  const base = word.slice(Math.max(word.lastIndexOf("/"), word.lastIndexOf("\\")) + 1);
  return base.toLowerCase().endsWith(".exe") ? base.slice(0, -4) : base;
}

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
function startOf(args: readonly string[], after: readonly string[]): number | null {
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
function isArgument(value: string): boolean {
  return isSecretValue("password", value, { quoted: true, assigned: true });
}

/** Words after which a command begins. */
const runners = new Set(
  "sudo doas env exec time nohup nice ionice timeout setsid stdbuf xargs watch then do else unbuffer chronic systemd-run flock command bash sh".split(
    " ",
  ),
);

/** Cutting text into words is slow, and most text names no such program. */
function concerns(text: string): boolean {
  if (text.includes("<<<") || (/["']/.test(text) && /[\w.-][=:]|--\w/.test(text))) return true;
  for (const word of text.match(/[A-Za-z0-9_.-]{2,40}/g) ?? []) if (programs.has(word)) return true;
  return /\.exe\b/i.test(text);
}

export function redactShell(text: string, mark: string, depth = 0): string {
  if (!concerns(text)) return text;
  const commands = simpleCommands(text);
  const spans: { from: number; until: number }[] = [];
  for (const [number, command] of commands.entries()) {
    const { words } = command;
    // `a1="-p"`, as audit writes an EXECVE
    const heads = words.map((word) => /^a\d{1,3}=/.exec(word.text)?.[0].length ?? 0);
    const texts = words.map((word, at) => word.text.slice(heads[at]));
    for (const { index, offset } of secretsAmong(texts, (at) => begins(text, words, at))) {
      const word = words[index];
      if (word !== undefined) spans.push(tidied(text, spanOf(text, word, offset + (heads[index] ?? 0))));
    }
    for (const [at, word] of words.entries()) {
      const offset = wholeWord(word, texts[at - 1]);
      if (offset !== null) spans.push(spanOf(text, word, offset));
    }
    if (depth < 3) for (const word of words) spans.push(...insideOf(text, word, mark, depth));
    spans.push(...fed(text, commands, number));
  }
  return replaced(text, spans, mark);
}

function begins(text: string, words: readonly Word[], at: number): boolean {
  const word = words[at];
  if (word === undefined) return false;
  if (at === 0 || word.text.includes("/")) return true;
  const before = words[at - 1]?.text ?? "";
  if (runners.has(programName(before)) || /^[A-Za-z_]\w*=|^[$#%>+]$|^(?:PS|CMD|COMMAND)\b|[$#]$/.test(before))
    return true;
  return text.charAt(word.from - 1) === "(";
}

/** In quotes, `'db_password=two words'` and `--set 'db.password=two words'` go to the closing quote. */
function wholeWord(word: Word, before: string | undefined): number | null {
  if (!word.text.includes(" ") || /\s[\w.-]{1,40}[=:]/.test(word.text)) return null;
  const part = word.quoted || /^--?[A-Za-z][\w.-]*=/.test(word.text) ? secretPart(word.text) : null;
  return part ?? (word.quoted && isSecretAfterFlag(before, word.text) ? 0 : null);
}

/** A full stop or bracket after a value closes the sentence around it. */
function tidied(
  text: string,
  { from, until }: { from: number; until: number },
): { from: number; until: number } {
  const tail =
    /["'`]?[.,:;)\]}]{0,3}["'`]?$/.exec(text.slice(Math.max(from + 1, until - 5), until))?.[0].length ?? 0;
  return {
    from,
    until: /[.,:;]$/.test(text.slice(from, until)) && until - tail > from ? until - tail : until,
  };
}

/** `sh -c "mysql -pX"`: what stands in quotes may be a command as well. */
function insideOf(
  text: string,
  word: Word,
  mark: string,
  depth: number,
): { from: number; until: number; by: string }[] {
  if (!word.quoted || !/\s/.test(word.text)) return [];
  const inside = text.slice(word.from + 1, word.until - 1);
  const by = redactShell(inside, mark, depth + 1);
  return by === inside ? [] : [{ from: word.from + 1, until: word.until - 1, by }];
}

/** `echo X | kinit`, `kinit <<< X`, `kinit <<EOF` */
function fed(
  text: string,
  commands: readonly SimpleCommand[],
  number: number,
): { from: number; until: number }[] {
  const command = commands[number];
  if (command === undefined) return [];
  const consumes = takesStdin(command.words);
  const spans: { from: number; until: number }[] = [];
  for (const [index, word] of command.words.entries()) {
    if (!word.text.startsWith("<<<")) continue;
    const [value, offset] = word.text === "<<<" ? [command.words[index + 1], 0] : [word, 3];
    if (value === undefined || !isArgument(value.text.slice(offset))) continue;
    const inside = value.text.slice(offset);
    if (consumes || (isMixed(inside) && /^[^\s()+*/]{6,}$/.test(inside)))
      spans.push(spanOf(text, value, offset));
  }
  if (!consumes) return spans;
  const isForAccounts = command.words.some((word) => /^(?:chpasswd|newusers)$/.test(programName(word.text)));
  const heredoc = /<<-?\s{0,2}(["']?)(\w{1,40})\1$/.exec(
    text.slice(command.words[0]?.from ?? 0, command.words.at(-1)?.until ?? 0),
  );
  if (heredoc !== null) {
    const from = (command.words.at(-1)?.until ?? 0) + 1;
    const end = text.indexOf(`\n${heredoc[2]}`, from - 1);
    for (const line of linesOf(text, from, end < 0 ? Math.min(text.length, from + 4096) : end))
      spans.push(isForAccounts ? afterColon(text, line) : line);
  }
  for (let before = number - 1; before >= 0 && before >= number - 6; before -= 1) {
    const feeder = commands[before];
    if (feeder === undefined || (before === number - 1 && feeder.end !== "|" && feeder.end !== ")")) break;
    if (feeder.words.length === 0) continue;
    if (before < number - 1 && !["|", ";", ")"].includes(feeder.end)) break;
    const start = feeder.words.findIndex((word) => /^(?:echo|printf|yes)$/.test(programName(word.text)));
    if (start < 0) {
      if (/^(?:base64|tr|cat|head|tail|sed|xxd)$/.test(programName(feeder.words[0]?.text ?? ""))) continue;
      break;
    }
    for (const word of feeder.words.slice(start + 1)) {
      if (/^-[neE]{1,3}$|^%s(?:\\n)*$/.test(word.text) || !isArgument(word.text.replace(/\\n/g, "")))
        continue;
      const span = spanOf(text, word, 0);
      spans.push(isForAccounts ? afterColon(text, span) : span);
    }
  }
  return spans;
}

const afterColon = (text: string, { from, until }: { from: number; until: number }) => {
  const colon = text.slice(from, until).indexOf(":");
  return { from: from + colon + 1, until };
};

function linesOf(text: string, from: number, until: number): { from: number; until: number }[] {
  const spans: { from: number; until: number }[] = [];
  for (let at = from; at < until; ) {
    const end = text.indexOf("\n", at);
    const stop = end < 0 || end > until ? until : end;
    if (stop > at) spans.push({ from: at, until: stop });
    at = stop + 1;
  }
  return spans;
}

function takesStdin(words: readonly Word[]): boolean {
  for (const [index, word] of words.slice(0, mostArguments).entries()) {
    const rules = programs.get(programName(word.text));
    if (rules === undefined) continue;
    const args = words.slice(index + 1, index + 1 + mostArguments).map(({ text }) => text);
    if (rules.some(({ kind, after }) => kind === "stdin" && startOf(args, after) !== null)) return true;
  }
  return false;
}

function replaced(text: string, spans: { from: number; until: number; by?: string }[], mark: string): string {
  if (spans.length === 0) return text;
  spans.sort((a, b) => a.from - b.from || b.until - a.until);
  let result = "";
  let kept = 0;
  for (const { from, until, by = mark } of spans) {
    if (from < kept || until <= from || text.startsWith("[redacted]", from)) continue;
    result += text.slice(kept, from) + by;
    kept = until;
  }
  return result + text.slice(kept);
}
