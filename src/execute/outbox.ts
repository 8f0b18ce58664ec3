/** Messages to people: written durably into `outbox/`, where they wait until every channel has confirmed them. */
import { join } from "node:path";
import { oneLine, shortName, stringify } from "../system/printable.ts";
import { redact, redactDeep } from "../system/redact/redact.ts";
import type { Files } from "../system/system.ts";
import type { OutboxMessage, ProblemNote } from "../types/action.ts";
import type { Moment } from "../types/moment.ts";
import {
  type Ending,
  endings,
  endingWord,
  type ProblemType,
  type Severity,
  severities,
} from "../types/problem.ts";

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

/** Telegram takes 4096 characters; what is left over pays for the last line. */
const maxCharacters = 3800;
const mostAdvice = 600;

/** One message for all alerts of a cycle, the worst first, recoveries last. */
export function composeMessage(
  host: string,
  alerts: readonly AlertText[],
  now: Moment,
): Omit<OutboxMessage, "id"> {
  const worstFirst = [...alerts].sort((a, b) => rank(a) - rank(b));
  const blocks = worstFirst.map(block);
  const only = blocks.length === 1 ? blocks[0] : undefined;
  const from = shortName(host, 64);
  const text = only === undefined ? grouped(`${from}: ${counts(alerts)}`, blocks) : `${from}: ${only}`;
  return {
    version: 1,
    createdAt: new Date(now.wallMs).toISOString(),
    severity:
      severities.find((each) => alerts.some((one) => !one.recovery && one.severity === each)) ?? "info",
    // A message leaves the machine; what a command line or a summary gives away must not.
    text: redact(text),
    problems: worstFirst.map((alert) => alert.problem),
    host: from,
    notes: alerts.map((alert) => noteOf(alert, now)),
  };
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

function block(alert: AlertText): string {
  const kind = alert.recovery ? endingWord(alert.ending) : alert.severity.toUpperCase();
  return `${kind} ${alert.text}\nargus explain ${alert.problem}`;
}

function counts(alerts: readonly AlertText[]): string {
  const over = endings.flatMap((ending) => {
    const count = alerts.filter((alert) => alert.recovery && (alert.ending ?? "resolved") === ending).length;
    return count === 0 ? [] : [`${count} ${ending}`];
  });
  const parts = severities.map((severity) => {
    const count = alerts.filter((alert) => !alert.recovery && alert.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  return [...parts.flat(), ...over].join(", ");
}

function grouped(head: string, blocks: readonly string[]): string {
  let text = head;
  for (const [index, each] of blocks.entries()) {
    if (text.length + each.length + 2 > maxCharacters) {
      return `${text}\n\nand ${blocks.length - index} more: argus problems`;
    }
    text += `\n\n${each}`;
  }
  return text;
}

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
