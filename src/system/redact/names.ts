/** Which names tell that a secret stands beside them, and which values beside such a name are one. Pure. */

/**
 * How much a name says. `password`: every value beside it is a secret. `key`: every value that is no plain number or
 * word. `pin`: the same, and numbers of 4 to 12 digits (a pin of a chip has two). `opaque`: only what looks random.
 * `random`: the same, but no hash of something, of which logs are full.
 */
export type Telling = "password" | "key" | "pin" | "opaque" | "random";

const list = (words: string): ReadonlySet<string> => new Set(words.split(" "));

const passwordWord =
  /(?:password|passwd|passphrase|passcode|pwd|mnemonic|(?:seed|recovery)_?phrase|passwort|kennwort|motdepasse|mdp|contrasena|contrasenya|senha|wachtwoord|haslo|heslo|sifre|losenord|passord|adgangskode|kodeord|salasana|jelszo|lozinka|parola|geslo|slaptazodis)$/;
const pinWord =
  /(?:^|sim|user|so|card|sms|new|old|mfa|2fa|bank|door|wps|login|auth)(?:pin|puk|tan|cvv|cvc|otp|totp|mfa|2fa|passkey)(?:code)?$/;
const passEnding =
  /(?:^|db|user|smtp|ftp|mail|admin|root|my|pg|ldap|bind|auth|key|store|rpc|ssh|sudo|require|become|ext|socks|proxy|http|web|gui|vnc|remote|local|guest|host|server|client|wifi|mqtt|redis|sql|imap|sasl|zip)(?:pass|pw)$/;
const keyWord =
  /(?:secret|token|apikey|apitoken|credential|credentials|privatekey|privkey|secretkey|accesskey|authkey|psk|jwt|authtoken|extraheader|samlresponse|samlrequest|assertion)$/;
/** `key` beside one of these is a secret key; beside another word (public, primary, cache) it is none. */
const keyOwners = list(
  "api access private secret signing sign encryption encrypt decryption master auth account shared session storage " +
    "service license licence deploy cipher crypto aes hmac app application client consumer webhook server ssl tls tsig " +
    "certificate rndc libsodium sodium setup network gossip enrollment root admin subscription integration ingest write rest jwt token wg wireguard preshared pre psk host unseal",
);
/** `verification_code`, and not `exit_code`. */
const pinOwners = list(
  "token pin verification security otp totp mfa 2fa auth sms login access confirmation activation backup recovery pairing passkey",
);
/** `--mfa-token 123456` is a one-time code; `--access-token` is none. */
const oneTime = list("otp totp mfa 2fa");
const opaqueWords = list(
  "auth authorization session sessionid sessid sid sig signature cookie cookies bearer ticket assertion phpsessid jsessionid csrf xsrf",
);
const ownedWords = list("token secret session password passwd apikey credential");
const randomWords = list(
  "key keys encrypt nonce tokens secrets passwords code hook webhook dsn state verifier challenge seed salt cert",
);
/** Words after which a name is about a secret, and the value none: `token_count`, `password-file`, `secretName`. */
const aboutIt = list(
  "count counts limit limits max min type types name names file files path paths dir directory url uri endpoint ttl expiry " +
    "expires expire expired expiration lifetime length len size policy policies rotation age version ref reference field " +
    "header headers prompt usage used total budget rate per authentication command cmd stdin store storage algorithm algo " +
    "attempts retries retry days rounds required enabled disabled exists valid validity class kind provider source manager " +
    "format encoding strength reset changed change check id ids in at issuer audience env variable var mode method methods " +
    "position index bucket buckets window stats cache cost price processing auth",
);
const asksWhether = list("no ask without skip disable hide show has is needs allow");
const aboutItBefore = list(
  "max min num number total input output completion prompt used remaining public primary foreign",
);

/** Splits `dbPassword`, `DB_PASSWORD` and `x-api-key` into words. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

const told = new Map<string, Telling | null>();

/** @returns null when the name tells nothing. */
export function tellingOf(name: string): Telling | null {
  const known = told.get(name);
  if (known !== undefined) return known;
  const telling = judgedName(name);
  // Names of fields come again and again; those of hostile text need not be kept.
  if (told.size > 2000) told.clear();
  if (name.length <= 64) told.set(name, telling);
  return telling;
}

