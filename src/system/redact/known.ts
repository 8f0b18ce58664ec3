/**
 * The secrets of Argus's own settings, taken out of any text by value, in the forms in which others repeat them.
 *
 * They are kept in the module, set where the settings are read: a value that had to be passed along could be forgotten
 * in one place, and that place would be the leak.
 */
import { stringify } from "../printable.ts";
import { spellingsOf } from "./known-spelled.ts";

export interface KnownSecret {
  /** The setting that holds it, for the sentence about one that cannot be found in text. */
  readonly name: string;
  readonly value: string;
  /** All that the setting holds, and no part of it. */
  readonly whole?: boolean;
}

/** Shorter ones stand in half of all words; so do words that Argus itself writes. */
const fewestCharacters = 6;
/** What is left of a secret at a cut is taken out from this length on. */
const fewestOfCut = 8;
/** A longer one is no secret, but a file. */
const mostCharacters = 4096;

/** Takes the secrets that it was made for out of a text. */
export type Hide = (text: string, mark: string) => string;

const nothing: Hide = (text) => text;
let hide: Hide = nothing;
let version = 0;
/** Another number, whenever other secrets are known: for those who remember redacted text. */
export const knownVersion = (): number => version;
let known: ReadonlySet<string> = new Set();
const lost = new Set<string>();
/** Ten keys changed a day for a month. */
const mostKnown = 300;
let ownWords: () => Iterable<string> = () => [];

/**
 * @param own what Argus's files and outputs hold for reasons of their own (names of fields, types, severities): a
 *   secret that stands in one of them would take every file apart.
 */
export function protectWords(own: () => Iterable<string>): void {
  let words: string[] | null = null;
  ownWords = () => (words ??= [...own()].map((word) => word.toLowerCase()));
}

/**
 * Besides those known before: what was in force until a reload still stands in errors that are under way, and in
 * settings that stay in force because the new ones are wrong.
 */
export function knowSecrets(secrets: readonly KnownSecret[]): void {
  for (const { name, value, whole } of secrets)
    if (whole === true && value.trim() !== "" && !canBeFound(value.trim())) lost.add(name);
  const more = secrets
    .map(({ value }) => value.trim())
    .filter((value) => canBeFound(value) && !known.has(value));
  if (more.length === 0) return;
  known = new Set([...known, ...more].slice(-mostKnown));
  hide = hiderOf([...known]);
  version += 1;
}

/** For tests, which share one process. */
export function forgetSecrets(): void {
  known = new Set();
  lost.clear();
  version += 1;
  hide = nothing;
}

export const hideKnown: Hide = (text, mark) => hide(text, mark);

/** Names of settings whose secret is too short, or too common a word, to be taken out of text by its value. */
export const secretsNotHidden = (): string[] => [...lost];

function canBeFound(value: string): boolean {
  if (value.length < fewestCharacters || value.length > mostCharacters) return false;
  // Days, times and counts.
  if (/^\d+$/.test(value) && value.length < 9) return false;
  // Only a name of letters can stand in one of ours.
  if (!/^[A-Za-z][A-Za-z_ .-]*$/.test(value)) return true;
  const lower = value.toLowerCase();
  for (const word of ownWords()) if (word.includes(lower)) return false;
  return true;
}

export function hiderOf(secrets: readonly string[]): Hide {
  const values = [...new Set(secrets)];
  if (values.length === 0) return nothing;
  const longestFirst = (a: string, b: string): number => b.length - a.length;
  const forms = [...new Set(values.flatMap(formsOf))].sort(longestFirst);
  const cores = [...new Set(values.flatMap(coresOf))].sort(longestFirst);
  // `Bearer k` is the beginning of many a header.
  const cuttable = values.filter((value) => !/\s/.test(value));
  const withoutSpelled = spellingsOf(values);
  return (text, mark) => {
    let result = text;
    for (const form of forms) if (result.includes(form)) result = result.split(form).join(mark);
    for (const core of cores) if (result.includes(core)) result = withoutRun(result, core, mark);
    return withoutSpelled(withoutCut(result, cuttable, mark), mark);
  };
}

