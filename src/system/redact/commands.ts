/** Passwords that programs take in ways of their own, without a telling name beside them. */

/** Up to the value, within one simple command: no pipe, no `;`, no `&`, no new line between. */
const within = "[^|;&\\n\\r]{0,240}?";
const value = "([\"']?)([^\\s\"']{1,256})";

const rules: readonly RegExp[] = [
  // mysql -pPASSWORD, sshpass -p PASSWORD and their like
  String.raw`\b(?:mysql\w{0,12}|mariadb[\w-]{0,12}|mydumper|myloader|innobackupex|xtrabackup|mytop)\b${within}\s-p`,
  String.raw`\b(?:sshpass|mongosh?|mongodump|mongorestore|mongoexport|docker login|podman login|buildah login|skopeo login|helm registry login|az login|oc login|nordvpn login|influx|crictl|nerdctl login|ftp-upload|lftp|clickhouse-client)\b${within}\s-p[ \t]{1,3}`,
  String.raw`\b(?:7z[az]?|unrar|rar)\b${within}\s-h?p`,
  String.raw`\b(?:zip|unzip|zipcloak)\b${within}\s-P[ \t]{1,3}`,
  String.raw`\b(?:redis-cli|keydb-cli|valkey-cli)\b${within}\s-a[ \t]{1,3}`,
  String.raw`\b(?:ldap(?:search|modify|add|delete|passwd|whoami))\b${within}\s-w[ \t]{1,3}`,
  String.raw`\b(?:sqlcmd|bcp)\b${within}\s-P[ \t]{0,3}`,
  String.raw`\b(?:ipmitool|fence_\w{1,20})\b${within}\s-[Pp][ \t]{1,3}`,
  String.raw`\b(?:snmp\w{2,12})\b${within}\s-[AXc][ \t]{1,3}`,
  String.raw`\b(?:rabbitmqctl)\b${within}\b(?:add_user|change_password|authenticate_user)[ \t]{1,3}\S{1,64}[ \t]{1,3}`,
  String.raw`\b(?:useradd|usermod)\b${within}\s-p[ \t]{1,3}`,
  String.raw`\bexpect\b${within}\bsend[ \t]{1,3}`,
  String.raw`\bssh-keygen\b${within}\s-[NP][ \t]{1,3}`,
  String.raw`\b(?:fly|flyctl|vercel|netlify|doctl|hcloud)\b${within}\s-t[ \t]{1,3}`,
  String.raw`\biwconfig\b${within}\bkey[ \t]{1,3}s:`,
  // openssl -passin pass:PASSWORD, -k PASSWORD
  String.raw`\bpass:`,
  String.raw`\bopenssl\b${within}\s-[kK][ \t]{1,3}`,
  // IDENTIFIED BY 'x', WITH PASSWORD 'x', PASSWORD('x')
  String.raw`\bidentified\s{1,3}(?:with\s{1,3}\S{1,40}\s{1,3})?(?:by|as)\s{1,3}(?:password\s{1,3})?(?=["'])`,
  String.raw`\bpassword[ \t]{0,3}\([ \t]{0,3}`,
].map((before) => new RegExp(`(${before})${value}`, "gi"));

/** user:password, or user%password */
const users: readonly RegExp[] = [
  String.raw`\b(?:curl|wget|http|https|xh|lftp|aria2c)\b${within}\s(?:-\w{0,6}u|--user|--proxy-user|-U|-a|--auth)[ \t=]{0,3}["']?[^\s"':/-][^\s"':/]{0,127}:`,
  String.raw`\b(?:smbclient|smbget|rpcclient|net|smbmap|nxc|wmic)\b${within}\s(?:-U|--user)[ \t=]{0,3}["']?[^\s"'%]{1,128}%`,
  String.raw`\blftp\b${within}\s-u[ \t]{1,3}["']?[^\s"',]{1,128},`,
  String.raw`\bsqlplus\b${within}\s["']?[\w.-]{1,64}\/`,
  String.raw`\bthin:[\w.-]{1,64}\/`,
  String.raw`\becho\b[ \t]{1,3}(?:-\w{1,3}[ \t]{1,3})?["']?[\w.-]{1,64}:(?=[^|\n]{1,256}\|[ \t]{0,3}(?:sudo[ \t]{1,3})?chpasswd)`,
].map((before) => new RegExp(`(${before})()([^\\s"'@]{1,256})`, "gi"));

/** htpasswd -b FILE USER PASSWORD, mc alias set NAME URL KEY SECRET: the last word. */
const lastWord =
  /(\b(?:htpasswd\b[^|;&\n]{0,240}?\s-\w{0,6}b\w{0,6}|mc (?:alias set|config host add))\b[^|;&\n]{0,240}\s)(["']?)([^\s"'|;&]{1,256})(?=["']?[ \t]{0,8}(?:$|[|;&\n]))/g;

/** echo PASSWORD | sudo -S, | passwd --stdin, | docker login --password-stdin */
const piped =
  /(\b(?:echo|printf)\b[ \t]{1,3}(?:-\w{1,3}[ \t]{1,3})?(?:["']%s(?:\\n)?["'][ \t]{1,3})?)(["']?)([^\s"'|]{1,256})(?=["']?[ \t]{0,3}\|[^\n|]{0,160}(?:--password-stdin|--stdin|--passphrase-fd|\bsudo[ \t]{1,3}-\w{0,3}S|cryptsetup|--with-token|--pinentry-mode|(?:docker|podman) secret create|pass insert|htpasswd -\w{0,4}i|smbpasswd))/g;

const standsForIt = /^(?:\$[({A-Z_]|<|\*+$|\[redacted|%|\/\/)/;

export function redactCommands(text: string, mark: string): string {
  const replace = (all: string, head: string, quote: string, secret: string): string =>
    standsForIt.test(secret) || (secret.startsWith("-") && /\s$/.test(head)) ? all : `${head}${quote}${mark}`;
  let result = text;
  for (const rule of [...rules, ...users, lastWord, piped]) result = result.replace(rule, replace);
  return result;
}
