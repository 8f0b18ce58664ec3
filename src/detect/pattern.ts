/**
 * Regular expressions of rules. Anybody on the machine can choose the command line of a process, of up to 4,096
 * characters, and a pattern that backtracks a lot would let it stop the watchdog: `.*node.*test` needs ten seconds for
 * one such text. What is let through needs at most the square of the text's length, some 20 milliseconds.
 */
import safeRegex from "safe-regex2";

// A rule is judged on every process; compiling its pattern each time would cost more than matching.
const compiled = new Map<string, RegExp>();

/** @param source a pattern that the load-time check let through. */
export function matches(text: string, source: string): boolean {
  let pattern = compiled.get(source);
  if (pattern === undefined) {
    pattern = new RegExp(source, "u");
    compiled.set(source, pattern);
  }
  return pattern.test(text);
}

/** What is wrong with a pattern, as the end of a sentence that begins with it. */
export function patternFault(source: string): string | null {
  try {
    new RegExp(source, "u");
  } catch (error) {
    // V8 says "Invalid regular expression: /(/u: Unterminated group"; the pattern itself is already in our sentence.
    return `is not a regular expression: ${String(error).replace(/^.*\/[a-z]*: /s, "")}`;
  }
  const { long, anchored, repeatsAlternatives } = repeatsOf(source);
  const slow = (mend: string) => `could take for ever on a hostile text: ${mend}`;
  if (!safeRegex(source)) return slow("it repeats a group that repeats something itself");
  if (repeatsAlternatives) return slow("it repeats a group of alternatives");
  if (!anchored && long > 1) {
    return slow(
      `it has ${long} unbounded repeats such as .* or [a-z]+; begin it with ^, or split it into several conditions`,
    );
  }
  if (long > 2)
    return slow(`it has ${long} unbounded repeats such as .* or [a-z]+; bound some, as in [a-z]{1,40}`);
  return null;
}

interface Repeats {
  /** Repeats without a bound, or with one of 100 and more. */
  long: number;
  /** Every match begins at the start of the text. */
  anchored: boolean;
  repeatsAlternatives: boolean;
}

const token =
  /\\k<|\\[1-9]|\\.|\[(?:\\.|[^\]\\])*\]|\(\?(?:<?[=!]|:|<[^>]*>)|[()|*+?]|\{(\d+)(,?)(\d*)\}|./gsu;

function repeatsOf(source: string): Repeats {
  const result: Repeats = { long: 0, anchored: source.startsWith("^"), repeatsAlternatives: false };
  // For each open group whether it has alternatives; the first stands for the whole pattern.
  const groups = [false];
  let closed = false;
  for (const [text, least = "", comma = "", most = ""] of source.matchAll(token)) {
    if (text.startsWith("(")) groups.push(false);
    if (text === "|") groups[groups.length - 1] = true;
    if (text === "|" && groups.length === 1) result.anchored = false;
    const bound =
      text === "*" || text === "+" || (comma !== "" && most === "")
        ? Number.POSITIVE_INFINITY
        : Number(most || least);
    const backReference = /^\\(k<|[1-9])/.test(text);
    const long = backReference || ((/^[*+]$/.test(text) || /^\{\d/.test(text)) && bound >= 100);
    if (long) result.long += 1;
    if (long && closed) result.repeatsAlternatives = true;
    closed = text === ")" && (groups.pop() ?? false);
    if (closed) groups[groups.length - 1] = true;
  }
  return result;
}
