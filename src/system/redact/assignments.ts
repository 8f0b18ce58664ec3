/**
 * `NAME=value`, `name: value`, `"name": "value"`, `--name value`, `<name>value</name>` and their like, quoted and
 * escaped as they stand in environments, command lines, JSON, YAML, headers, queries and connection strings.
 */
import { isMixed, isSecretValue, looksRandom, type Place, type Telling, tellingOf } from "./names.ts";
import { redactPairs } from "./pairs.ts";

const maxName = 64;
const maxValue = 4096;

export function redactAssignments(text: string, mark: string): string {
  return redactPairs(redactFlags(redactSeparated(text, mark), mark), mark);
}

interface Value {
  readonly from: number;
  readonly until: number;
  readonly quoted: boolean;
}

/** From separator to separator, so that no name, however long, is read twice. */
function redactSeparated(text: string, mark: string): string {
  const separator = /[:=]/g;
  let result = "";
  let kept = 0;
  for (let match = separator.exec(text); match !== null; match = separator.exec(text)) {
    const at = match.index;
    const name = nameBefore(text, at).replace(/^-[DPXJ](?=[a-z])/, "");
    if (name === "") continue;
    const value = secretAfter(text, at, name);
    if (value === null) continue;
    result += text.slice(kept, value.from) + mark;
    kept = value.until;
    separator.lastIndex = Math.max(value.until, at + 1);
  }
  return kept === 0 ? text : result + text.slice(kept);
}

/** The identifier that ends before a separator, whatever quotes, brackets and spaces stand between. */
function nameBefore(text: string, at: number): string {
  let end = at;
  // `:=`, `::` and the `%3D` of nested queries are left to the next separator.
  for (let skipped = 0; skipped < 8 && end > 0 && isBetween(text.charCodeAt(end - 1)); skipped += 1) end -= 1;
  let start = end;
  while (start > 0 && end - start < maxName && isNamePart(text.charCodeAt(start - 1))) start -= 1;
  return text.slice(start, end);
}

const isBetween = (code: number): boolean =>
  code === 32 || code === 34 || code === 39 || code === 92 || code === 93 || code === 96 || code === 9;
const isNamePart = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95 ||
  code === 45 ||
  code === 46;

function secretAfter(text: string, separator: number, name: string): Value | null {
  const lower = name.toLowerCase();
  if (lower.endsWith("authorization")) return credentials(text, separator);
  if (/(?:^|[^a-z])(?:set-)?cookie$/.test(lower) && text[separator] === ":") return toEnd(text, separator);
  const telling = tellingOf(name);
  if (telling === null) return null;
  const value = valueAfter(
    text,
    separator,
    text[startOf(text, separator) - 1] === "&" || queryBefore(text, separator, name),
  );
  if (value === null) return null;
  // Error codes have fewer digits, and no quotes.
  if (lower === "code" && value.quoted && /^\d{6,8}$/.test(text.slice(value.from, value.until))) return value;
  const place: Place = { quoted: value.quoted, assigned: isAssigned(text, separator) };
  // How test runners count: "pass: 42".
  if (lower === "pass" && !place.assigned && /^\d+$/.test(text.slice(value.from, value.until))) return null;
  if (/(?:phrase|mnemonic)$/i.test(name) && !value.quoted) {
    const words = toEnd(text, separator);
    if (words !== null && /^[a-z]{2,12}(?: [a-z]{2,12}){2,24}$/.test(text.slice(words.from, words.until)))
      return words;
  }
  const secret = judged(text, value, telling, place);
  return secret !== null && telling === "password" && !value.quoted ? withWords(text, secret) : secret;
}

/** `password=correct horse battery staple`: small words go on after a small word, unless they say something about it. */
function withWords(text: string, value: Value): Value {
  if (!/^[a-z]{3,12}$/.test(text.slice(value.from, value.until))) return value;
  const more =
    /^(?: (?!(?:for|from|at|host|port|failed|rejected|to|on|in|is|was|and|or|user|db|with|not|has|of|by|the)\b)[a-z]{3,12}(?![\w=:.-])){1,23}/.exec(
      text.slice(value.until, value.until + 320),
    );
  return { ...value, until: value.until + (more?.[0].length ?? 0) };
}

