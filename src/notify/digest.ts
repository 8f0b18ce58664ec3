/** Messages that waited too long to be told one by one, in short: how many, since when, about what. */
import * as z from "zod";
import { minute } from "../report/values.ts";
import { labelOf } from "../system/message-words.ts";
import { type OutboxMessage, ProblemNote } from "../types/action.ts";
import { Severity, severities } from "../types/problem.ts";

const Entry = z.strictObject({
  count: z.number().int().positive(),
  severity: Severity,
  line: z.string(),
  /** Of the newest message about it. */
  at: z.string(),
  note: ProblemNote.nullable(),
});
type Entry = z.infer<typeof Entry>;

export const Digest = z.strictObject({
  /** Messages. */
  count: z.number().int().nonnegative(),
  /** Of them: critical ones, which only an outbox without a channel folds. */
  critical: z.number().int().nonnegative().default(0),
  since: z.string(),
  until: z.string(),
  /** By the key of the problem, or by the first line of what is about none. */
  entries: z.record(z.string(), Entry),
  /** Keys of what had no room among the entries. */
  unnamed: z.array(z.string()).default([]),
});
export type Digest = z.infer<typeof Digest>;

const mostEntries = 200;
const mostUnnamed = 2000;
const mostCharacters = 3500;
const mostInLine = 160;

export function fold(digest: Digest | null, messages: readonly OutboxMessage[]): Digest | null {
  const entries = new Map(Object.entries(digest?.entries ?? {}));
  let { count, critical, since, until } = digest ?? { count: 0, critical: 0, since: "", until: "" };
  for (const message of messages) {
    count += 1;
    if (message.severity === "critical") critical += 1;
    if (since === "" || message.createdAt < since) since = message.createdAt;
    if (message.createdAt > until) until = message.createdAt;
    for (const [key, entry] of entriesOf(message)) {
      const known = entries.get(key);
      entries.delete(key);
      entries.set(key, {
        ...(known !== undefined && known.at > entry.at ? known : entry),
        count: (known?.count ?? 0) + 1,
      });
    }
  }
  if (count === 0) return null;
  // The most severe stays, then the newest; how many there were is counted whatever happens.
  const ranked = [...entries].sort(([, a], [, b]) => worstThenNewest(a, b));
  const kept = ranked.slice(0, mostEntries);
  const named = new Set(kept.map(([key]) => key));
  const left = [...(digest?.unnamed ?? []), ...ranked.map(([key]) => key)].filter((key) => !named.has(key));
  const unnamed = [...new Set(left)].slice(0, mostUnnamed);
  return { count, critical, since, until, entries: Object.fromEntries(kept), unnamed };
}

function entriesOf({ notes = [], createdAt, severity, text, host }: OutboxMessage): [string, Entry][] {
  if (notes.length > 0)
    return notes.map((note) => [
      note.problem,
      { count: 1, severity: note.severity, line: note.summary, at: note.at, note },
    ]);
  const first = text.split("\n", 1)[0] ?? "";
  const line = host !== undefined && first.startsWith(`${host}: `) ? first.slice(host.length + 2) : first;
  return [[`text:${line.slice(0, mostInLine)}`, { count: 1, severity, line, at: createdAt, note: null }]];
}

export const notesOf = ({ entries }: Digest): ProblemNote[] =>
  Object.values(entries)
    .flatMap(({ note }) => note ?? [])
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));

const worstThenNewest = (a: Entry, b: Entry): number =>
  severities.indexOf(a.severity) - severities.indexOf(b.severity) || (a.at < b.at ? 1 : a.at > b.at ? -1 : 0);

export function digestText(
  host: string,
  { count, critical, since, until, entries, unnamed }: Digest,
): string {
  const many = count === 1 ? "1 message" : `${count} messages`;
  const worst = critical === 0 ? "None was critical" : `${critical} of them critical`;
  const head = `${host}: ${many} of ${minute(since)} to ${minute(until)} UTC could not be delivered at the time. ${worst}; in short:`;
  const sorted = Object.values(entries).sort(worstThenNewest);
  const more = (left: number): string => {
    const least = unnamed.length === mostUnnamed ? "at least " : "";
    return `\nand ${least}${left + unnamed.length} more: argus problems`;
  };
  let text = head;
  for (const [index, entry] of sorted.entries()) {
    const line = lineOf(entry);
    if (text.length + line.length + 1 > mostCharacters) return text + more(sorted.length - index);
    text += `\n${line}`;
  }
  return unnamed.length === 0 ? text : text + more(0);
}

function lineOf({ count, severity, line, at, note }: Entry): string {
  const kind = note === null ? "" : `${labelOf({ ...note, severity })} `;
  const said = line.length > mostInLine ? `${line.slice(0, mostInLine).toWellFormed()}…` : line;
  return `${kind}${said} (${count === 1 ? "" : `${count} times, last `}${minute(at)})`;
}
