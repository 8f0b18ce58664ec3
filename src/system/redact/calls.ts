/** Secrets among the arguments of calls, as traces and stack dumps show them, and what looks drawn alone in quotes. */
import { isDrawn, isOfAllKinds } from "./names.ts";

/** Functions that are handed a password or a key, of drivers, clients and libraries for hashes; PHP writes arguments into its traces. */
const call =
  /\b(?:(?:mysqli?|pg|oci|sqlsrv|odbc|ftp|ssh2|imap)_\w{0,16}(?:connect|login|open|auth_password)|ldap_bind|simple_bind(?:_s)?|PDO(?:->__construct)?|(?:get)?connect(?:ion)?|NetworkCredential|HTTP(?:Basic|Digest)Auth|log_?in|auth(?:enticate)?|identify|password_(?:hash|verify)|bcrypt\.(?:compare|hash)(?:Sync)?|hashpw|checkpw|(?:jwt|jsonwebtoken|JWT)\.(?:sign|verify|encode|decode)|createHmac|pbkdf2(?:Sync)?|UsernamePassword\w{0,32}|Credentials?)[ \t]?[([]/gi;
/** A value between quotes, commas, brackets. */
const argument = /(?<=[([,"'\s])[^\s"',()[\]]{8,128}(?=[,"')\]\s]|$)/g;
const longestCall = 400;
/** Nothing else in the quotes: a path, an expression or a name has no such signs, or not so many kinds of letters. */
const alone = /(["'`])([\w.+-]*[!#^&*?~][\w.!#^&*+?~-]*)(?=\1)/g;

export function redactCalls(text: string, mark: string): string {
  if (!/\d/.test(text)) return text;
  return amongArguments(text, mark).replace(alone, (all, quote: string, value: string) =>
    value.length <= 128 && isDrawn(value) ? `${quote}${mark}` : all,
  );
}

function amongArguments(text: string, mark: string): string {
  let result = "";
  let kept = 0;
  for (const { index, 0: head } of text.matchAll(call)) {
    const from = index + head.length;
    if (from < kept) continue;
    const inside = /^[^)\]\n]*/.exec(text.slice(from, from + longestCall))?.[0] ?? "";
    // The bracket before stands for what delimits the first one.
    const shown = `(${inside}`.replace(argument, (value) =>
      isOfAllKinds(value) && !/[/=:]/.test(value) ? mark : value,
    );
    result += text.slice(kept, from) + shown.slice(1);
    kept = from + inside.length;
  }
  return result + text.slice(kept);
}
