/** Secrets that are fed to a program's standard input by the command before it, a here-string or a here-document. */
import { isDrawn, isMixed } from "./names.ts";
import { isArgument, mostArguments, startOf } from "./program-arguments.ts";
import { programName, programs } from "./programs.ts";
import { type SimpleCommand, spanOf, type Word } from "./words.ts";

const longestDocument = 2048;

/** `echo X | kinit`, `kinit <<< X`, `kinit <<EOF` */
export function fed(
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
    if (
      consumes ||
      isDrawn(inside) ||
      (isMixed(inside) && /^[^\s()*/]{6,}$/.test(inside) && /[A-Za-z]{3}|[A-Za-z].*\d.*[A-Za-z]/.test(inside))
    )
      spans.push(spanOf(text, value, offset));
  }
  if (!consumes) return spans;
  const isForAccounts = command.words.some((word) => /^(?:chpasswd|newusers)$/.test(programName(word.text)));
  const heredoc = /<<-?\s{0,2}(["']?)(\w{1,40})\1$/.exec(
    text.slice(command.words[0]?.from ?? 0, command.words.at(-1)?.until ?? 0),
  );
  if (heredoc !== null) {
    const from = (command.words.at(-1)?.until ?? 0) + 1;
    const near = text.slice(from - 1, from + longestDocument);
    const end = near.indexOf(`\n${heredoc[2]}`);
    // Without its end it is cut off, or none: the secret is the first line.
    const until = end >= 0 ? from - 1 + end : from + (near.slice(1).split("\n", 1)[0] ?? "").length;
    for (const line of linesOf(text, from, until)) spans.push(isForAccounts ? afterColon(text, line) : line);
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
