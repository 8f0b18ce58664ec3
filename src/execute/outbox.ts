/** Messages to people: written durably into `outbox/`, where they wait until every channel has confirmed them. */
import { join } from "node:path";
import { countsOf, explainCommand, labelOf } from "../system/message-words.ts";
import { oneLine, shortName, stringify } from "../system/printable.ts";
import { redact, redactDeep } from "../system/redact/redact.ts";
import type { Files } from "../system/system.ts";
import type { OutboxMessage, ProblemNote } from "../types/action.ts";
import type { Moment } from "../types/moment.ts";
import { type Ending, type ProblemType, type Severity, severities } from "../types/problem.ts";

export interface AlertText {
  readonly problem: string;
  readonly type: ProblemType;
  readonly subject: string;
  readonly severity: Severity;
  readonly recovery: boolean;
  /** Of one that is over: how. */
  readonly ending?: Ending | undefined;
  /** What was done about it; undefined: nothing. */
  readonly actionTaken?: string | undefined;
  /** Clean and short, a line for each thing that there is to say. */
  readonly text: string;
  /** Ids of what waits for a yes about it. */
  readonly approvals?: readonly string[] | undefined;
  readonly since?: string | undefined;
  readonly advice?: string | undefined;
}

/** Telegram takes 4096 characters; what is left over pays for a line about lateness and the link below. */
const maxCharacters = 3800;
/** One block alone leaves room for the head and a short line about a second problem. */
const mostInBlock = 3500;
const mostSubject = 60;
const mostAsked = 2;
/** How much of a summary a short line holds: the longest with which everything fits into one message. */
const summaryLengths = [160, 100, 60];
/** More lines than this never fit. */
const mostInOne = 90;
const mostAdvice = 600;

/** What a message says about one problem: in full, or in one line. */
interface Entry {
  readonly note: ProblemNote;
  readonly block: string;
  readonly line: (mostInSummary: number) => string;
}

/**
 * One message for all alerts of a cycle, the worst first, recoveries last. Every problem is named: when their blocks do
 * not fit, the worst have theirs and each other one has a line; when the lines do not fit either, there are more
 * messages. People count on it: whatever is in here counts as announced.
 */
export function composeMessages(
  host: string,
  alerts: readonly AlertText[],
  now: Moment,
): Omit<OutboxMessage, "id">[] {
  if (alerts.length === 0) return [];
  const worstFirst = [...alerts].sort((a, b) => rank(a) - rank(b));
  const entries = worstFirst.map((alert) => entryOf(alert, now));
  const from = shortName(host, 64);
  const whole = inOne(from, entries);
  if (whole !== null) return [messageOf(from, entries, whole, now)];
  const parts = inParts(entries);
  return parts.map((part, index) => {
    const head = `${from}: part ${index + 1} of ${parts.length}: ${countsOf(notesOf(part))}`;
    const full = index === 0 ? firstInFull(part) : 0;
    return messageOf(from, part, joined(head, part, full, summaryInParts), now);
  });
}

function messageOf(
  host: string,
  entries: readonly Entry[],
  text: string,
  now: Moment,
): Omit<OutboxMessage, "id"> {
  const notes = notesOf(entries);
  const firing = notes.filter(({ state }) => state === "firing");
  return {
    version: 1,
    createdAt: new Date(now.wallMs).toISOString(),
    severity: severities.find((each) => firing.some(({ severity }) => severity === each)) ?? "info",
    text,
    problems: notes.map(({ problem }) => problem),
    host,
    notes,
  };
}

const notesOf = (entries: readonly Entry[]): ProblemNote[] => entries.map(({ note }) => note);

/** A message leaves the machine; what a command line or a summary gives away must not. Cut only afterwards. */
function entryOf(alert: AlertText, now: Moment): Entry {
  const note = noteOf(alert, now);
  const label = labelOf(note);
  const explain = explainCommand(alert.problem);
  const said = fitted(redact(`${label} ${alert.text}`), mostInBlock);
  const subject = fitted(note.subject, mostSubject);
  const about = note.summary.includes(subject) ? "" : `${subject}: `;
  const asked = (note.approvals ?? []).slice(0, mostAsked).map((id) => `argus approve ${id}`);
  return {
    note,
    block: `${said}\n${explain}`,
    line: (most) => `${label} ${about}${fitted(note.summary, most)} — ${[explain, ...asked].join("; ")}`,
  };
}