function judgedName(name: string): Telling | null {
  const words = wordsOf(name);
  const last = words.at(-1);
  if (last === undefined) return null;
  // `client_secret_2`, `password1`
  const end = /^\d+$/.test(last) && words.length > 1 ? words.length - 2 : words.length - 1;
  const word = (words[end] ?? "").replace(/\d{1,3}$/, "");
  const before = words[end - 1] ?? "";
  const joined = before + word;
  // Units name the files of credentials with these.
  if (/^(?:load|import|condition|assert)credential/i.test(name)) return null;
  if (asksWhether.has(words[0] ?? "") && words.length > 1) return null;
  if (passwordWord.test(word) || passwordWord.test(joined) || passEnding.test(word)) return "password";
  if (before === "secret" && word === "id") return "key";
  if (words.some((each) => aboutItBefore.has(each)) || aboutIt.has(word)) {
    return word === "auth" ? "opaque" : null;
  }
  if (pinWord.test(word) || (word === "code" && pinOwners.has(before))) return "pin";
  if (word === "token" && oneTime.has(before)) return "pin";
  if (word === "cred" || keyWord.test(word) || keyWord.test(joined)) return "key";
  if ((word === "key" || word === "base") && words.some((each) => keyOwners.has(each))) return "key";
  if (word === "hash" && words.some((each) => passwordWord.test(each))) return "key";
  if (opaqueWords.has(word)) return "opaque";
  // `OP_SESSION_my`, `TF_TOKEN_app_example_com`: whose it is stands behind.
  if (/^[A-Z]+_/.test(name) && words.some((each) => ownedWords.has(each))) return "opaque";
  return randomWords.has(word) ? "random" : null;
}

/** What stands in place of a value, wherever it stands. */
const trivialWords = list(
  "true false yes no on off null none nil undefined unset empty required optional enabled disabled set missing invalid " +
    "incorrect expired ok valid failed failure success unknown hidden masked redacted present absent revoked string str text " +
    "bytes number int integer bool boolean any object char varchar buffer amd64 arm64 i386 armhf command prompt",
);
/** How a sentence goes on after `password:` or `token:`. */
const sentenceWords = list(
  "password passwd token secret key bearer basic digest not is was were has have must should cannot can't could wrong " +
    "mismatch authentication authorization authenticated denied rejected accepted granted refused prompt given provided " +
    "needed too for from with and or the a an in of to by at as this your its it update updated change changed changing reset " +
    "rotated generated created deleted stored found read loaded loading used using use file env environment keyring " +
    "interactive auto sha256 sha512 md5 bcrypt argon2 scrypt plain plaintext encrypted decrypted external internal access " +
    "refresh jwt oauth oauth2 identifier operator keyword eof newline end else if return import export function error timeout " +
    "permission files no-op unable default there user account expected unexpected",
);

