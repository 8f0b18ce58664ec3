/** What an alert about a unit says besides: what explains its state, and the last lines of its log. */

import type { System } from "../system/system.ts";
import { normaliseUnit, unitDisplayName } from "../system/systemd.ts";
import type { Service } from "../types/facts.ts";
import { timeLimit } from "../types/quantities.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Handled } from "./alerts.ts";
import { machineLine } from "./machine-text.ts";
import { rebootNews } from "./reboot-news.ts";

const mostUnits = 5;
const mostLines = 3;
const longestLine = 200;
const timeoutMs = 3_000;
const plainName = /^[A-Za-z0-9:_.\\@-]{1,255}$/;

/** By problem key. Never rejects: a log that cannot be read is said to be so. */
export async function unitNews(
  system: Pick<System, "run">,
  handled: readonly Handled[],
  facts: Facts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const wanted = new Map<string, Service>();
  for (const { finding, isGone } of handled) {
    const service = serviceOf(finding, facts);
    if (isGone !== true && finding.severity !== "info" && service !== undefined)
      wanted.set(finding.key, service);
  }
  const some = [...wanted].slice(0, mostUnits);
  const lines = await Promise.all(
    some.map(async ([key, service]): Promise<[string, readonly string[]]> => {
      const hints = service.hints.map((hint) => `Also: ${machineLine(hint, longestLine)}.`);
      return [key, [...hints, ...(await logLines(system, service, signal))]];
    }),
  );
  const events = handled.map(({ finding }): [string, string[]] => [finding.key, rebootNews(finding, facts)]);
  return new Map([...lines, ...events].filter(([, each]) => each.length > 0));
}

function serviceOf({ entity, type }: Handled["finding"], { service = [], endpoint = [] }: Facts) {
  if (type !== "service" || entity === null) return undefined;
  const of = endpoint.find(({ name }) => entity.kind === "endpoint" && name === entity.identity)?.service;
  const name = entity.kind === "service" ? entity.identity : of;
  return service.find((one) => one.name === name && one.status !== "unreadable");
}

async function logLines(
  { run }: Pick<System, "run">,
  { name, installed }: Service,
  signal: AbortSignal,
): Promise<string[]> {
  const unit = normaliseUnit(name);
  if (!plainName.test(unit) || (!installed && !plainName.test(name))) return [];
  const args = [
    ...["--quiet", "--no-pager", "--output=json", "--reverse", "--lines=40"],
    ...["--output-fields=MESSAGE,PRIORITY,_PID,_SYSTEMD_INVOCATION_ID"],
    ...[`_SYSTEMD_UNIT=${unit}`, "+", "_PID=1", `UNIT=${unit}`],
  ];
  const result = await run("journalctl", args, { timeoutMs, signal });
  if (result.exitCode !== 0) {
    const why = result.missing
      ? "journalctl is not installed"
      : result.timedOut
        ? `journalctl did not answer within ${timeLimit(timeoutMs)}`
        : "the journal could not be read";
    return [`Its log is not to be had: ${why}.`];
  }
  const entries = result.stdout.split("\n").flatMap((line) => entryOf(line) ?? []);
  const unmet = entries.find(
    ({ isSystemd, text }) => isSystemd && /unmet condition|Condition check/.test(text),
  );
  const lines = lastLines(entries).map((text) => `> ${machineLine(text, longestLine)}`);
  return [
    ...(unmet === undefined ? [] : [`systemd: ${machineLine(unmet.text, longestLine)}`]),
    ...(lines.length === 0 ? [] : [`Last lines of the log of ${unitDisplayName(unit)}:`, ...lines]),
  ];
}

interface Entry {
  readonly text: string;
  readonly isError: boolean;
  readonly isSystemd: boolean;
  readonly run: string;
}

const looksWrong = /\b(error|fail(ed|ure)?|fatal|panic|exception|cannot|unable|denied|refused|traceback)\b/i;

/** Those of its last run that speak of an error; else its very last ones. Newest first in, oldest first out. */
function lastLines(entries: readonly Entry[]): string[] {
  const own = entries.filter(({ isSystemd }) => !isSystemd);
  const last = own.filter(({ run }) => run === own[0]?.run);
  const wrong = last.filter(({ isError, text }) => isError || looksWrong.test(text));
  const chosen = (wrong.length > 0 ? wrong : last).slice(0, mostLines);
  return chosen.reverse().map(({ text }) => text);
}

function entryOf(line: string): Entry | null {
  if (line === "") return null;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    // A message that is no text comes as a list of bytes.
    const { MESSAGE: message } = entry;
    const text = Array.isArray(message)
      ? Buffer.from(message as number[]).toString("utf8")
      : String(message ?? "");
    if (text.trim() === "") return null;
    return {
      text,
      isError: Number(entry["PRIORITY"] ?? 6) <= 3,
      isSystemd: String(entry["_PID"]) === "1",
      run: String(entry["_SYSTEMD_INVOCATION_ID"] ?? ""),
    };
  } catch {
    return null;
  }
}
