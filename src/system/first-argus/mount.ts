/** Which mount a text of the first Argus names. One that names none, or several, names none. Pure. */

/** A path as a whole; devices are no mounts. */
const path = String.raw`\/(?:(?!dev\/(?!shm\b|mqueue\b))[\w@+-][\w.@+-]*(?:\/[\w.@+-]+)*)?(?<!\.)`;
const alone = String.raw`(?<![\w./:~-])(${path})(?![\w/-]|\.\w)`;
const open = String.raw`["'\u0060(*]*`;
const close = String.raw`["'\u0060)*]*`;
const state = String.raw`(?:(?:is|at|has|now|currently|nearly|almost|critically|reached|exceeds|above|over|usage|capacity|space|of|filled|to)\s+){0,4}(?:\(?\d{1,3}(?:\.\d+)?\s?%|full\b|usage\b|used\b|nearly\b|critical)`;
const noun = String.raw`(?:file ?system|partition|volume|mount)\b|(?<!\/\s+)disk (?:usage|space)\b`;

/** `on /home`, `partition /home`, `93% of /home`. */
const before = new RegExp(
  String.raw`(?:\b(on|for|usage of|capacity of|inodes of|mounted (?:on|at))|(?:%|percent) (of)|\b(?:disk|file ?system|partition|volume|mount(?: ?point)?|device))[:\s]\s*${open}${alone}(?!\s+off\b)`,
  "gi",
);
/** `/home is 93% full`, `/home: 93%`, `/home=93%`, `the /home partition`. */
const after = new RegExp(String.raw`${alone}${close}\s*[:=]?\s*(?:${state}|${noun})`, "gi");
const root = /\broot(?:fs\b|[ -](?:disk|file ?system|partition|volume|fs|mount)\b| (?:is |at ){1,2}\d)/gi;

/** What was cleaned, or is read and written, is no mount that is full. */
const otherTalk =
  /\b(?:freed|clean\w*|remov\w*|delet\w*|clear\w*|reclaim\w*|purg\w*|files|logs|caches?|latency)\b[^;:,]*$/i;
const isFine = /\b(?:fine|ok|okay|healthy|normal)\b/i;
const fullPercent = 80;

interface Named {
  readonly at: number;
  readonly mount: string;
}

export function mountIn(text: string): string | null {
  const named = [...namedBefore(text), ...namedAfter(text), ...namedRoot(text)].sort((a, b) => a.at - b.at);
  const mounts = distinct(named);
  if (mounts.length < 2) return mounts[0] ?? null;
  // `/home is 96% full; root filesystem is fine at 30%`
  const bad = distinct(named.filter(({ at }, index) => !isAtEase(text.slice(at, named[index + 1]?.at))));
  return bad.length === 1 ? (bad[0] ?? null) : null;
}

const distinct = (named: readonly Named[]): string[] => [...new Set(named.map(({ mount }) => mount))];

function isAtEase(said: string): boolean {
  const percent = /(\d{1,3})(?:\.\d+)?\s?%/.exec(said)?.[1];
  return isFine.test(said) || (percent !== undefined && Number(percent) < fullPercent);
}

function* namedBefore(text: string): Generator<Named> {
  for (const match of text.matchAll(before)) {
    const [whole, preposition, share, mount = ""] = match;
    if (otherTalk.test(text.slice(0, match.index))) continue;
    const rest = text.slice(match.index + whole.length);
    // `disk / memory`: a stroke between two words.
    const isStroke = mount === "/" && preposition === undefined && share === undefined && /^\s+\w/.test(rest);
    if (!isStroke || new RegExp(`^\\s+${state}`, "i").test(rest))
      yield { at: match.index + whole.lastIndexOf(mount), mount };
  }
}

function* namedAfter(text: string): Generator<Named> {
  for (const match of text.matchAll(after)) {
    const mount = match[1] ?? "";
    const head = text.slice(0, match.index);
    // `78G / 92%`, `read / disk usage`: a division, unless it is `the / partition`.
    const isStroke = mount === "/" && /[\w)%]\s*$/.test(head) && !/\bthe\s+$/i.test(head);
    if (!isStroke && !otherTalk.test(head)) yield { at: match.index, mount };
  }
}

function* namedRoot(text: string): Generator<Named> {
  for (const { index } of text.matchAll(root)) yield { at: index, mount: "/" };
}