/** `${X}`, `$X`, `$(cmd)`, `{{x}}`, `<token>`, `%s`, `$1`, `:name`, `***`, `...`: something stands for the value. */
const placeholder =
  /^(?:\$\{[^}]{0,200}\}?|\$[A-Z_][A-Z0-9_]*|\$\d+|\$\(.*|\{\{.*|<[^<>]{0,100}>|%\(?[a-z_]{0,40}\)?[sdv]|%[A-Z_]+%|[:@][a-z_]+|process\.env\..*|os\.environ.*|[^A-Za-z0-9]{1,200}|[xX]{3,}|(?:\[|<|\*{2,})redacted.*)$/;
const path = /^(?:~|\.{1,2})?\/(?:[\w.@:+-]+\/)+[\w.@:+-]*$|^(?:~|\.{1,2})\/[\w.@:+-]+$/;
const rooted = /^\/(?:dev|run|etc|var|tmp|proc|opt|usr|home|root|srv|mnt|data)\//;
const url = /^[a-z][a-z0-9+.-]{1,20}:\/\//i;
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const plainNumber = /^[+-]?\d{1,12}(?:[.,:]\d{1,12})*(?:[a-zA-Z%]{1,3}|\/s)?$/;

export interface Place {
  /** In quotes it is a value whatever it looks like; without, it may be a word of a sentence. */
  readonly quoted: boolean;
  /** The separator was `=`, `=>` or a flag: not the colon of a sentence. */
  readonly assigned: boolean;
}

/** Whether a value beside such a name is a secret. When in doubt beside a password it is; beside a mere `key` it is not. */
export function isSecretValue(telling: Telling, value: string, { quoted, assigned }: Place): boolean {
  if (value === "" || placeholder.test(value)) return false;
  const word = value.toLowerCase().replace(/[.,;:!?)\]]{1,9}$/, "");
  if (trivialWords.has(word) || (!quoted && !assigned && sentenceWords.has(word))) return false;
  if (telling === "random") return looksRandom(value.replace(digests, ""), 16);
  if (telling === "opaque") return looksRandom(value, 16) || isUserAndPassword(value);
  if (isPath(value) || url.test(value)) return false;
  if (telling === "password") return true;
  if (telling === "pin" && /^\d{4,12}$|^\d{3}[ -]\d{3,4}$/.test(value)) return true;
  if (plainNumber.test(value)) return false;
  if (quoted || assigned) return value.length >= 4;
  return value.length >= 16 || (value.length >= 6 && isMixed(value));
}

/** Letters and digits, or capitals inside a word, or other characters: what words of a sentence are not. */
export function isMixed(value: string): boolean {
  return /\d/.test(value) ? /[A-Za-z]/.test(value) : /[a-z][A-Z]|[!#$%^&*+=?@~|]/.test(value);
}

/** Small and capital letters and digits at once: no host's name, no file's name, no word is like that. */
export const isOfAllKinds = (value: string): boolean =>
  /\d/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value);

/** What a generator of passwords makes, and people, versions, tags and names of threads do not. */
export const isDrawn = (value: string): boolean =>
  value.length >= 8 &&
  isOfAllKinds(value) &&
  !/^(?:[A-Z]?[a-z]{2,12}\d{0,2}){1,6}$/.test(value) &&
  (/^[\w.+-]*[!#$%^&*+?~|][\w.!#$%^&*+?~|-]*$/.test(value) || looksRandom(value, 10));

/** Whether it is `user:password` in base64, as HTTP's Basic scheme and container registries write it. */
export function isUserAndPassword(value: string): boolean {
  if (value.length < 8 || value.length > 2048 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(value)) return false;
  return /^[\x20-\x7e]{1,255}:[\x20-\x7e]{1,255}$/.test(Buffer.from(value, "base64").toString("latin1"));
}

/** Git and content hashes. */
const digests = /sha\d{1,3}[:-][A-Za-z0-9+/=]+|(?<![0-9A-Za-z])[0-9a-f]{32,128}(?![0-9A-Za-z])/g;

const isPath = (value: string): boolean => rooted.test(value) || (path.test(value) && isWords(value));

/** Words and numbers, joined: `my-cache-key-v2-2024`, `com.example.ServiceHandler`, `/run/secrets/db`. */
function isWords(value: string): boolean {
  const word =
    /^(?:[A-Za-z]?[a-z]{0,14}\d{0,4}|[A-Z]{1,14}\d{0,4}|\d+|v\d+|(?:[A-Z][a-z]+){1,5}\d{0,2}|[a-z]+(?:[A-Z][a-z]+){1,4})$/;
  return value.split(/[-_./=~%+@:]+/).every((run) => word.test(run));
}

/** Whether a value looks drawn at random: many different characters of several kinds, and neither words, time nor path. */
export function looksRandom(value: string, minLength: number): boolean {
  if (value.length < minLength || !/^[A-Za-z0-9+/_=.~%-]+$/.test(value)) return false;
  if (uuid.test(value) || /^(?:19|20)\d{2}-?[01]\d-?[0-3]\d(?:\D|$)/.test(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/].filter((kind) => kind.test(value)).length;
  if (kinds < 2) return false;
  if (isWords(value)) return false;
  return entropy(value) >= (value.length >= 20 ? 3.2 : 2.8);
}

/** Shannon entropy in bits a character. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  const head = value.slice(0, 256);
  for (const character of head) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / head.length) * Math.log2(count / head.length);
  return bits;
}
