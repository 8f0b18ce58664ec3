/** A mail as its reader sees it: headers unfolded and decoded (RFC 2047), the body out of its base64. */
export function splitMail(text: string): { headers: Record<string, string>; body: string } {
  const end = text.indexOf("\r\n\r\n");
  const lines = text
    .slice(0, end)
    .replace(/\r\n[ \t]/g, " ")
    .split("\r\n");
  const pairs = lines.map((line): [string, string] => {
    const at = line.indexOf(":");
    return [line.slice(0, at).toLowerCase(), decoded(line.slice(at + 1).trim())];
  });
  return {
    headers: Object.fromEntries(pairs),
    body: Buffer.from(text.slice(end + 4), "base64").toString(),
  };
}

const decoded = (value: string): string =>
  value
    .replace(/\?=\s+=\?/g, "?==?")
    .replace(/=\?UTF-8\?B\?([\w+/=]*?)\?=/g, (_, base64: string) => Buffer.from(base64, "base64").toString());
