/** One-time codes, pins, backup codes, seed phrases, and secrets on the lines below the one that announces them. */
import { isMixed, isOfAllKinds, isSecretValue } from "./names.ts";

const cue =
  "(?:one[- ]?time[ -](?:pass(?:word|code)?|code|pin)|(?:otp|totp|2fa|mfa|sms|pin|pairing|verification|verify|security|login|log-?in|sign[- ]?in|confirmation|confirm|authentication|authenticator|authorization|access|activation|reset|unlock|device|user|recovery|backup|two[- ]factor|two[- ]step|steam guard|guard|whatsapp|google|google verification|telegram|signal|bank|card|door|alarm|gate|safe|voicemail|temporary) (?:pass)?code|(?:otp|totp|2fa|mfa|hardware|rsa|soft)[ -]token|otp|totp|2fa|mfa|passcode|m?tan|pin|puk2?|pin2|cvv2?|cvc2?|pass ?key|so[- ]pin)";
const number =
  "(?:\\d{4,10}|\\d{3}[- ]\\d{3}|[A-Z]{1,2}-\\d{4,8}|[A-Z0-9]{4}-[A-Z0-9]{4}(?:-[A-Z0-9]{4}){0,4})";
const ended = "(?![\\w%]|[.,:/-]\\d)";

