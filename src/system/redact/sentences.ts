/** Secrets in prose: `with password 'x'`, `Bearer abc`, `The password is: x`, `a password is generated: x`. */
import { isMixed, isSecretValue, isUserAndPassword, looksRandom } from "./names.ts";

const thing =
  "(?:password|passwd|passphrase|passcode|pass phrase|pwd|secret|token|(?:api|access|secret|private|license|unseal|recovery) ?key|pin|otp)";
/** A value in quotes after the word, with at most three words between. */
const inQuotes = new RegExp(
  `(\\b${thing}\\b(?:[ \\t]{1,3}[a-z]{1,12}){0,3}[ \\t]{1,3}["'\`])([^\\s"'\`]{4,256})(?=["'\`])`,
  "gi",
);
/** A mixed value after the word, `is`, `was`, `to` or `as` between or not. */
const plain = new RegExp(
  `(\\b${thing}[ \\t]{1,3}(?:[a-z]{1,12}[ \\t]{1,3}){0,4}?(?:(?:is|was|to|as|of|now)[ \\t:]{1,3})?)(?![a-z]{1,40}(?:[\\s,.;:!?)]|$))([^\\s"'\`]{6,256})`,
  "gi",
);
/** `... password is swordfish` at the end of a line: a lone word after `is`, unless it says something about it. */
const lastWord =
  /(\b(?:password|passphrase|passcode|pwd|pin|secret)(?:[ \t]{1,3}[\w@.-]{1,32}){0,4}?[ \t]{1,3}(?:is|was|(?<=\b(?:set|changed|reset|updated|switched)[ \t]{1,3})to)[ \t:]{1,3})([^\s"'`]{4,64})(?=[.!]?(?:\r?\n|$))/gi;
/** A lone mixed value at the end of a line, or on the line after it, when the sentence before it speaks of one. */
const afterColon = new RegExp(
  `(\\b${thing}\\b[^\\n:=]{0,80}:(?:[ \\t]{1,3}|[ \\t]{0,3}\\n{1,2}[ \\t]{0,8}))([^\\s"'\`]{8,256})(?=[ \\t]{0,3}(?:\\r?\\n|$))`,
  "gi",
);
/** In quotes right after it, whatever it is: `psk 'two words'`, `The password is "two words"`. */
const quotedPhrase =
  /((?<!["'`])\b(?:pass(?:word|wd|phrase|code)|psk|pwd|pin)\b(?:[ \t]{1,3}(?:for|of)[ \t]\S{1,32})?[ \t]{0,3}(?:[ \t](?:is|was|set to|now|changed to)|[:=])?[ \t]{1,3}(["']))((?!\2)[^"'\n]{4,256})(?=\2)/gi;
const bearer = /(\b(?:bearer|apikey|api-key)[ \t]{1,3})([A-Za-z0-9._~+/=:-]{8,4096})/gi;
const basic = /(\bbasic[ \t]{1,3})([A-Za-z0-9+/_-]{8,2048}={0,2})/gi;

/** Further off, where only what cannot be a word is taken: `tried "x"`, `login: admin / x`, `PASS x`, `admin:x@10.0.0.1`. */
const further: readonly RegExp[] = [
  /(\bpassword\b[^\n"'`]{0,60}["'`])([^\s"'`]{8,256})(?=["'`])/gi,
  /(\bpassword\b[^\n]{0,60}?[ \t]from[ \t]{1,3}\S{1,256}[ \t]{1,3}to[ \t]{1,3})([^\s"'`]{8,256})/gi,
  /(\b(?:login|credentials?|user(?:name)?)\b[^\n:=]{0,20}[:=][ \t]{0,3}[\w.@-]{1,64}[ \t]{0,3}\/[ \t]{0,3})([^\s"'`/]{8,256})/gi,
  /(\b(?:login|logon|creds?|credentials?|account)[ \t]{0,2}[ \t:=][ \t]{0,2}[\w.@-]{1,64}[/:])([^\s"'`/]{8,256})/gi,
  /(\b(?:logged in|login|sign(?:ed)? in|authenticat\w{1,5}|askpass)\b[^\n"'`]{0,24}?\b(?:using|with|answered)[ \t]{1,3})([^\s"'`]{8,256})/gi,
  /(\b(?:credentials?|creds|logging in)\b[ \t](?:for|as)[ \t][\w.@-]{1,64}(?::|[ \t]with)[ \t]{1,3})([^\s"'`]{8,256})/gi,
  /(\bpasswords?\b[^\n]{0,40}\n(?:[^\n]{0,80}?[\]\w]:[ \t]{1,3})?[\w.-]{1,32}:)([^\s"'`]{8,256})(?=\s|$)/gi,
  /(\[pass\][ \t]\[)([^\s"'`\]]{8,256})/gi,
  /(\btried[ \t]{1,3}["'`])([^\s"'`]{8,256})(?=["'`])/gi,
  /(\bsecret[ \t]for[ \t][^\n:]{1,64}:[ \t]{1,3}["'`])([^\s"'`]{8,256})(?=["'`])/gi,
  /(\bPASSMOD\b[^\n]{0,80}?["'`])([^\s"'`]{8,256})(?=["'`])/gi,
  /(\b\w{0,20}pass(?:word)?,[ \t]?<<["'])([^\s"'`]{4,256})(?=["']>>)/gi,
  /(\bsyntax error at or near[ \t]["'])([^\s"'`]{8,256})(?=["'])/gi,
  /(\b[A-Z]{1,16}_(?:PASS|PASSWORD|PASSWD|PWD)[ \t]is[ \t]{1,3})([^\s"'`]{8,256})/g,
  /(\bcommunity(?:[ \t]string)?[ \t:=]{1,3}["']?)([^\s"'`]{8,256})/gi,
  /((?:^|[>\s])(?:PASS|AUTH)[ \t]{1,3})([^\s"'`/]{8,256})(?=\s{0,3}$)/gm,
  /((?<![\w/.:-])[A-Za-z][\w.-]{0,63}:)([^\s@"'/:]{8,128})(?=@[\w-]{1,63}\.[\w.-]{1,200})/g,
];
/** `[sudo] password for bob: x`, `your temporary password is x, change it`, `passwd -> x` */
const prompted: readonly RegExp[] = [
  /(\b(?:password|passphrase|passcode)[ \t]for[ \t][^\n:]{1,64}:[ \t]{1,3})([^\s"'`]{4,64})(?=\s{0,3}$)/gim,
  /(\b(?:temporary|initial|default|generated|new|current|old|one-time)[ \t](?:\w{1,16}[ \t])?(?:password|passphrase|passcode|pin)[ \t]{1,3}(?:is|was)[ \t:]{1,3})([^\s"'`,;]{4,64})(?=[,;.](?:\s|$))/gi,
  /(\b(?:password|passwd|passphrase|pwd|secret)[ \t]{1,3}->[ \t]{1,3})([^\s"'`]{4,64})(?=\s{0,3}$)/gim,
  /(\blogin\b[^\n]{0,30}\[b?'?[\w.@-]{1,64}'?\/b?'?)([^\s'\]]{2,256})(?=['\]])/gi,
];
const sessionWord = /(\bsession(?:[ _-]?id)?[ \t]{1,3})([A-Za-z0-9_.-]{20,256})/gi;
const keyInBrackets = /(\b[\w-]{0,24}(?:key|token|secret|password)\[)([A-Za-z0-9_.+/=-]{12,256})(?=\])/gi;
const loginWord = /(\b(?:login|logon|authtoken)[ \t]{1,3})([A-Za-z0-9_.-]{20,256})/gi;

const aboutIt =
  /^(?:expired|required|incorrect|invalid|missing|wrong|empty|unset|correct|valid|weak|short|long|changed|unchanged|disabled|enabled|unknown|reset|set|stored|hidden|ok|good|bad|strong|needed|null|none|true|false|stale|revoked|locked|optional|mandatory|accepted|rejected|ready|used|unused|high|low|input|output|proceed|continue|login|access|use|enter|unlock|sign|not|here|there|lost|gone|sent|safe|secret|blank|public|ignored|rotated|encrypted|plain|plaintext|wrong\.)$/i;

export function redactSentences(text: string, mark: string): string {
  const whenSecret = (test: (value: string) => boolean) => (all: string, head: string, value: string) =>
    !value.startsWith("[redacted]") && test(value) ? `${head}${mark}` : all;
  const trimmed = (value: string) => value.replace(/[.,;:!?)\]]{1,6}$/, "");
  const plainValue = (value: string) => {
    const bare = trimmed(value);
    return (
      isMixed(bare) &&
      bare.length >= 6 &&
      !/^[\w.-]+\(|^--?[a-z]|[/@]|^\d+[a-z]{1,3}$|^[a-z]+\d?$|^[A-Z][a-z]+(?:[A-Z][a-z]+)*$|^[a-z]+(?:[A-Z][a-z]+)+$|^[\w-]+[=:]|\\&|^\d.{0,6}$|^[([]/.test(
        bare,
      ) &&
      isSecretValue("key", bare, { quoted: true, assigned: true })
    );
  };
  let result = text;
  for (const rule of further)
    result = result.replace(
      rule,
      whenSecret((value) => isStrong(trimmed(value))),
    );
  for (const rule of prompted)
    result = result.replace(
      rule,
      whenSecret(
        (value) =>
          !aboutIt.test(trimmed(value)) &&
          isSecretValue("password", trimmed(value), { quoted: false, assigned: false }),
      ),
    );
  return result
    .replace(
      sessionWord,
      whenSecret((value) => looksRandom(value, 20)),
    )
    .replace(
      keyInBrackets,
      whenSecret((value) => looksRandom(value, 12)),
    )
    .replace(
      loginWord,
      whenSecret((value) => looksRandom(value, 20)),
    )
    .replace(
      bearer,
      whenSecret((value) => (/\d/.test(value) && value.length >= 12) || looksRandom(value, 16)),
    )
    .replace(quotedPhrase, (all, head: string, _quote: string, value: string) =>
      value.includes("[redacted]") ||
      !isSecretValue("password", value, { quoted: false, assigned: false }) ||
      aboutIt.test(value)
        ? all
        : `${head}${mark}`,
    )
    .replace(basic, whenSecret(isUserAndPassword))
    .replace(
      inQuotes,
      whenSecret((value) => isMixed(value) && isSecretValue("key", value, { quoted: true, assigned: true })),
    )
    .replace(
      afterColon,
      whenSecret(
        (value) =>
          isMixed(trimmed(value)) &&
          isSecretValue("key", value, { quoted: true, assigned: true }) &&
          !/^[\w.-]+:[\w.-]+$/.test(value),
      ),
    )
    .replace(
      lastWord,
      whenSecret(
        (value) =>
          !aboutIt.test(trimmed(value)) &&
          isSecretValue("password", trimmed(value), { quoted: false, assigned: false }),
      ),
    )
    .replace(plain, whenSecret(plainValue));
}

/** What password rules demand, and no word or name fulfils: small and capital letters and digits, or a sign among them. */
function isStrong(value: string): boolean {
  const letters = /[a-z]/.test(value) && /\d/.test(value);
  return (
    letters &&
    (/[!#$%^&*+=?~]/.test(value) || /[A-Z]/.test(value)) &&
    isSecretValue("key", value, { quoted: true, assigned: true })
  );
}
