/** Lines of settings files and code in which no name, or a name of another kind, stands beside the secret. */
import { isMixed, isSecretValue, looksRandom, tellingOf } from "./names.ts";

/** `password = two words`, alone on its line: without quotes the value goes to the end. */
const line =
  /^([ \t]{0,16}(?:- |export |set )?["']?)([A-Za-z][\w.-]{0,63})(["']?[ \t]{0,3}(?::[ \t]{1,3}|=[ \t]{0,3}))([^\s"'{}[\]<>|&*$%!#][^\n"'{}[\]=:]{3,200})$/gm;
/** `auth=("bob", "x")`, `HTTPBasicAuth("bob", "x")` */
const pairOf =
  /(\b(?:\w{0,24}auth|login|authenticate|credentials?|basic_auth|UsernamePassword\w{0,24})[ \t]{0,2}[=(][ \t]{0,2}\(?["'][^"'\n]{1,128}["'],[ \t]{0,3}["'])([^"'\n]{4,256})(?=["'])/gi;
/** `setPassword("x")`, `.withToken("x")` */
const called =
  /(\b(set|with|use|add|new)?_?\w{0,32}(?:password|passwd|passphrase|secret|token|api_?key|credentials?)[ \t]{0,2}\([ \t]{0,2}["'])([^"'\n]{4,256})(?=["'][ \t]{0,2}\))/gi;
const wifiCode = /(\bWIFI:[^\n]{0,200}?\bP:)((?:\\.|[^;\\\n]){4,128})/g;
/** ipsec.secrets */
const ipsec =
  /((?:^|[\s:]):[ \t]{1,3}(?:PSK|EAP|XAUTH|NTLM|PIN|RSA|ECDSA|P12|PKCS8)[ \t]{1,3}(?:[^\s"]{1,128}[ \t]{1,3})?)("[^"\n]{2,256}"|0[xs]\S{4,256})/gm;
/** snmpd.conf, BIND, routers */
const devices: readonly RegExp[] = [
  /(\b(?:ro|rw)community6?[ \t]{1,3})([^\s"']{4,128})/gi,
  /(\bcom2sec6?[ \t]{1,3}\S{1,64}[ \t]{1,3}\S{1,64}[ \t]{1,3})([^\s"']{4,128})/gi,
  /(\bcreateUser[ \t]{1,3}\S{1,64}[ \t]{1,3}(?:MD5|SHA\S{0,6})[ \t]{1,3})("[^"\n]{1,128}"|\S{4,128})/gi,
  /((?:\bAES|\bDES)(?:\d{3})?[ \t]{1,3})("[^"\n]{8,128}")(?=\s{0,3}$)/gm,
  /(\bsnmp-server[ \t]{1,3}(?:community|host[ \t]\S{1,64}(?:[ \t]version[ \t]\S{1,8})?)[ \t]{1,3})(\S{4,128})(?=[ \t]{1,3}(?:ro|rw|view)\b)/gi,
  /(\bcrypto[ \t]{1,3}isakmp[ \t]{1,3}key[ \t]{1,3}(?:[06][ \t])?)(\S{4,128})/gi,
  /(\b(?:tacacs|radius|ntp)(?:-server)?\b[^\n]{0,80}?\bkey[ \t]{1,3}(?:[07][ \t])?)(?!md5\b|\d{1,3}\b)(\S{4,128})/gi,
  /(\b(?:pre-shared-key|key-string|md5-key|authentication-key|enable secret|enable password|ppp chap password|username[ \t]\S{1,64}[ \t](?:privilege[ \t]\d{1,2}[ \t])?(?:password|secret))[ \t]{1,3}(?:(?:ascii-text|local|remote|\d{1,3}|md5|[0-9] )[ \t]{1,3}){0,2})("[^"\n]{1,128}"|[^\s"]{4,128})/gi,
  /(\b(?:tsig|ddns|rndc)[-_ ]?key[ \t]{1,3}")([^"\n]{16,256})/gi,
  /(\bneighbor[ \t]\S{1,64}[ \t]password[ \t]{1,3}(?:\d[ \t])?)(\S{4,128})/gi,
];

const onDevices =
  /community|com2sec|createUser|AES|DES|isakmp|tacacs|radius|ntp|key-string|shared-key|md5-key|authentication-key|enable|chap|username|tsig|ddns|rndc|neighbor/i;

const sentence =
  /\b(?:is|was|are|has|have|must|should|not|for|with|from|and|or|the|a|your|this|to|in|of|please|will|can|be|use|using|failed|required|error|invalid|wrong|expired|changed|reset|at|on)\b/i;

export function redactSettingsLines(text: string, mark: string): string {
  const hide = (all: string, head: string, value: string): string => {
    if (value.includes("[redacted]") || /^["']?(?:\$|<|\{|%)/.test(value)) return all;
    return value.startsWith('"') ? `${head}"${mark}"` : `${head}${mark}`;
  };
  let result = text;
  if (/pass|secret|psk|phrase|pwd|mnemonic|kenn|contra|senha|wacht|has|hes|token|pin/i.test(result))
    result = result.replace(line, (all, head: string, name: string, mid: string, value: string) => {
      if (!/\s/.test(value.trim()) || value.includes("[redacted]")) return all;
      const telling = tellingOf(name);
      const words = value.trim().split(/\s+/);
      if (telling !== "password" && !/psk$/i.test(name)) return all;
      if (
        sentence.test(value) ||
        words.length > 24 ||
        !isSecretValue("password", words[0] ?? "", { quoted: false, assigned: false })
      )
        return all;
      return `${head}${name}${mid}${mark}`;
    });
  if (result.includes("("))
    result = result
      .replace(pairOf, (all, head: string, value: string) => (isMixed(value) ? hide(all, head, value) : all))
      .replace(called, (all, head: string, verb: string | undefined, value: string) =>
        (verb !== undefined && value.length >= 8) || (isMixed(value) && /\d/.test(value))
          ? hide(all, head, value)
          : all,
      );
  if (result.includes("WIFI:")) result = result.replace(wifiCode, hide);
  if (/[ \t](?:PSK|EAP|XAUTH|NTLM|PIN|RSA|ECDSA|P12|PKCS8)[ \t]/.test(result))
    result = result.replace(ipsec, hide);
  if (!onDevices.test(result)) return result;
  for (const device of devices)
    result = result.replace(device, (all, head: string, value: string) =>
      isMixed(value) || value.startsWith('"') || looksRandom(value, 12) || /community/i.test(head)
        ? hide(all, head, value)
        : all,
    );
  return result;
}
