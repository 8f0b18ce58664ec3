/**
 * What is sent in which order. A few messages go as they were written. After days without a network they do not: the
 * critical ones come together, in as few messages as hold them all, and the rest as a digest.
 */
import { minute } from "../report/values.ts";
import { labelOf } from "../system/message-words.ts";
import type { OutboxMessage } from "../types/action.ts";
import type { Moment } from "../types/moment.ts";
import { severities } from "../types/problem.ts";
import type { Parcel } from "./channels/channel.ts";
import { type Digest, digestText, fold, notesOf } from "./digest.ts";
import type { Waiting } from "./outbox.ts";

/** From this age on a message says when it was written. */
const lateSeconds = 600;
/** So many late ones are still told one by one. */
const fewLate = 5;
/** Telegram takes 4096. */
const mostCharacters = 3800;

/**
 * @param waiting what one channel has not confirmed, oldest first.
 * @param folded what was taken out of the outbox before, because too much waited.
 * @param host the name of this one, for messages that do not say theirs.
 */
export function parcelsOf(
  waiting: readonly Waiting[],
  folded: Digest | null,
  host: string,
  now: Moment,
): Parcel[] {
  // A summary is short already.
  const late = waiting.filter(({ message }) => message.daily === undefined && isLate(message, now));
  const isFlood = late.length > fewLate;
  const digested = isFlood ? late.filter(({ message }) => message.severity !== "critical") : [];
  const critical = isFlood ? late.filter(({ message }) => message.severity === "critical") : [];
  const together = new Set([...digested, ...critical]);
  const digest = fold(
    folded,
    digested.map(({ message }) => message),
  );
  return [
    ...bundles(critical, host),
    ...(digest === null ? [] : [digestParcel(digest, digested, digested.at(-1)?.message.host ?? host)]),
    ...waiting.filter((each) => !together.has(each)).map((each) => single(each, host, now)),
  ];
}

function isLate({ createdAt }: OutboxMessage, now: Moment): boolean {
  return (now.wallMs - Date.parse(createdAt)) / 1000 > lateSeconds;
}

/** One by one, what is refused together: it may be the length that is too much. */
export function apart(waiting: readonly Waiting[], host: string, now: Moment): Parcel[] {
  return waiting.map((each) => single(each, host, now));
}

function single({ file, message }: Waiting, host: string, now: Moment): Parcel {
  const { text, createdAt, daily } = message;
  const late = isLate(message, now) ? `(delivered late, written ${minute(createdAt)} UTC)\n` : "";
  const kind = daily === undefined ? ("message" as const) : ("daily_summary" as const);
  const data = daily === undefined ? {} : { daily };
  return { kind, files: [file], ...headOf([message], host), text: `${late}${text}`, ...data };
}

function digestParcel(digest: Digest, of: readonly Waiting[], host: string): Parcel {
  const { since, until, count, entries } = digest;
  const open = Object.values(entries).filter(({ note }) => note?.state !== "resolved");
  const worst = severities.find((each) => open.some(({ severity }) => severity === each));
  return {
    kind: "digest",
    id: `digest-${since}-${until}-${count}`,
    files: of.map(({ file }) => file),
    createdAt: until,
    host,
    severity: worst ?? "info",
    text: digestText(host, digest),
    notes: notesOf(digest),
  };
}

/** All of them, each with its time; what says the same problem again does it in one line. */
function bundles(critical: readonly Waiting[], host: string): Parcel[] {
  const told = new Set<string>();
  const parcels: Waiting[][] = [];
  const texts: string[] = [];
  for (const each of critical) {
    const block = blockOf(each.message, told);
    const text = texts.at(-1);
    if (text === undefined || text.length + block.length + 2 > mostCharacters) {
      texts.push(
        `${each.message.host ?? host}: critical messages that could not be delivered at the time\n\n${block}`,
      );
      parcels.push([each]);
      continue;
    }
    texts[texts.length - 1] = `${text}\n\n${block}`;
    parcels.at(-1)?.push(each);
  }
  return parcels.map((of, index) => ({
    kind: "catch_up",
    files: of.map(({ file }) => file),
    ...headOf(
      of.map(({ message }) => message),
      host,
    ),
    text: texts[index] ?? "",
  }));
}

function blockOf({ createdAt, text, problems, notes = [] }: OutboxMessage, told: Set<string>): string {
  const isKnown = problems.length > 0 && problems.every((key) => told.has(key));
  for (const key of problems) told.add(key);
  const time = `[${minute(createdAt)} UTC]`;
  if (!isKnown) return `${time} ${text}`;
  const said = notes.map((note) => `${labelOf(note)} ${note.summary}`);
  return `${time} again: ${said.length === 0 ? text.split("\n", 1)[0] : said.join("; ")}`;
}

function headOf(messages: readonly OutboxMessage[], host: string) {
  const [first] = messages;
  const last = messages.at(-1);
  const id = first?.id ?? "";
  return {
    id: messages.length === 1 ? id : `${id}-to-${last?.id}`,
    createdAt: first?.createdAt ?? "",
    host: first?.host ?? host,
    severity: first?.severity ?? ("info" as const),
    notes: messages.flatMap(({ notes = [] }) => notes),
  };
}
