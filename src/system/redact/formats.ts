/** Secrets whose form alone gives them away, whatever stands beside them. */
import { looksRandom } from "./names.ts";

/**
 * Prefixes that providers give their keys so that they can be found, and the characters that follow. Written as parts
 * of one expression: a regular expression each would read the text eighty times.
 */
const prefixed: readonly string[] = [
  "sk-ant-[A-Za-z0-9_-]{16,}", // Anthropic
  "sk-(?:proj|svcacct|admin|or-v1|lf|None)-[A-Za-z0-9_-]{16,}", // OpenAI, OpenRouter, Langfuse
  "sk-[A-Za-z0-9]{20,}", // OpenAI, DeepSeek and others
  "sk_[0-9a-f]{40,}", // ElevenLabs
  "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])", // AWS
  "gh[opsur]_[A-Za-z0-9]{30,}",
  "github_pat_[A-Za-z0-9_]{30,}",
  "gl(?:pat|dt|rt|cbt|ptt|oas|ft|soat|imt|agent|ffct|wt)-[A-Za-z0-9_.-]{20,}",
  "xox[abceoprs](?:\\.xox[abp])?-[A-Za-z0-9-]{10,}",
  "xapp-[0-9]-[A-Za-z0-9-]{10,}",
  "(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}",
  "whsec_[A-Za-z0-9+/=]{16,}",
  "AIza[A-Za-z0-9_-]{35}",
  "ya29\\.[A-Za-z0-9_.-]{20,}",
  "1//0[A-Za-z0-9_-]{20,}",
  "GOCSPX-[A-Za-z0-9_-]{20,}",
  "npm_[A-Za-z0-9]{30,}",
  "pypi-[A-Za-z0-9_-]{50,}",
  "rubygems_[a-f0-9]{40,}",
  "dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}",
  "dapi[0-9a-f]{32}(?:-[0-9])?",
  "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
  "SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{30,}",
  "SK[0-9a-f]{32}",
  "key-[0-9a-f]{32}",
  "[0-9a-f]{32}-us[0-9]{1,2}(?![0-9a-z])",
  "do[oprt]_v1_[a-f0-9]{64}",
  "hv[sbr]\\.[A-Za-z0-9_-]{20,}",
  "[A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_-]{40,}",
  "dp\\.(?:pt|st|sa|ct|scim|audit)\\.[A-Za-z0-9._-]{20,}",
  "NRAK-[A-Z0-9]{20,}",
  "AT(?:ATT3|BB|CTT3)[A-Za-z0-9_=-]{24,}",
  "HRKU-[A-Za-z0-9_-]{20,}",
  "sq0(?:atp|csp)-[A-Za-z0-9_-]{20,}",
  "EAA[A-Za-z0-9]{40,}",
  "pat[A-Za-z0-9]{14}\\.[a-f0-9]{64}",
  "tskey-[a-z]{2,12}-[A-Za-z0-9_-]{10,}",
  "FlyV1 fm[0-9]_[A-Za-z0-9_=,+/-]{20,}",
  "fm[0-9]_[A-Za-z0-9_=+/-]{40,}",
  "AKCp[A-Za-z0-9]{60,}",
  "[xyztuv]prv[A-Za-z0-9]{80,}", // BIP 32
  "AGE-SECRET-KEY-1[0-9A-Z]{40,}",
  "cio[A-Za-z0-9]{32}",
  "eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*", // JWT
  "\\$(?:[1256]|2[abxy]|5|apr1|y|gy|7|argon2(?:id|i|d)|pbkdf2[a-z0-9-]{0,10}|scrypt)\\$[A-Za-z0-9./+=,$*-]{16,}", // crypt(5)
  "[0-9a-f]{32}:[0-9a-f]{32}(?![0-9a-f])", // LM and NT hash
  "\\{(?:SSHA|SHA|SMD5|MD5|CRYPT)[0-9]{0,3}\\}[A-Za-z0-9+/=$.]{16,}", // LDAP userPassword
];

/** The same, where words can begin like that too (`secret-store-csi-driver`): what follows must look random. */
const alsoWords: readonly string[] = [
  "(?:csk|gsk|pcsk|pplx|tvly|xai|r8|hf|jina|e2b|voy|esecret|lsv2_pt|lsv2_sk)[-_][A-Za-z0-9_]{20,}",
  "(?:nfp|lin_api|lin_oauth|ntn|figd|sbp|sb_secret|pscale_tkn|pscale_pw|pscale_oauth)[-_][A-Za-z0-9_.-]{28,}",
  "(?:glsa|glc|sntrys|sntryu|phx|sgp|CCIPAT|bkua|bkpat|secret|napi|rnd|fio-u|pul|ops)[-_][A-Za-z0-9_=.+/-]{28,}",
  "[5KL][1-9A-HJ-NP-Za-km-z]{50,51}(?![A-Za-z0-9])", // WIF
  "re_[A-Za-z0-9]{6,}_[A-Za-z0-9]{16,}", // Resend
  "[MNO][A-Za-z0-9_-]{22,27}\\.[A-Za-z0-9_-]{6,7}\\.[A-Za-z0-9_-]{27,}", // Discord
];

