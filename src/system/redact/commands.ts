/** Passwords beside words that are no names of theirs, in command lines, SQL and scripts; programs.ts has the programs. */

/** Up to the value, within one simple command: no pipe, no `;`, no `&`, no new line between. */
const within = "[^|;&\\n\\r]{0,240}?";
/** In quotes it may hold spaces. */
const value = "(?:([\"'])([^\"'\\n]{1,256}?)(?=\\1|\\\\?[\"'])|()([^\\s\"']{1,256}))";

const rules: readonly RegExp[] = [
  // openssl -passin pass:PASSWORD
  String.raw`(?<![\w-])pass:`,
  String.raw`\bexpect\b${within}\bsend(?:_user)?[ \t]{1,3}(?:--[ \t]{1,3})?`,
  String.raw`(?:^|[\n;{"'])[ \t]{0,8}(?:exp_)?send[ \t]{1,3}(?:--[ \t]{1,3})?(?=["'][^\s"']{4,64}\\[rn]["'])`,
  String.raw`\biwconfig\b${within}\bkey[ \t]{1,3}s:`,
  // IDENTIFIED BY 'x', WITH PASSWORD 'x', PASSWORD('x'), PASSWORD = N'x'
  String.raw`\bidentified\s{1,3}(?:with\s{1,3}\S{1,40}\s{1,3})?(?:by|as)\s{1,3}(?:password\s{1,3})?(?=["'])`,
  String.raw`\bidentified\s{1,3}by\s{1,3}(?=\w)(?!values\b|password\b|externally\b|globally\b|random\b)`,
  String.raw`\bpassword[ \t]{0,3}\([ \t]{0,3}`,
  String.raw`\b(?:encrypted|with|login|user|role)\b[^\n;]{0,120}?\bpassword\s{1,3}(?==?\s{0,3}N?["'])=?\s{0,3}N?`,
  String.raw`\b(?:aes_encrypt|aes_decrypt|pgp_sym_encrypt|pgp_sym_decrypt|des_encrypt|encryptbypassphrase)[ \t]{0,3}\([^;\n]{0,240}?,[ \t]{0,3}(?=["'][^"']{4,128}["'][ \t]{0,3}\))`,
  String.raw`\bcrypt\(\s{0,3}(?=["'][^"']{1,128}["']\s{0,3},\s{0,3}gen_salt)`,
  // Handed over as a file, or by a command that prints it
  String.raw`\b(?:pass(?:word|phrase|wd|file)?|auth-user-pass|secret|token|key)[\w-]{0,24}[ =]["']?<\([ \t]{0,3}(?:echo|printf)[ \t]{1,3}(?:-\w{1,3}[ \t]{1,3})?`,
  String.raw`\b(?:pass(?:word|phrase|wd)?|secret|token|key)-?_?(?:command|eval|cmd|program)[ =]["']?(?:echo|printf)[ \t]{1,3}(?:-\w{1,3}[ \t]{1,3})?`,
  String.raw`\bPRAGMA[ \t]{1,3}(?:re|hex)?key[ \t]{0,3}=[ \t]{0,3}(?=["'])`,
  String.raw`\breg(?:\.exe)?[ \t]{1,3}add\b${within}\/v[ \t]{1,3}\w{0,32}pass(?:word|wd|phrase)\w{0,16}\b${within}\/d[ \t]{1,3}`,
  String.raw`\bsecret,(?:[\w-]{1,24}=[^\s,]{0,64},){0,6}data=`,
  String.raw`\bcrypt[ \t]{1,3}[\w:-]{3,40}[ \t]{1,3}(?=[0-9a-f]{32,256}[ \t])`,
  // debconf-set-selections, preseed
  String.raw`[\w.-]{1,64}\/[\w-]{0,64}pass(?:word|phrase|wd)[\w-]{0,32}[ \t]{1,3}(?:password|string)[ \t]{1,3}`,
  String.raw`\brootpw[ \t]{1,3}(?:--(?:plaintext|iscrypted)[ \t]{1,3})?`,
  String.raw`(?<![^\s])\/(?:p|pw|pass|pwd|password):(?!["']?[\w.]{1,64}=)`,
  // .netrc
  String.raw`\b(?:machine[ \t\n]{1,3}\S{1,255}|default)[ \t\n]{1,8}login[ \t\n]{1,3}\S{1,128}[ \t\n]{1,8}password[ \t\n]{1,3}`,
  String.raw`\bConvertTo-SecureString[ \t]{1,3}(?:-String[ \t]{1,3})?`,
  String.raw`\bPSCredential[ \t]{0,3}\([ \t]{0,3}["'][^"']{1,128}["'],[ \t]{0,3}(?:\(ConvertTo-SecureString[ \t]{1,3})?`,
].map((before) => new RegExp(`(${before})${value.replace("\\1", "\\2")}`, "gi"));

/** .pgpass */
const pgpass = /^([\w.*-]{1,255}:(?:\d{1,5}|\*):[^:\s]{1,64}:[^:\s/]{1,64}:)()([^\s]{1,256})$/gm;
/** jdbc:oracle:thin:scott/tiger@db */
const thin = /(\bthin:[\w.-]{1,64}\/)()([^\s"'@]{1,256})/gi;

const standsForIt = /^(?:\$[({A-Z_]|<|\*+$|\[redacted|%|\/\/|\()/;

export function redactCommands(text: string, mark: string): string {
  const replace = (
    all: string,
    head: string,
    quote = "",
    inQuotes?: string,
    _none?: string,
    bare?: string,
  ): string => {
    const secret = inQuotes ?? bare ?? "";
    return standsForIt.test(secret) || (secret.startsWith("-") && /\s$/.test(head))
      ? all
      : `${head}${quote}${mark}`;
  };
  let result = text;
  // Most text has none of it, and twenty expressions are slow to say so.
  if (!/pass|identified|send|key|<\(|crypt|rootpw|\/p|PSCred|thin:|secret,|:\d{1,5}:|:\*:/i.test(text))
    return text;
  for (const rule of rules) result = result.replace(rule, replace);
  for (const rule of [pgpass, thin])
    result = result.replace(rule, (all, head: string, quote: string, secret: string) =>
      replace(all, head, quote, secret),
    );
  return result;
}
