/** What other languages call a password, a pin, a token, and how a value follows such a word. */
import { codeHints, codes, latin, latinHints, other } from "./language-words.ts";
import { isMixed, isSecretValue } from "./names.ts";

const latinCue = new RegExp(`(?<![\\p{L}\\p{N}])(?:${latin.join("|")})(?![\\p{L}\\p{N}_-])`, "giu");
const otherCue = new RegExp(`(?:${other.join("|")})`, "giu");
const codeCue = new RegExp(`(?<![a-z])(?:${codes.join("|")})(?![a-z])`, "giu");

/** How a sentence goes on that says something about a password. */
const aboutIt =
  /^(?:falsch|ungültig|abgelaufen|erforderlich|fehlt|geändert|leer|richtig|korrekt|vergessen|gesetzt|nein|ja|incorrecte?|invalide|expiré|requis|manquant|oublié|incorrect[oa]|inválid[oa]|errat[oa]|scadut[oa]|richiest[oa]|dimenticat[oa]|caducad[oa]|requerid[oa]|expirad[oa]|obrigatóri[oa]|onjuist|verlopen|vereist|ongeldig|vergeten|nieprawidłowe|wygasło|wymagane|błędne|špatné|neplatné|chybné|yanlış|geçersiz|gerekli|felaktigt|fel|ugyldig|forkert|feil|väärin|virheellinen|wrong|required|invalid|expired|missing|changed|accepted|rejected|oui|non|si|sí|no|sim|não|tak|nie|ano|ne|evet|hayır)$/i;
const separator =
  /^["'»”)\]]{0,2}\s{0,3}(?:[:=：＝]|->|=>|»)\s{0,3}|^\s{1,3}(?:lautet|ist|est|es|è|é|jest|är|er|on|is|je|это|є|είναι|هي|هو|है)\s{1,3}:?\s{0,2}|^(?:は|が|是|为|為|은|는|이|가)\s{0,3}[:：]?\s{0,2}/iu;

/** How far from the word its value may stand. */
const reach = 90;

export function redactLanguages(text: string, mark: string): string {
  let result = text;
  const lower = text.toLowerCase();
  // Words of other alphabets are rare in logs.
  const isOther = /[^\u0000-\u024f]/.test(result);
  if (isOther) result = eachCue(result, otherCue, mark, valueBeside);
  if (latinHints.some((hint) => lower.includes(hint)))
    result = eachCue(result, latinCue, mark, valueInSentence);
  return isOther || codeHints.some((hint) => lower.includes(hint))
    ? eachCue(result, codeCue, mark, numberBeside)
    : result;
}

type Find = (rest: string) => { from: number; until: number } | null;

function eachCue(text: string, cue: RegExp, mark: string, find: Find): string {
  let result = "";
  let kept = 0;
  for (const match of text.matchAll(cue)) {
    const end = match.index + match[0].length;
    if (end < kept) continue;
    const line = text.slice(end, end + reach + 256).split(/[\n\r]/, 1)[0] ?? "";
    const found = find(line);
    if (found === null || line.startsWith("[redacted]", found.from)) continue;
    result += text.slice(kept, end + found.from) + mark;
    kept = end + found.until;
  }
  return kept === 0 ? text : result + text.slice(kept);
}

/** Japanese, Russian, Arabic ...: the first run of ASCII that may be a value. */
const valueBeside: Find = (rest) => {
  const after = separator.exec(rest)?.[0].length ?? null;
  for (let at = after ?? 0, words = 0; words < 6 && at < reach; words += 1) {
    const found = asciiRun(rest, at);
    if (found === null) return null;
    const value = rest.slice(found.from, found.until);
    // `Пароль пользователя: x`: what stands between is in the same language, and the colon says it.
    const near = found.from - (after ?? -9) <= 1 || /[:：=＝—–-]\s{0,3}$/u.test(rest.slice(0, found.from));
    const isMixedRun = /\d/.test(value) && value.length >= 6 && isMixed(value);
    if (
      (found.quoted || (near && value.length >= 4) || isMixedRun) &&
      isSecretValue("password", value, { quoted: found.quoted, assigned: false })
    )
      return found;
    at = found.until + 1;
  }
  return null;
};

const valueInSentence: Find = (rest) => {
  const after = separator.exec(rest);
  const start = after?.[0].length ?? 0;
  const first = quotedOrRun(rest, start);
  if (after !== null && first !== null && first.from - start <= 1) {
    const value = rest.slice(first.from, first.until);
    const isOne =
      isSecretValue("password", value, { quoted: first.quoted, assigned: false }) && !aboutIt.test(value);
    const isEnd = /^["'.!»”)]{0,3}\s*$/.test(rest.slice(first.until));
    if (isOne && (first.quoted || isMixed(value) || (isEnd && value.length >= 4))) return first;
  }
  // A few words further on: only what is no word.
  for (let at = start, words = 0; words < 7 && at < reach; words += 1) {
    const found = quotedOrRun(rest, at);
    if (found === null) return null;
    const value = rest.slice(found.from, found.until);
    if (
      value.length >= 6 &&
      /\d/.test(value) &&
      isMixed(value) &&
      !/^[\w.-]+\/|^\/|@[\w-]+\.|^\w+=|^\d+\w{0,3}$|:\/\//.test(value)
    )
      return isSecretValue("key", value, { quoted: true, assigned: true }) ? found : null;
    at = found.until + 1;
  }
  return null;
};

const numberBeside: Find = (rest) => {
  const found =
    /^(?:[^\d\n;。]{0,32}?)((?<![\dA-Za-z.,:/-])(?:\d{4,9}|\d{3}[ -]\d{3})(?![\d:.,/-]?\d|[A-Za-z%]))/.exec(
      rest,
    );
  if (found?.[1] === undefined) return null;
  const until = found[0].length;
  return { from: until - found[1].length, until };
};

const asciiRun = (text: string, start: number) => {
  const found = /[!-~]{2,256}/.exec(text.slice(start));
  return found === null ? null : quotedOrRun(text, start + found.index);
};

function quotedOrRun(text: string, start: number): { from: number; until: number; quoted: boolean } | null {
  const match =
    /["'«„“”「『`]?([^\s"'«»„“”「」『』`、。，؛،\u0590-\u1fff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2,256})/u.exec(
      text.slice(start),
    );
  if (match?.[1] === undefined) return null;
  const quoted = match[0].length > match[1].length;
  const from = start + match.index + match[0].length - match[1].length;
  const tail = quoted ? 0 : (/[.,;:!?)\]]{1,4}$/.exec(match[1])?.[0].length ?? 0);
  return tail === match[1].length ? null : { from, until: from + match[1].length - tail, quoted };
}