function judged(text: string, value: Value, telling: Telling, place: Place): Value | null {
  const inside = text.slice(value.from, value.until);
  const scheme = /^(?:bearer|basic|token|apikey|ssws)\s{1,3}/i.exec(inside)?.[0] ?? "";
  if (isSecretValue(scheme === "" ? telling : "key", inside.slice(scheme.length), place)) {
    return { ...value, from: value.from + scheme.length };
  }
  return null;
}

/** `=`, `=>`, `:=`, `":"`; a colon with a space after it may be the colon of a sentence. */
function isAssigned(text: string, separator: number): boolean {
  if (text[separator] === "=") return true;
  const next = text[separator + 1];
  return next !== undefined && next !== " " && next !== "\t" && next !== "\n";
}

const queryBefore = (text: string, separator: number, name: string): boolean =>
  "?&".includes(text[separator - name.length - 1] ?? " ");

/** After the separator, its doubles and spaces. */
function startOf(text: string, separator: number): number {
  let at = separator + 1;
  while (at < separator + 3 && "=:>~".includes(text[at] ?? "\n")) at += 1;
  for (let spaces = 0; spaces < 8 && (text[at] === " " || text[at] === "\t"); spaces += 1) at += 1;
  return at;
}

function valueAfter(text: string, separator: number, inQuery: boolean): Value | null {
  return valueAt(text, startOf(text, separator), inQuery);
}

