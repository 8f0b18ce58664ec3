/**
 * Secrets of every kind, made up from a seed. Their prefixes are put together from parts, so that no scanner takes this
 * file, or a fixture, for one that holds a live key.
 */

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const digits = "0123456789";
const hex = "0123456789abcdef";
const alnum = lower + upper + digits;

/** mulberry32: small, and the same everywhere. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export type SecretKind = string;

/** @returns the secret that stands for `{{kind}}`. Throws for a kind that it does not know. */
export function madeUpSecret(kind: SecretKind, seed: number): string {
  const random = randomOf(seed);
  const from = (alphabet: string, length: number) =>
    Array.from({ length }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join("");
  const pick = (...choices: string[]) => choices[Math.floor(random() * choices.length)] ?? "";
  const base64 = (length: number) => from(`${alnum}+/`, length);
  const base64url = (length: number) => from(`${alnum}-_`, length);
  const word = () =>
    pick("orchid", "falcon", "copper", "meadow", "lantern", "pepper", "velvet", "harbor", "saffron");
  const seedWord = () =>
    pick(
      ..."abandon ability absorb canyon cradle dolphin eagle fabric galaxy hammer inherit jungle kitten lizard mango noodle orphan pelican quarter rhythm saddle tobacco umbrella vacuum walnut zebra".split(
        " ",
      ),
    );
  // At least one of each kind, as password rules demand.
  const password = () =>
    `${from(lower, 4)}${from(digits, 2)}${pick("!", "#", "*", "_", ".", "+")}${from(upper, 3)}${from(alnum, 2 + Math.floor(random() * 8))}`;
  const jwt = () => `${"ey"}J${base64url(20)}.${"ey"}J${base64url(60)}.${base64url(43)}`;
  const makers: Record<string, () => string> = {
    anthropic: () => `${"sk-"}ant-api03-${base64url(93)}AA`,
    openai: () => `${"sk-"}${from(alnum, 48)}`,
    openaiProject: () => `${"sk-"}proj-${base64url(120)}`,
    openrouter: () => `${"sk-"}or-v1-${from(hex, 64)}`,
    awsId: () => `${"AK"}IA${from(`${upper}234567`, 16)}`,
    awsSecret: () => base64(39) + from(alnum, 1),
    github: () => `${"gh"}${pick("p", "o", "s", "u")}_${from(alnum, 36)}`,
    githubFine: () => `${"github"}_pat_${from(alnum, 22)}_${from(alnum, 59)}`,
    gitlab: () => `${"gl"}pat-${base64url(20)}`,
    slack: () => `${"xo"}xb-${from(digits, 12)}-${from(digits, 12)}-${from(alnum, 24)}`,
    stripe: () => `${"sk"}_live_${from(alnum, 24)}`,
    stripeHook: () => `${"wh"}sec_${from(alnum, 32)}`,
    google: () => `${"AI"}za${base64url(35)}`,
    googleRefresh: () => `${"1/"}/0${base64url(40)}`,
    googleAccess: () => `${"ya"}29.${base64url(120)}`,
    googleClient: () => `${"GOC"}SPX-${base64url(28)}`,
    npm: () => `${"np"}m_${from(alnum, 36)}`,
    pypi: () => `${"py"}pi-AgEIcHlwaS5vcmc${base64url(120)}`,
    dockerPat: () => `${"dck"}r_pat_${base64url(27)}`,
    huggingface: () => `${"h"}f_${from(alnum, 34)}`,
    groq: () => `${"gs"}k_${from(alnum, 52)}`,
    databricks: () => `${"da"}pi${from(hex, 32)}`,
    digitalocean: () => `${"do"}p_v1_${from(hex, 64)}`,
    vault: () => `${"hv"}s.${base64url(90)}`,
    tailscale: () => `${"ts"}key-auth-${from(alnum, 17)}-${from(alnum, 32)}`,
    sendgrid: () => `${"S"}G.${base64url(22)}.${base64url(43)}`,
    discord: () => `${"M"}${from(alnum, 25)}.${from(alnum, 6)}.${base64url(38)}`,
    telegram: () => `${from("123456789", 1)}${from(digits, 9)}:AA${base64url(33)}`,
    jwt,
    basic: () => Buffer.from(`svc-${from(lower, 4)}:${password()}`).toString("base64"),
    bcrypt: () => `${"$2"}b$12$${from(`${alnum}./`, 53)}`,
    crypt: () => `${"$"}6$${from(alnum, 16)}$${from(`${alnum}./`, 86)}`,
    kubeadm: () => `${from(lower + digits, 5)}7.${from(lower + digits, 16)}`,
    wireguard: () => `${base64(42)}${pick("A", "E", "I", "M", "Q")}=`,
    base64pad: () => `${base64(86)}==`,
    base64long: () => base64(160),
    base64url43: () => base64url(43),
    sigurl: () => `${from(alnum, 20)}%2B${from(alnum, 18)}%3D`,
    keyline: () => `${from(lower, 1)}${from(upper, 1)}${from(digits, 1)}${base64(61)}`,
    keyend: () => `${base64(38)}==`,
    uuid: () => `${from(hex, 8)}-${from(hex, 4)}-4${from(hex, 3)}-a${from(hex, 3)}-${from(hex, 12)}`,
    pass: password,
    short: () => `${from(lower, 4)}${from(digits, 3)}`,
    lower: () => `${word()}${word()}`,
    phrase: () => `${word()} ${word()} ${word()} ${word()}`,
    words: () => `${word()} ${word()} ${word()} ${word()}`,
    digits: () => from(digits, 6),
    pin: () => from("123456789", 1) + from(digits, 3),
    plain5: () => `${from("BCDFGHJK", 3)}${from("23456789", 2)}`,
    digits16: () => from("123456789", 1) + from(digits, 15),
    digits8: () => from("123456789", 1) + from(digits, 7),
    cvv: () => from("123456789", 1) + from(digits, 3),
    usercode: () => `${from("BCDFGHJK", 3)}${from("23456789", 1)}-${from("BCDFGHJK", 4)}`,
    b64pass: () => Buffer.from(password()).toString("base64"),
    base64sha: () => `${base64(27)}=`,
    wif: () =>
      `${pick("J", "K", "H")}${from("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 49)}`,
    crypt5: () => `${"$"}1$${from(alnum, 4)}$${from(`${alnum}./`, 22)}`,
    base32: () => from(`${upper}234567`, 32),
    seed: () => Array.from({ length: 12 }, seedWord).join(" "),
    seed24: () => Array.from({ length: 24 }, seedWord).join(" "),
    plain: () => from("ADEFGHJKM", 4) + from(digits, 4),
    upper8: () => from(upper + digits, 8),
    upper32: () => from(`ABCDEF${digits}`, 32),
    upper58: () => from(upper + digits, 58),
  };
  const sized = /^(hex|alnum)(\d+)$/.exec(kind);
  if (sized !== null) return from(sized[1] === "hex" ? hex : alnum, Number(sized[2]));
  const make = makers[kind];
  if (make === undefined) throw new Error(`no made-up secret of kind ${kind}`);
  return make();
}

export interface Sample {
  readonly text: string;
  readonly secrets: readonly string[];
}

/** Fills a sample's `{{kind}}` marks in. */
export function fillIn(template: string, seed: number): Sample {
  const secrets: string[] = [];
  const text = template.replaceAll("⏎", "\n").replace(/\{\{(\w+)\}\}/g, (_, kind: string) => {
    const secret = madeUpSecret(kind, seed * 1009 + secrets.length);
    secrets.push(secret);
    return secret;
  });
  return { text, secrets };
}
