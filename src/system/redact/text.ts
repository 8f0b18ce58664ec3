/**
 * Takes secrets out of text before it leaves the process: to the model, to messages, to tickets, to logs. Pure, and
 * linear in the length of the text. It is the last line of defence and not a licence to send more than is needed.
 */

import { createHash } from "node:crypto";
import { redactVector } from "./argv.ts";
import { redactAssignments } from "./assignments.ts";
import { redactCalls } from "./calls.ts";
import { redactCodes } from "./codes.ts";
import { redactCommands } from "./commands.ts";
import { redactFormats, redactPrivateKeys } from "./formats.ts";
import { hideKnown, knownVersion } from "./known.ts";
import { redactLanguages } from "./languages.ts";
import { isDrawn } from "./names.ts";
import { redactProtocols } from "./protocols.ts";
import { remembering } from "./remembered.ts";
import { redactSentences } from "./sentences.ts";
import { redactSettingsLines } from "./settings-lines.ts";
import { redactShell } from "./shell.ts";

export const mark = "[redacted]";

/** The key of a problem about a session is none of a session, and a message without it leads nowhere. */
const problemKey = /^session:[0-9a-f]{16}$/;
const keyOfOurs = /((?:argus explain|Problem key:) session:[0-9a-f]{16}(?![\w-]))/;

const remembered = remembering(redactOnce);
let rememberedFor = knownVersion();

export function redact(text: string): string {
  if (text.length < 4 || problemKey.test(text)) return text;
  // No form of a secret is so short when no name stands beside it: names, states, numbers.
  if (text.length < 12 && /^[\w.,/+-]*$/.test(text)) return hideKnown(text, mark);
  if (rememberedFor !== knownVersion()) {
    remembered.forget();
    rememberedFor = knownVersion();
  }
  return remembered.of(text);
}

function redactOnce(text: string): string {
  const unknown = hideKnown(text, mark);
  if (!unknown.includes(" session:")) return redactAll(unknown);
  return unknown
    .split(keyOfOurs)
    .map((part, index) => (index % 2 === 1 ? part : redactAll(part)))
    .join("");
}

function redactAll(text: string): string {
  let result = redactPrivateKeys(text, mark);
  result = redactUrls(result);
  result = redactShell(result, mark);
  result = redactCommands(result, mark);
  result = redactSettingsLines(result, mark);
  result = redactAssignments(result, mark);
  result = redactProtocols(result, mark);
  result = redactSentences(result, mark);
  result = redactLanguages(result, mark);
  result = redactCodes(result, mark);
  result = redactCalls(result, mark);
  return redactFormats(result, mark);
}

/** `scheme://user:password@host`; a password may hold `@` and, unless it looks like a port, `/`. */
const userinfo =
  /([A-Za-z0-9]:\/\/[^\s/:@?#"'<>\\]{0,128}:)(?!\d{1,5}(?:[/?#"'\s]|$))([^\s"'<>\\]{1,256})@(?=[\w[$%{:-])/g;
/** `https://TOKEN@host`; `ssh://git@host` is none. */
const userOnly = /([A-Za-z0-9]:\/\/)([^\s/:@?#"'<>\\]{16,512})@/g;
/** Go's `user:password@tcp(host:3306)/db`. */
const goDsn = /((?<![\w/.-])[\w.-]{1,64}:)([^\s@"']{1,128})@(?=(?:tcp|tcp4|tcp6|unix)?\([^\s()]{1,255}\))/g;

/** `root:secret@db:3306`, `dom/bob:secret@host`, `bob:secret@:8080`; `app:v1@sha256:…` names an image. */
const noScheme =
  /((?<![\w.:@-])(?:[\w.-]{1,64}[/\\])?[\w.+-]{1,64}:)([^\s"'<>@:/\\]{8,128})@(?=[\w.[:-])(?!sha\d{1,3}:)/g;

function redactUrls(text: string): string {
  if (!text.includes("@")) return text;
  return text
    .replace(userinfo, (all, head: string, password: string) => {
      // A second URL, or a query with an address in it, began before the `@`.
      if (
        password.includes("://") ||
        /^[^@]*\/[^@]*\?/.test(password) ||
        /^(?:\$|<|\{\{|\*+$|\[redacted)/.test(password)
      )
        return all;
      return `${head}${mark}@`;
    })
    .replace(userOnly, (all, head: string, user: string) => (/\d/.test(user) ? `${head}${mark}@` : all))
    .replace(noScheme, (all, head: string, password: string) => (isDrawn(password) ? `${head}${mark}@` : all))
    .replace(goDsn, `$1${mark}@`);
}

/** Each argument of a command line, redacted where the boundaries are still known; joined afterwards. */
export const redactArguments = (args: readonly string[]): string[] => redactVector(args, mark, redact);

/** What was taken out of an argument vector, for those who want to know it again by value. */
export function partsRedacted(args: readonly string[]): string[] {
  const safe = redactArguments(args);
  return args.flatMap((arg, index) => {
    const kept = (safe[index] ?? "").split(mark);
    if (kept.length < 2) return [];
    const parts: string[] = [];
    let at = (kept[0] ?? "").length;
    for (const next of kept.slice(1)) {
      const end = next === "" ? arg.length : arg.indexOf(next, at);
      if (end < 0) return [];
      parts.push(arg.slice(at, end));
      at = end + next.length;
    }
    return parts.filter((part) => part !== "");
  });
}

/**
 * A name by which a thing is known again, without the secrets in it. Two that differ in their secret alone stay two: a
 * hash of it tells them apart, as the keys of problems are one.
 */
export function redactIdentity(identity: string): string {
  const safe = redact(identity);
  if (safe === identity) return identity;
  return `${safe}#${createHash("sha256").update(identity).digest("hex").slice(0, 8)}`;
}