/** The value that begins here: in quotes (escaped ones too) to their end, else to white space or what ends a pair. */
function valueAt(text: string, start: number, inQuery: boolean): Value | null {
  const head = text.slice(start, start + 24);
  const opener = /^(?:[bruf]{0,2})(\\{0,7}["'`])/.exec(head);
  if (opener !== null) {
    const from = start + opener[0].length;
    const until = closing(text, from, opener[1] ?? "");
    if (until !== null) return { from, until, quoted: true };
    const bare = endOfWord(text, from, inQuery);
    return bare === from ? null : { from, until: bare, quoted: true };
  }
  if (/^[[(]/.test(head)) return inBrackets(text, start);
  if (/^[{<]/.test(head) || head === "") return null;
  const until = endOfWord(text, start, inQuery);
  return until === start ? null : { from: start, until, quoted: false };
}

/** `password=[x]`: one value, not a list of them. */
function inBrackets(text: string, start: number): Value | null {
  const inside = /^[[(]([^\s"'`,()[\]{}<>]{4,256})[)\]]/.exec(text.slice(start, start + 260))?.[1];
  return inside === undefined ? null : { from: start + 1, until: start + 1 + inside.length, quoted: false };
}

/** Where the closing quote stands: the same one behind as many backslashes, as far as the line goes. */
function closing(text: string, from: number, quote: string): number | null {
  const mark = quote.at(-1) ?? '"';
  const depth = quote.length - 1;
  const limit = Math.min(text.length, from + maxValue);
  for (let at = text.indexOf(mark, from); at >= 0 && at < limit; at = text.indexOf(mark, at + 1)) {
    let slashes = 0;
    while (at - slashes > from && text[at - slashes - 1] === "\\") slashes += 1;
    if (slashes <= depth) {
      const value = text.slice(from, at - slashes);
      return value.includes("\n") ? null : at - slashes;
    }
  }
  return null;
}

const stops =
  /[\s"'`<>]|\\["']|\\[nrt](?=[A-Za-z_][\w.-]{0,40}[=:])|;(?=[A-Za-z][A-Za-z ]{1,30}=)|;(?=\s|$)|,(?=[\w"' .-]{1,40}[=:]|\s|$)/g;
const queryStops = /[\s"'`<>&]|\\["']/g;

function endOfWord(text: string, from: number, inQuery: boolean): number {
  const stop = inQuery ? queryStops : stops;
  const slice = text.slice(from, from + maxValue);
  stop.lastIndex = 0;
  const end = stop.exec(slice)?.index ?? slice.length;
  // A bracket or a full stop after a value closes the sentence around it.
  const tail = /[)\]},;.]{1,4}$/.exec(slice.slice(0, end))?.[0].length ?? 0;
  return from + (tail === end ? end : end - tail);
}

/** `Authorization: Bearer abc`: the scheme stays, what follows goes. */
function credentials(text: string, separator: number): Value | null {
  const line = toEnd(text, separator);
  if (line === null) return null;
  const inside = text.slice(line.from, line.until);
  const [, scheme = "", rest = ""] = /^(?:([A-Za-z][\w-]{1,20})\s{1,3})?(\S.*)$/s.exec(inside) ?? [];
  if (scheme === "") return isSecretValue("key", rest, { quoted: false, assigned: false }) ? line : null;
  const from = line.from + inside.indexOf(rest, scheme.length);
  if (/^(?:digest|oauth|hawk|negotiate|ntlm|signature|hoba|mutual|aws4-hmac-sha256)$/i.test(scheme)) {
    // Its parts are in quotes of their own, unless the whole header is in some.
    const end = /[\n\r]|\\[nr]/.exec(text.slice(from, from + maxValue))?.index ?? text.length;
    return line.quoted ? { ...line, from } : { ...line, from, until: Math.min(text.length, from + end) };
  }
  const word = /^[^\s,;]+/.exec(rest)?.[0] ?? "";
  if (/^(?:bearer|basic|token|apikey|ssws|bot|key|genie ?key|pat|jwt)$/i.test(scheme)) {
    return word.length >= 4 && isSecretValue("key", word, { quoted: true, assigned: true })
      ? { ...line, from, until: from + word.length }
      : null;
  }
  return looksRandom(word, 16) ? { ...line, from, until: from + word.length } : null;
}

/** From after the separator to the closing quote around it, or to the end of the line. */
function toEnd(text: string, separator: number): Value | null {
  const start = startOf(text, separator);
  const quoted = valueAt(text, start, false);
  if (quoted?.quoted === true) return quoted;
  const end = /["'`\n\r]|\\["'nr]/.exec(text.slice(start, start + maxValue))?.index;
  const until = end === undefined ? Math.min(text.length, start + maxValue) : start + end;
  return until <= start ? null : { from: start, until, quoted: false };
}

const flag =
  /(?<![^\s"'`([,=])(-{0,2})([A-Za-z][A-Za-z0-9_.-]{0,63})(?:[ \t]{1,4}|\\{0,3}["'],[ \t]{0,2}(?=\\{0,3}["']))/g;

/** `--password value`, also as neighbours of a JSON array; `set aws_secret_access_key value`, `requirepass value`. */
function redactFlags(text: string, mark: string): string {
  let result = "";
  let kept = 0;
  flag.lastIndex = 0;
  for (let match = flag.exec(text); match !== null; match = flag.exec(text)) {
    const [, dashes = "", name = ""] = match;
    const telling = tellingOf(name);
    if (
      telling === null ||
      (dashes === "" && (proseWords.test(name) || telling === "opaque" || telling === "random"))
    )
      continue;
    const value = valueAt(text, flag.lastIndex, false);
    if (value === null || text[value.from] === "-") continue;
    if (dashes === "" && !isKeyLike(text.slice(value.from, value.until))) continue;
    const secret = judged(text, value, telling, { quoted: value.quoted, assigned: true });
    if (secret === null) continue;
    result += text.slice(kept, secret.from) + mark;
    kept = secret.until;
    flag.lastIndex = Math.max(flag.lastIndex, secret.until);
  }
  return kept === 0 ? text : result + text.slice(kept);
}

/** What a sentence may hold; secret-sentences.ts judges what follows them there. */
const proseWords =
  /^(?:pass(?:word|wd|phrase|code)?|pwd|secrets?|tokens?|credentials?|keys?|otp|pin|auth|session|cookies?|signature|code|state|ticket|bearer)$/i;
const isKeyLike = (value: string): boolean =>
  value.length >= 8 && isMixed(value) && !/^[\w.-]+[:=(][^=]|^\d+(?:\.\d+)+/.test(value);
