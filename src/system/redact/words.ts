/**
 * Text cut into simple commands and their words, as a shell would, as far as that can be known: text of a log is no
 * script, so a quote without its partner on the same line is a character like any other. Linear in the text.
 */

export interface Word {
  /** Where it stands in the text, quotes included. */
  readonly from: number;
  readonly until: number;
  /** Without its quotes. */
  readonly text: string;
  /** One pair of quotes around the whole of it. */
  readonly quoted: boolean;
}

export interface SimpleCommand {
  readonly words: readonly Word[];
  /** What stands after it: `|`, `;`, `&`, `(`, `)`, a new line, or nothing. */
  readonly end: string;
}

/** A log line of more words is data, and no command. */
const mostWords = 400;
const longestQuoted = 8192;

const isSpace = (character: string): boolean => character === " " || character === "\t" || character === "\r";
const isQuote = (character: string): boolean => character === '"' || character === "'" || character === "`";
const ends = new Set(["|", ";", "&", "\n", "(", ")"]);

export function simpleCommands(text: string): SimpleCommand[] {
  const commands: SimpleCommand[] = [];
  let words: Word[] = [];
  /** Of each quote, the line's end up to which it is known to have no partner. */
  const alone: Record<string, number> = {};
  let at = 0;
  const close = (end: string): void => {
    if (words.length > 0 || end === "|") commands.push({ words, end });
    words = [];
  };
  while (at < text.length) {
    const character = text.charAt(at);
    if (isSpace(character) || character === "," || character === "[" || character === "]") {
      at += 1;
    } else if (ends.has(character)) {
      close(character);
      at += 1;
    } else {
      const word = wordAt(text, at, alone);
      words.push(word);
      at = Math.max(word.until, at + 1);
      if (words.length >= mostWords) close("");
    }
  }
  close("");
  return commands;
}

function wordAt(text: string, from: number, alone: Record<string, number>): Word {
  let result = "";
  let at = from;
  let quotes = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (isQuote(character) && opens(text, from, at)) {
      const end = closing(text, at, alone);
      if (end > 0) {
        result += text.slice(at + 1, end);
        quotes += 1;
        at = end + 1;
        // `"a","b"` are two words, and `"a": 1` as well.
        if (",:]".includes(text.charAt(at) || " ") && quotes === 1 && isQuote(text.charAt(from))) break;
        continue;
      }
    }
    if (character === "\\" && isQuote(text.charAt(at + 1))) {
      // A quote inside of JSON inside of text ends a word; alone it is no word either.
      if (at === from) at += 2;
      break;
    }
    if (isSpace(character) || character === "\n" || character === "|" || character === ";") break;
    // A password may hold them; a command does not go on after them.
    if ((character === "&" || character === ")") && /[\s&|;)]|^$/.test(text.charAt(at + 1))) break;
    result += character;
    at += 1;
  }
  const quoted = quotes === 1 && isQuote(text.charAt(from)) && at - from === result.length + 2;
  return { from, until: at, text: result, quoted };
}

/** The apostrophe of `can't` opens nothing. */
function opens(text: string, from: number, at: number): boolean {
  if (at === from) return true;
  const before = text.charAt(at - 1);
  return "=:,({[<>".includes(before) || text.charAt(from) === "-" || text.slice(from, at).includes("=");
}

function closing(text: string, at: number, alone: Record<string, number>): number {
  const quote = text.charAt(at);
  if (at < (alone[quote] ?? 0)) return -1;
  const lineEnd = text.indexOf("\n", at);
  const limit = Math.min(lineEnd < 0 ? text.length : lineEnd, at + longestQuoted);
  for (let end = at + 1; end < limit; end += 1) {
    if (text.charAt(end) === "\\" && quote === '"') end += 1;
    else if (text.charAt(end) === quote) return end;
  }
  alone[quote] = limit;
  return -1;
}

/** Where in the text what stands at `offset` of the word's text begins and ends, the quotes around it left alone. */
export function spanOf(text: string, word: Word, offset: number): { from: number; until: number } {
  let { from, until } = word;
  if (offset === 0 && word.quoted) return { from: from + 1, until: until - 1 };
  let left = offset;
  let open = "";
  while (from < until && (left > 0 || isQuote(text.charAt(from)))) {
    const character = text.charAt(from);
    if (isQuote(character) && (open === "" || open === character)) open = open === "" ? character : "";
    else left -= 1;
    from += 1;
    if (left === 0 && !isQuote(text.charAt(from))) break;
  }
  if (open !== "" && text.charAt(until - 1) === open && until - 1 > from) until -= 1;
  return { from, until };
}