/** `PIN: 4821`, `your verification code for x is 482 913`, `(code 482913)` */
const after = new RegExp(
  `((?<![\\w.-])${cue}s?\\b(?:[ \\t]{1,3}(?!length|must|attempts?|retries|after|expires?|timeout|port|error)[\\w@.'#()-]{1,24}){0,7}?[ \\t"']{0,3}(?:[:=#]|->|=>|\\bis\\b|\\bwas\\b|\\bto\\b)[ \\t]{0,3}["']?)(${number})${ended}`,
  "gi",
);
const beside = new RegExp(
  `((?<![\\w.-])${cue}[ \\t]{1,3}(?:code[ \\t]|number[ \\t])?["'(]?)(${number})${ended}(?![ \\t]{0,2}(?:times|attempts|seconds|ms|s|bytes|characters|digits|years?|months?|days?)\\b)`,
  "gi",
);
/** `482913 is your Example code`, `use 482913 to sign in` */
const before =
  /((?:^|[\s"'(<:>])(?:use[ \t]{1,3}|enter[ \t]{1,3}|type[ \t]{1,3}|with[ \t]{1,3})?)(\d{4,10}|\d{3}[- ]\d{3}|[A-Z]-\d{4,8})(?=[ \t]{1,3}(?:is|ist|est|es|è|é|er|är|to|as|for)[ \t]{1,3}(?:your|the|a|dein|ihr|votre|tu|su|il tuo|o seu|din|sign|log|verify|confirm|complete|continue)\b[^\n]{0,60}?(?:code|otp|pin|passcode|password|tan|sign[- ]?in|log[- ]?in|verify|verification|confirm|koden?|código|codice)\b)/gim;
const toUse =
  /(\b(?:use|enter|type|enter code|use code|code)[ \t]{1,3})(\d{4,10}|\d{3}[- ]\d{3}|[A-Z0-9]{4}-[A-Z0-9]{4})(?=[ \t]{1,3}(?:to (?:sign|log|verify|confirm|complete|continue|pair|finish|unlock)|as your|at https?:|on (?:your|the)))/gi;
const lone =
  /((?<![\w-])(?<!\b(?:exit|error|status|return|zip|postal|area|country|response|result|reason|stop|event|key|char|source|product|op)[ \t_-])code[ \t]{0,2}[: ][ \t]{0,3})(\d{6,8})(?![\w.])/gi;
const dashed =
  /((?:^|[\s"'(<:>#]))(\d{4,8}|\d{3}[- ]\d{3})(?=[ \t]{1,2}[-–—:][ \t]{1,2}(?:your|the)\b[^\n]{0,40}?\b(?:code|otp|pin|passcode)\b)/gim;
const steam = /(\bsteam[ -]?guard[ \t](?:code)?[ \t]{0,2}(?:is|:)?[ \t]{0,2})([A-Z0-9]{5})(?!\w)/gi;
const reversed =
  /((?:^|[\s"'(<:>#])(?:[A-Za-z]-)?)(\d{4,8}|\d{3}[- ]\d{3})(?=[ \t]{1,3}(?:is|ist|est|es|è|é)[ \t][^\n]{0,50}?\b(?:code|otp|pin|passcode|einmalpasswort|\w{0,20}code|código|codice)\b)/gim;
/** `code: 482913` with six to eight digits, which no exit code has */
const plainCode =
  /((?<![\w.-])(?:your|dein|ihr|votre|new|the)[ \t](?:\w{2,16}[ \t]){0,3}code[ \t]{0,3}(?::|is|ist|lautet|est)[ \t]{0,3}["']?)(\d{4,8}|\d{3}[- ]\d{3}|[A-Z0-9]{6,10})(?![\w-])/gi;

/** A list of them: `backup codes: a1b2c3d4, e5f6g7h8` */
const listCue =
  /\b(?:recovery|backup|scratch|emergency|rescue|one[- ]time|single[- ]use|2fa|mfa)[ _-](?:codes?|keys?|passwords?)\b[^\n:=]{0,60}[:=[]?[ \t]{0,3}/gi;
const listed =
  /^[\s"'[(]{0,4}((?:\d{1,2}[.)][ \t]{1,3})?)([A-Za-z0-9]{4,12}(?:[- ][A-Za-z0-9]{4,12}){0,7}|[A-Za-z0-9]{8,32})(?=[\s"',;\])]|$)/;

/** Twelve to twenty-four small words in a row, numbered or not. */
const wordRun =
  /(?<![\w-])(?:\d{1,2}[.):][ \t]{0,3})?[a-z]{3,8}(?:(?:[ \t]{1,3}|,[ \t]{0,3}|[ \t]{0,3}\n[ \t]{0,8}(?=\d))(?:\d{1,2}[.):][ \t]{0,3})?[a-z]{3,8}(?![\w'’=/.:-]*[=/:'’])){11,40}(?![\w-])/g;
const seedCue =
  /(?:seed|mnemonic|recovery (?:phrase|words)|secret phrase|backup phrase|bip-?39|wallet|passphrase|phrase)/i;
/** No word of BIP 39 is among them, and hardly a sentence of twelve words does without. */
const common = new Set(
  "the and for are was were has had not but its his her our their from into onto than been being does did doing done them they those these such per via out off all any can could would should must shall may might who whom whose which because while until between without within after before during against also only just each both few more most other some same very too now then here there how why what when where will your you she him use used using get got set let run runs ran see seen new old".split(
    " ",
  ),
);

export function redactCodes(text: string, mark: string): string {
  let result = text;
  if (/\d{2}|[A-Z]-\d|-[A-Z0-9]{4}/.test(result)) {
    const hide = (_: string, head: string): string => `${head}${mark}`;
    result = result
      .replace(after, (all, head: string, value: string) => (/\d/.test(value) ? `${head}${mark}` : all))
      .replace(beside, (all, head: string, value: string) => (/\d/.test(value) ? `${head}${mark}` : all))
      .replace(before, hide)
      .replace(toUse, hide)
      .replace(steam, hide)
      .replace(lone, hide)
      .replace(dashed, hide)
      .replace(reversed, hide)
      .replace(plainCode, (all, head: string, value: string) => (/\d/.test(value) ? `${head}${mark}` : all));
  }
  result = redactLists(result, mark);
  return redactSeeds(redactBelow(result, mark), mark);
}

function redactLists(text: string, mark: string): string {
  let result = "";
  let kept = 0;
  for (const match of text.matchAll(listCue)) {
    let at = match.index + match[0].length;
    if (at < kept) continue;
    for (let number = 0; number < 24; number += 1) {
      const rest = text.slice(at, at + 160);
      // A log prefix may stand before each line.
      const prefix = /^[\s,;"']{0,8}(?:\n[^\n]{0,80}?[\]\w]:[ \t]{1,3})?/.exec(rest)?.[0].length ?? 0;
      const code = listed.exec(rest.slice(prefix));
      if (code === null || !/\d/.test(code[2] ?? "") || /^(?:19|20)\d\d$/.test(code[2] ?? "")) break;
      const until = at + prefix + code[0].length;
      const from = until - (code[2] ?? "").length;
      result += text.slice(kept, from) + mark;
      kept = until;
      at = until;
    }
  }
  return kept === 0 ? text : result + text.slice(kept);
}

function redactSeeds(text: string, mark: string): string {
  if (!/(?:[a-z]{3,8}[\s,]{1,4}(?:\d{1,2}[.):][ \t]{0,3})?){11}/.test(text)) return text;
  return text.replace(wordRun, (run, at: number) => {
    const words = run.match(/[a-z]{3,8}/g) ?? [];
    const told = seedCue.test(text.slice(Math.max(0, at - 160), at));
    const numbered = /^\d/.test(run);
    const isCount = [12, 15, 18, 21, 24].includes(words.length);
    const ordinary = words.filter((word) => common.has(word)).length;
    if (told ? ordinary <= 1 : (isCount || numbered) && ordinary === 0 && isAlone(text, at, run.length))
      return mark;
    return run;
  });
}

/** Nothing but a prefix of the log before it on its line, and nothing after it. */
function isAlone(text: string, at: number, length: number): boolean {
  const head = text.slice(Math.max(0, text.lastIndexOf("\n", at - 1) + 1, at - 120), at);
  const tail = text.slice(at + length, at + length + 2);
  return /^$|[:\]>="'] ?["']?$/.test(head) && /^["'.]?(?:\s|$)/.test(tail);
}

/** The line that announces it: `... password to proceed to installation:`, `Save this token, it is not shown again` */
const announces =
  /\b(?:pass(?:word|phrase|code)|secret(?: key)?|token|api key|access key|private key|recovery key|one[- ]time code|verification code|credentials?|pin|seed|kennwort|passwort|mot de passe|contraseña|senha|wachtwoord)\b[^\n]{0,100}?(?::|below|proceed|following|again|now|installation|line|continue|safe|store it|copy it|save it|reset|generated|changed|key)[^\n]{0,40}$|\b(?:secret|private) key$/i;
/** What a log writes before its message. */
const prefixOf =
  /^(?:[^\n]{0,100}?(?:\w\[\d{1,10}\]|\b\w[\w.-]{0,30}\.service|\bINFO|\bWARN|\bnotice|\|)\]?:?[ \t]{1,3}|[ \t*#|>-]{0,12})/;

function redactBelow(text: string, mark: string): string {
  if (!text.includes("\n")) return text;
  const lines = text.split("\n");
  let open = 0;
  for (const [index, line] of lines.entries()) {
    if (open > 0) {
      const prefix = prefixOf.exec(line)?.[0].length ?? 0;
      const value = line
        .slice(prefix)
        .replace(/^[A-Za-z ]{1,24}:[ \t]{1,3}/, "")
        .replace(/^["'`*]+|["'`*\s]+$/g, "");
      if (/^[*=#_ -]*$/.test(value)) {
        open -= 1;
        continue;
      }
      if (isLoneSecret(value)) lines[index] = line.replace(value, () => mark);
      open = 0;
    }
    if (announces.test(line.slice(-300))) open = 4;
  }
  return lines.join("\n");
}

const isLoneSecret = (value: string): boolean =>
  /^[^\s]{6,256}$/.test(value) &&
  !value.startsWith("[redacted]") &&
  isMixed(value) &&
  !/^\/|:\/\/|[:;,]$/.test(value) &&
  (isOfAllKinds(value) || !/^[\w-]+(?:\.[\w-]+)+$/.test(value)) &&
  isSecretValue("key", value, { quoted: true, assigned: true });
