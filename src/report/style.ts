/** How a report may look: what the terminal can show, given as a value. Nothing here reads the environment. */
import { printableLines } from "../system/printable.ts";

export interface Style {
  /** Columns. */
  readonly width: number;
  readonly color: boolean;
  /** Whether `→`, `·` and `…` arrive as such. */
  readonly unicode: boolean;
  /**
   * What a colour begins with, where text goes to a terminal: a mark that nobody outside this process can know, which
   * the exit makes an escape sequence of. So a sequence in somebody else's text is none of Argus's, whatever it says.
   */
  readonly ink?: string;
}

/** Colour carries meaning, and never alone: every tone stands beside a word that says the same. */
export type Tone = "critical" | "warning" | "info" | "good" | "bad" | "quiet" | "strong";

const widest = 120;
const narrowest = 40;
/** Files and pipes have no width; this is what people wrap mail and logs at. */
const widthOfPipe = 100;

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  readonly columns: number | undefined;
}

export function createStyle({ env, isTerminal, columns }: Terminal): Style {
  const width = isTerminal ? (columns ?? 80) : widthOfPipe;
  const set = (name: string) => env[name] !== undefined && env[name] !== "";
  // https://no-color.org: whatever its value. FORCE_COLOR is for pagers that show colours (less -R).
  const color =
    !set("NO_COLOR") &&
    (isTerminal ? env["TERM"] !== "dumb" : set("FORCE_COLOR") && env["FORCE_COLOR"] !== "0");
  // As setlocale(3) looks them up: the first that is set decides.
  const locale =
    [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "") ?? "";
  return { width: Math.min(widest, Math.max(narrowest, width)), color, unicode: /utf-?8/i.test(locale) };
}

/** SGR codes of the sixteen colours every terminal has; none of them is unreadable on a light or a dark ground. */
const codes: Readonly<Record<Tone, string>> = {
  critical: "1;31",
  bad: "31",
  warning: "33",
  good: "32",
  info: "36",
  quiet: "2",
  strong: "1",
};

const escapeCharacter = "\u001b";

export function paint(text: string, tone: Tone | undefined, { color, ink = escapeCharacter }: Style): string {
  return color && tone !== undefined && text !== "" ? `${ink}[${codes[tone]}m${text}${ink}[0m` : text;
}

/** The last thing that happens to text on its way out: nothing leaves but what can be read, newlines and what was painted. */
export function terminalText(text: string, { ink }: Pick<Style, "ink">): string {
  if (ink === undefined) return printableLines(text);
  const [plain = "", ...painted] = text.split(ink);
  return printableLines(plain) + painted.map((part) => afterInk(part)).join("");
}

function afterInk(part: string): string {
  const code = /^\[[\d;]{1,8}m/.exec(part)?.[0] ?? "";
  return (code === "" ? "" : escapeCharacter + code) + printableLines(part.slice(code.length));
}
