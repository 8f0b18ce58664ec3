/** Secrets as protocols write them into traces: mail, chat, Redis, HTTP; and links that are a key by themselves. */
import { isMixed, isOfAllKinds, isUserAndPassword, looksRandom } from "./names.ts";

const base64 = "[A-Za-z0-9+/_-]{4,2048}={0,2}(?![A-Za-z0-9+/=])";

/** SASL: `AUTH PLAIN b64`, `AUTHENTICATE PLAIN b64`, and the answers to the server's challenges on the lines below. */
const sasl =
  /(\b(?:AUTH|AUTHENTICATE)[ \t]{1,3}(?:PLAIN|LOGIN|XOAUTH2?|OAUTHBEARER|CRAM-MD5|NTLM|EXTERNAL|SCRAM-SHA-\d{1,3}(?:-PLUS)?)(?:[ \t]{1,3}|[ \t]{0,3}["',]{1,3}[ \t]{0,3}|(?:\\r|\\n|\r?\n)[^\n]{0,80}?(?:\+|334)[^\n]{0,8}(?:\\r|\\n|\r?\n)[^\n]{0,80}?(?<![A-Za-z0-9+/_-])))/gi;
const answerOf = new RegExp(`^${base64}`);
/** `334 UGFzc3dvcmQ6`: "Password:", and what the client says next; "Username:" goes with it. */
const challenge =
  /(\b334[ \t]{1,3}(?:UGFzc3dvcmQ6|VXNlcm5hbWU6|UGFzc3dvcmQA|VXNlciBOYW1lAA==)?(?:\\r|\\n|\r?\n)(?:[^\n]{0,80}?[\s>:])?)([A-Za-z0-9+/]{4,1024}={0,2})(?=["'\s]|\\r|\\n|$)/g;
/** `<auth mechanism='PLAIN'>b64</auth>` */
const xmpp = /(<(?:auth|response)\b[^<>]{0,240}>)([A-Za-z0-9+/]{8,2048}={0,2})(?=<)/g;
/** IMAP: `a1 LOGIN bob secret`, with quotes or without */
const imapLogin =
  /((?:^|[\s>"'])[A-Za-z]{0,8}\.?\d{1,6}[ \t]LOGIN[ \t]{1,3}(?:"[^"\n]{1,128}"|[^\s"]{1,128})[ \t]{1,3}"?)([^\s"]{1,256})/g;
const ircPassword =
  /((?:\b[Nn]ick[Ss]erv\b[ \t]{0,3}:?[ \t]{0,3}(?:identify|IDENTIFY|Identify|REGISTER|register|ghost[ \t]\S{1,64}|release[ \t]\S{1,64})|(?:^|[\s>:])OPER[ \t]\S{1,64}|\bAUTHENTICATE)[ \t]{1,3})(?!PLAIN\b|EXTERNAL\b|[+*](?:\s|$)|SCRAM)(?:(\S{1,64})[ \t]{1,3})?([^\s"']{4,512})(?=\s|["']|$)/g;
/** `AUTH x`, `AUTH user x`, also as MONITOR and clients quote it */
const redis =
  /((?:^|[\s>\]"'])"?AUTH"?[ \t]{1,3}(?:"[^"\n]{1,128}"[ \t]{1,3}(?=")|(?!PLAIN|LOGIN|XOAUTH|OAUTHB|CRAM|NTLM|EXTERNAL|SCRAM|TLS|SSL|GSSAPI|BASIC|HANDSHAKE)[\w.-]{1,64}[ \t]{1,3}(?=\S{4,256}(?:\s{0,3}$|["'])))?"?)([^\s"]{4,512})(?="?\s{0,3}$|"[\s,\]])/gm;
const redisUser = /(\bACL[ \t]{1,3}SETUSER\b[^\n]{0,200}?[ \t]>)([^\s"']{1,256})/gi;
const redisConfig = /(\b(?:requirepass|masterauth)["']?[ \t]{1,3}["']?)([^\s"']{1,256})/gi;
const apop = /((?:^|[\s>])APOP[ \t]{1,3}\S{1,128}[ \t]{1,3})([0-9a-f]{32})/gm;
/** FTP and POP3 in traces: `> PASS x`, `PASS x\r\n` */
const pass = /((?:^|[>\s:"'\]])PASS[ \t]{1,3}:?)([^\s"'\\]{1,256})(?=\s{0,3}$|\\r|["'])/gm;
/** `AT+CPIN="1234"`, `AT+CLCK="SC",1,"1234"` */
const modem = /(\bAT\+(?:CPIN|CLCK|CPWD)=(?:"?[A-Z]{2}"?,)?(?:[0-2],)?"?)(\d{4,8})/g;
const modemSecond = /(\bAT\+(?:CPIN|CPWD)=[^\n]{0,60}?",?"?)(\d{4,8})(?="?(?:\s|$))/g;

/** Links that let in whoever has them. */
const magicPath =
  /((?:\/|%2F)(?:reset|password[_-]?reset|reset[_-]?password|verify|verify[_-]?email|verification|confirm|confirmation|confirm[_-]?email|activate|activation|invite|invites|invitation|invitations|magic|magic[_-]?link|login|signin|sign-in|sso|token|recover|recovery|unlock|set[_-]?password|setup|join|claim|share|unsubscribe|ping|webhook|webhooks|hooks?|callback|auth|onetime|one-time|access)(?:\/[\w-]{1,20}){0,2}(?:\/|%2F))([A-Za-z0-9_.~-]{12,512})(?=[/?#\s"'<>),]|$)/gi;
/** What a query hands over: `?code=`, `&otp=`, `#access_token=` */
const queryCode =
  /((?:[?&;#]|%3F|%26|\\u0026|&amp;)(?:code|auth_?code|authorization_?code|otp|pin|tan|ticket|token|t|key|k|sig|signature|hash|nonce|state|verifier|code_verifier|id_token_hint|magic|invite|secret|pass|pw|sid|session|login_token|confirmation_token|reset_token|auth|jwt|hmac|credential|assertion|samlresponse|samlrequest|oobcode|apikey)(?:=|%3D))([^\s"'<>&;#\\`)]{4,4096})/gi;
const always = /(?:otp|pin|tan|secret|pass|pw|jwt|assertion|saml|apikey|oobcode|credential|_token|magic)/i;

const formCode =
  /((?:^|[\s"'])(?:code|code_verifier|device_code|refresh_token|assertion|client_assertion)=)([^\s&"']{6,4096})(?=&)/gi;

const hostsAreKeys =
  /(\b(?:hc-ping\.com|uptime\.betterstack\.com\/api\/v1\/heartbeat|cronitor\.link\/p|nosnch\.in|ntfy\.sh|hooks\.zapier\.com\/hooks\/catch|maker\.ifttt\.com\/trigger\/\w{1,64}\/with\/key|webhook\.site|chat\.googleapis\.com\/v1\/spaces\/\w{1,64}\/messages\?key=|api\.pushover\.net\/\w{1,8}|discordapp?\.com\/api\/webhooks\/\d{10,22}|outlook\.office\.com\/webhook|prod-\d{1,3}\.\w{1,40}\.logic\.azure\.com(?::443)?\/workflows|hook\.\w{2,8}\.make\.com|api\.day\.app|open\.feishu\.cn\/open-apis\/bot\/v2\/hook|oapi\.dingtalk\.com\/robot\/send\?access_token=|qyapi\.weixin\.qq\.com\/cgi-bin\/webhook\/send\?key=)(?:\/)?)([A-Za-z0-9_.~/-]{8,256})/gi;

export function redactProtocols(text: string, mark: string): string {
  const hide = (_: string, head: string): string => `${head}${mark}`;
  const unless = (known: RegExp) => (all: string, head: string, value: string) =>
    value.startsWith("[redacted]") || (known.test(value) && !isOfAllKinds(value)) ? all : `${head}${mark}`;
  let result = text;
  if (/\b(?:auth|authenticate|334)\b/i.test(result)) {
    result = afterSasl(result, mark)
      .replace(challenge, unless(/^(?:AUTH|QUIT|RSET|EHLO|HELO)$/))
      .replace(xmpp, hide)
      .replace(redis, (all, head: string, value: string) => (isAuthWord(value) ? all : `${head}${mark}`));
  }
  if (/LOGIN|PASS|APOP|OPER|NickServ|AUTHENTICATE/i.test(result)) {
    result = result
      .replace(imapLogin, unless(/^(?:failed|command|ok|on|from|at|to|is|was)$/i))
      .replace(apop, hide)
      .replace(pass, unless(/^(?:\d{1,3}|\d+\/\d+|\(?\d[\d.]*m?s\)?|[a-z]+|\w+[/.]\S*|\[.*|:.*|"|\w+\()$/))
      .replace(ircPassword, (all, head: string, user: string | undefined, value: string) =>
        value.startsWith("[redacted]") ||
        (/^[a-z]+$/.test(value) && user === undefined && !/nickserv/i.test(head))
          ? all
          : `${head}${user === undefined ? "" : `${user} `}${mark}`,
      );
  }
  if (/requirepass|masterauth|SETUSER/i.test(result))
    result = result
      .replace(redisUser, hide)
      .replace(redisConfig, unless(/^(?:is|was|not|in|to|and|""|''|set)$/i));
  if (result.includes("AT+")) result = result.replace(modem, hide).replace(modemSecond, hide);
  if (!result.includes("/") && !/[?&#]|%3F/i.test(result)) return result;
  return result
    .replace(hostsAreKeys, (all, head: string, value: string) =>
      /\d|[A-Z]/.test(value) ? `${head}${mark}` : all,
    )
    .replace(formCode, (all, head: string, value: string) =>
      value.startsWith("[redacted]") || !isMixed(value) ? all : `${head}${mark}`,
    )
    .replace(queryCode, (all, head: string, value: string) =>
      isQuerySecret(head, value) ? `${head}${mark}` : all,
    )
    .replace(magicPath, (all, head: string, value: string) => (isKeyInPath(value) ? `${head}${mark}` : all));
}

function afterSasl(text: string, mark: string): string {
  let result = "";
  let kept = 0;
  for (const match of text.matchAll(sasl)) {
    const from = (match.index ?? 0) + match[0].length;
    if (from < kept) continue;
    const value = answerOf.exec(text.slice(from, from + 2100))?.[0] ?? "";
    const isOne =
      value.length >= 8 && (/[A-Z0-9]/.test(value) || value.endsWith("=") || isUserAndPassword(value));
    if (!isOne) continue;
    result += text.slice(kept, from) + mark;
    kept = from + value.length;
  }
  return result + text.slice(kept);
}

const isAuthWord = (value: string): boolean =>
  value.startsWith("[redacted]") ||
  (!isOfAllKinds(value) &&
    /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+|\d{1,5}|\w+[:=].*|\(.*|[\d.]+m?s|[\w-]+(?:\.[\w-]+)+|\/.*|mechanism.*)[.,;:!]?$/.test(
      value,
    ));

function isQuerySecret(head: string, value: string): boolean {
  if (value.startsWith("[redacted]") || value.startsWith("$") || value.startsWith("{")) return false;
  const name = head.replace(/^(?:%3F|%26|\\u0026|&amp;|[?&;#])|(?:=|%3D)$/gi, "").toLowerCase();
  if (always.test(name)) return !/^(?:true|false|null|none|required|missing|invalid|expired)$/i.test(value);
  if (name === "token" || name === "ticket" || name === "auth")
    return /\d/.test(value) || looksRandom(value, 12);
  if (name === "code" || name.endsWith("code") || name.endsWith("verifier"))
    return (value.length >= 6 && isMixed(value)) || /^\d{6,10}$/.test(value) || looksRandom(value, 12);
  if (name === "state" || name === "hash" || name === "nonce") return looksRandom(value, 16);
  return looksRandom(value, 12) || (value.length >= 10 && isMixed(value) && /\d.*[a-zA-Z].*\d/.test(value));
}

const isKeyInPath = (value: string): boolean =>
  !value.startsWith("[redacted]") &&
  (/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value) || looksRandom(value, 12)) &&
  !/\.(?:js|css|map|html?|png|svg|json|ts|tsx|py|go|rb|php|md)$/i.test(value);
