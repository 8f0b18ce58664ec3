/** Secrets in command lines that stand in text: of known programs, and what is fed to their standard input. */
import { bareSecrets, credentialsPart, isSecretAfterFlag, secretPart } from "./arguments.ts";
import { secretsAmong } from "./program-arguments.ts";
import { programName, programs } from "./programs.ts";
import { fed } from "./standard-input.ts";
import { simpleCommands, spanOf, type Word } from "./words.ts";

/** Words after which a command begins. */
const runners = new Set(
  "sudo doas env exec time nohup nice ionice timeout setsid stdbuf xargs watch then do else unbuffer chronic systemd-run flock command bash sh".split(
    " ",
  ),
);

/** Cutting text into words is slow, and most text names no such program. */
function concerns(text: string): boolean {
  if (
    text.includes("<<<") ||
    (/["']/.test(text) && /[\w.-][=:]|--\w/.test(text)) ||
    (/(?:auth|user|creds?|credentials|login|account)[ =]/.test(text) && text.includes(":")) ||
    /\s-(?:[pPwWkK]|pw)\s/.test(text) ||
    (/\s-(?:[acuPU]|id)\s/.test(text) && text.includes(":"))
  )
    return true;
  for (const word of text.match(/[A-Za-z0-9_.-]{2,40}/g) ?? []) if (programs.has(word)) return true;
  return /\.(?:exe|jar)\b/i.test(text);
}

export function redactShell(text: string, mark: string, depth = 0): string {
  if (!concerns(text)) return text;
  const commands = simpleCommands(text);
  const spans: { from: number; until: number }[] = [];
  let busyUntil = 0;
  for (const [number, command] of commands.entries()) {
    const { words } = command;
    // `a1="-p"`, as audit writes an EXECVE
    const heads = words.map((word) => /^a\d{1,3}=/.exec(word.text)?.[0].length ?? 0);
    const texts = words.map((word, at) => word.text.slice(heads[at]));
    for (const { index, offset } of secretsAmong(texts, (at) => begins(text, words, at))) {
      const word = words[index];
      if (word !== undefined) spans.push(tidied(text, spanOf(text, word, offset + (heads[index] ?? 0))));
    }
    for (const index of bareSecrets(texts)) {
      const word = words[index];
      if (word !== undefined) spans.push(tidied(text, spanOf(text, word, 0)));
    }
    for (const [at, word] of words.entries()) {
      const offset = wholeWord(word, texts[at - 1]) ?? credentialsPart(texts[at - 1], word.text);
      if (offset !== null) spans.push(spanOf(text, word, offset));
    }
    if (depth < 3) for (const word of words) spans.push(...insideOf(text, word, mark, depth));
    // The lines of a here-document are no commands.
    if ((words[0]?.from ?? 0) >= busyUntil) {
      const into = fed(text, commands, number);
      spans.push(...into);
      busyUntil = Math.max(busyUntil, into.at(-1)?.until ?? 0);
    }
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
  if (!/\s/.test(word.text)) return [];
  // `--rsh="sshpass -p x ssh"` as well
  const opening = /^(?:--?[\w-]{1,40}=)?["']/.exec(text.slice(word.from, word.from + 48));
  if (opening === null) return [];
  const from = word.from + opening[0].length;
  const inside = text.slice(from, word.until - 1);
  const by = redactShell(inside, mark, depth + 1);
  return by === inside ? [] : [{ from, until: word.until - 1, by }];
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