const byPrefix = new RegExp(`(?<![A-Za-z0-9])(?:${prefixed.join("|")})`, "g");
const byDoubtfulPrefix = new RegExp(`(?<![A-Za-z0-9])(?:${alsoWords.join("|")})`, "g");

/** `bot123456789:AA...` in a URL of the Bot API, or alone. */
const telegram = /(?<![A-Za-z0-9])((?:bot)?)\d{6,12}:[A-Za-z0-9_-]{30,}/g;
const slackHook = /(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[A-Za-z0-9/_-]{10,}/g;
const discordHook = /(discord(?:app)?\.com\/api\/(?:v\d{1,2}\/)?webhooks\/\d{10,22}\/)[A-Za-z0-9_-]{20,}/g;
const teamsHook = /(webhook\.office\.com\/webhookb2\/)[A-Za-z0-9@/-]{20,}/g;
/** `slack://A/B/C`, as Apprise and Shoutrrr write it */
const slackAddress =
  /(\bslack:\/\/(?:[\w-]{1,32}@)?)[A-Za-z0-9]{8,16}\/[A-Za-z0-9]{8,16}\/[A-Za-z0-9]{16,32}/g;
/** Proxmox: `bob@pve!name=UUID`, `bob@pbs!name:UUID@host` */
const proxmox = /(@p[vbm][es]![\w.-]{1,64}[:=])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
/** socat's `proxyauth=bob:secret`, tshark's `uat:80211_keys:"wpa-pwd","secret:ssid"` */
const inOptions = /(\bproxyauth=[^\s:,]{1,64}:|"wpa-p(?:wd|sk)",")[^\s,:"']{1,128}/g;
/** Nomad and Vault: `Secret ID    = UUID`, `secret_id    UUID` */
const secretId = /(\bsecret[ _]id[ \t]{1,12}=?[ \t]{0,4})[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
/** What a script of a CI system asks to be hidden, before it is. */
const masked = /(::add-mask::)[^\s]{1,1024}/g;
/** An AWS key id with its secret after it, as in a CSV file. */
const awsPair =
  /((?<![A-Za-z0-9])A(?:KIA|SIA)[A-Z0-9]{16}["']?[\s,:;|]{1,3}["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/g;

export function redactFormats(text: string, mark: string): string {
  return text
    .replace(awsPair, `$1${mark}`)
    .replace(slackAddress, `$1${mark}`)
    .replace(secretId, `$1${mark}`)
    .replace(masked, `$1${mark}`)
    .replace(proxmox, `$1${mark}`)
    .replace(inOptions, `$1${mark}`)
    .replace(slackHook, `$1${mark}`)
    .replace(discordHook, `$1${mark}`)
    .replace(teamsHook, `$1${mark}`)
    .replace(telegram, `$1${mark}`)
    .replace(byPrefix, mark)
    .replace(byDoubtfulPrefix, (match) => (hasRandomRun(match) ? mark : match));
}

const hasRandomRun = (text: string): boolean =>
  text.split(/[^A-Za-z0-9]/).some((run) => looksRandom(run, 12));

const begin = "-----BEGIN ";
const beginLine = /^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
const endLine = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** A line, whatever log prefix stands before it, of what a private key is made of. */
const keyLine =
  /(?<![A-Za-z0-9+/=_.:-])(?=[A-Za-z0-9+/]{0,63}[a-z])(?=[A-Za-z0-9+/]{0,63}[A-Z])(?=[A-Za-z0-9+/]{0,63}\d)[A-Za-z0-9+/]{64}(?=\\[nr]|["']?\s*$|[\r\n])/gm;
/** The last and shorter line of a key whose BEGIN was cut away. */
const shortLine = /[A-Za-z0-9+/]{4,76}={0,2}(?=(?:\\[nr]|\r?\n)[^\n]{0,120}$)/;

/** Blocks from BEGIN to END, even when log prefixes stand before each line; and what is left of a block cut in two. */
export function redactPrivateKeys(text: string, mark: string): string {
  if (!text.includes("-----") && !/[A-Za-z0-9+/]{64}/.test(text)) return text;
  let result = "";
  let from = 0;
  const keep = (until: number) => {
    result += text.slice(from, until);
    from = until;
  };
  let nextBegin = text.indexOf(begin);
  for (const foot of [...text.matchAll(endLine), null]) {
    const end = foot?.index ?? text.length;
    while (nextBegin >= 0 && nextBegin < end) {
      const head = beginLine.exec(text.slice(nextBegin, nextBegin + 96))?.[0];
      const body = nextBegin + (head?.length ?? 1);
      nextBegin = text.indexOf(begin, body);
      // Without key lines it is a mention: "no start line: expecting BEGIN PRIVATE KEY".
      if (head === undefined || !/[A-Za-z0-9+/]{30,}/.test(text.slice(body, body + 600))) continue;
      keep(body);
      result += mark;
      from = end;
      nextBegin = text.indexOf(begin, end);
    }
    const tail =
      foot === null || from === end ? null : shortLine.exec(text.slice(Math.max(from, end - 240), end));
    if (tail !== null) {
      keep(Math.max(from, end - 240) + tail.index);
      result += mark;
      from += tail[0].length;
    }
  }
  return (result + text.slice(from)).replace(keyLine, mark);
}