/** As others may write it: percent-encoded, escaped for JSON once or twice, for HTML, in hexadecimal. */
function formsOf(value: string): string[] {
  const json = stringify(value).slice(1, -1);
  const percent = encodeURIComponent(value);
  const html = value
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
  const hex = Buffer.from(value).toString("hex");
  return [
    value,
    json,
    stringify(json).slice(1, -1),
    // Go and PHP escape more than they must.
    json.replace(/[<>&']/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`),
    json.replaceAll("/", "\\/"),
    percent,
    percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    percent.replaceAll("%20", "+"),
    encodeURI(value),
    encodeURIComponent(percent),
    html,
    html.replaceAll("&quot;", "&#34;").replaceAll("'", "&#39;"),
    html.replaceAll("'", "&#x27;"),
    value.replaceAll("'", "'\\''"),
    hex,
    hex.toUpperCase(),
    ...(value.length >= 8
      ? [value.toUpperCase(), value.toLowerCase()].filter((each) => isFarFromWords(each, value))
      : []),
    ...(value.length >= 12 ? [[...value].reverse().join("")] : []),
  ];
}

/** In other capitals (a header's name, a host), but not when that makes a plain word of it. */
const isFarFromWords = (form: string, value: string): boolean =>
  form !== value && /\d/.test(form) && form.length >= 12;

/** The base64 of any text that holds the secret, such as `user:secret`, wherever in the text it begins. */
function coresOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const found: string[] = [];
  for (const before of [0, 1, 2]) {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    const encoded = padded.toString("base64").replace(/=+$/, "");
    // Characters that hold bits of what stands before or after the secret are left out.
    const from = Math.ceil((before * 8) / 6);
    const core = encoded.slice(from, Math.floor((padded.length * 8) / 6));
    if (core.length < fewestOfCut) continue;
    found.push(core, core.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return found;
}

const isBase64 = (code: number): boolean =>
  (code >= 48 && code <= 57) ||
  (code >= 65 && code <= 90) ||
  (code >= 97 && code <= 122) ||
  code === 43 ||
  code === 45 ||
  code === 47 ||
  code === 95;

function withoutRun(text: string, core: string, mark: string): string {
  let result = "";
  let kept = 0;
  for (let at = text.indexOf(core); at >= 0; at = text.indexOf(core, kept)) {
    let from = at;
    while (from > kept && isBase64(text.charCodeAt(from - 1))) from -= 1;
    let until = at + core.length;
    while (until < text.length && isBase64(text.charCodeAt(until))) until += 1;
    while (text[until] === "=") until += 1;
    result += text.slice(kept, from) + mark;
    kept = until;
  }
  return result + text.slice(kept);
}

const cutMark = /(?:…|\.{3})?(?: ?\(\+\d{1,9}\))?["'\s]{0,3}$/;

/** Somebody cut the text within a secret: its beginning stands at the end, or its end at the beginning. */
function withoutCut(text: string, secrets: readonly string[], mark: string): string {
  let result = text;
  const tail = cutMark.exec(text.slice(-24))?.[0] ?? "";
  const body = text.length - tail.length;
  const from = secrets.reduce((least, secret) => Math.min(least, cutEnd(text, body, secret)), body);
  if (from < body) result = result.slice(0, from) + mark + tail;
  const head = /^["'\s]{0,3}(?:…|\.{3})?/.exec(result)?.[0].length ?? 0;
  const until = secrets.reduce((most, secret) => Math.max(most, cutStart(result, head, secret)), head);
  return until > head ? result.slice(0, head) + mark + result.slice(until) : result;
}

/** Where the beginning of a secret begins that goes to the end of the text. */
function cutEnd(text: string, body: number, secret: string): number {
  const first = secret.charCodeAt(0);
  for (let at = Math.max(0, body - secret.length + 1); at <= body - fewestOfCut; at += 1)
    if (text.charCodeAt(at) === first && secret.startsWith(text.slice(at, body))) return at;
  return body;
}

/** Where the end of a secret ends with which the text begins. */
function cutStart(text: string, head: number, secret: string): number {
  const last = secret.charCodeAt(secret.length - 1);
  for (let end = Math.min(text.length, head + secret.length - 1); end >= head + fewestOfCut; end -= 1)
    if (text.charCodeAt(end - 1) === last && secret.endsWith(text.slice(head, end))) return end;
  return head;
}