/** @returns null: not even one line for each fits. */
function inOne(host: string, entries: readonly Entry[]): string | null {
  const [only] = entries;
  if (only !== undefined && entries.length === 1) return `${host}: ${only.block}`;
  if (entries.length > mostInOne) return null;
  const head = `${host}: ${countsOf(notesOf(entries))}`;
  for (const most of summaryLengths) {
    for (let full = entries.length; full > 0; full -= 1) {
      const text = joined(head, entries, full, most);
      if (text.length <= maxCharacters) return text;
    }
  }
  return null;
}

const summaryInParts = 100;
const mostHead = 200;
/** What is worst is said in full also when there is very much. */
const mostInFull = 3;
const longestInFull = 900;

function firstInFull(entries: readonly Entry[]): number {
  const end = entries.slice(0, mostInFull).findIndex(({ block }) => block.length > longestInFull);
  return end < 0 ? Math.min(mostInFull, entries.length) : end;
}

function inParts(entries: readonly Entry[]): Entry[][] {
  const full = firstInFull(entries);
  const parts: Entry[][] = [];
  let length = 0;
  for (const [index, entry] of entries.entries()) {
    const more = (index < full ? entry.block : entry.line(summaryInParts)).length + 2;
    if (parts.length === 0 || length + more > maxCharacters - mostHead) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)?.push(entry);
    length += more;
  }
  return parts;
}

/** In UTF-16 units, which is what Telegram counts. */
function fitted(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** @param full so many have their block, the others a line. */
function joined(head: string, entries: readonly Entry[], full: number, mostInSummary: number): string {
  const blocks = entries.slice(0, full).map(({ block }) => block);
  const lines = entries.slice(full).map(({ line }) => line(mostInSummary));
  return [head, ...blocks, ...(lines.length === 0 ? [] : [lines.join("\n")])].join("\n\n");
}

/** The same as data, for channels that pass on no words. */
function noteOf(alert: AlertText, now: Moment): ProblemNote {
  const { problem, type, subject, recovery, ending = "resolved", text, since, advice } = alert;
  // Nobody was alerted to what was repaired: it is for information.
  const severity = recovery && ending === "repaired" ? "info" : alert.severity;
  const { approvals = [], actionTaken = "none" } = alert;
  return {
    problem,
    type,
    subject: redact(shortName(subject, 1024)),
    severity,
    state: recovery ? "resolved" : "firing",
    ...(recovery ? { ending } : {}),
    at: new Date(now.wallMs).toISOString(),
    summary: redact(text.split("\n", 1)[0] ?? ""),
    ...(approvals.length === 0 ? {} : { approvals: [...approvals] }),
    actionTaken: redact(oneLine(actionTaken, 1024)),
    ...(since === undefined ? {} : { since: oneLine(since, 40) }),
    ...(advice === undefined ? {} : { advice: redact(oneLine(advice, mostAdvice)) }),
  };
}

const rank = (alert: AlertText): number =>
  alert.recovery ? severities.length : severities.indexOf(alert.severity);

/**
 * Written as a whole and on disk when it returns; file names sort by the time of creation.
 * @returns the message's id, which is its file name without `.json`.
 */
export function putIntoOutbox(
  files: Files,
  stateDir: string,
  message: Omit<OutboxMessage, "id">,
  now: Moment,
): string {
  const folder = join(stateDir, "outbox");
  files.makeDirectory(folder);
  const time = new Date(now.wallMs).toISOString().replace(/[-:.]/g, "");
  let number = 1;
  // Two messages of one millisecond, or after the clock was set back, must not overwrite each other.
  const name = () => `${time}-${String(number).padStart(4, "0")}`;
  while (files.stat(join(folder, `${name()}.json`)) !== null) number += 1;
  const id = name();
  files.writeAtomic(
    join(folder, `${id}.json`),
    `${stringify(redactDeep<OutboxMessage>({ ...message, id }))}\n`,
  );
  return id;
}
