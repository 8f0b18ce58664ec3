/** `problems.jsonl`: what was detected, what was done about it, and how it ended. Users read it with jq. */
import { join } from "node:path";
import { fileError } from "../system/file-error.ts";
import { readFirstLine } from "../system/first-argus/line.ts";
import { createLineFile, linesNewestFirst } from "../system/line-file.ts";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import type { Files } from "../system/system.ts";
import type { ActionRecord } from "../types/action.ts";
import type { Finding } from "../types/finding.ts";
import { type Problem, RegistryRecord } from "../types/problem.ts";
import type { TicketEvent } from "../types/ticket.ts";
import { applyRecord, foldProblems, isOpen, stillNeeded, worst } from "./problems.ts";
import {
  actionRecord,
  type CycleRef,
  carriedRecord,
  findingRecord,
  resolvedRecord,
  ticketRecord,
} from "./records.ts";
import type { Settled } from "./settling.ts";

const maxBytes = 5_000_000;
const keep = 4;

export const registryPath = (stateDir: string): string => join(stateDir, "problems.jsonl");

export interface Registry {
  /** By key. A problem resolved more than a day ago may be left out. */
  problems(): ReadonlyMap<string, Problem>;
  /**
   * One `opened` record for each problem that was not open: to be called before anything is done about it.
   * @returns keys of the problems opened now. Throws a UserError when the record cannot be written.
   */
  recordFindings(findings: readonly Finding[], cycle: CycleRef): string[];
  /**
   * Every act on the machine, and every refusal or announcement that differs from the last one of its kind, so that
   * an outage of a day does not write thousands of equal lines. Throws as above.
   */
  recordActions(actions: readonly ActionRecord[], cycle: CycleRef): void;
  /** Throws as above. */
  recordTickets(events: readonly TicketEvent[], cycle: CycleRef): void;
  /** @returns keys of those that were open. Throws as above. */
  recordResolved(over: readonly Settled[], cycle: CycleRef): string[];
}

/** @param limits for tests of the rotation. */
export function createRegistry(
  options: { files: Files; stateDir: string; nowMs: () => number; note: (sentence: string) => void },
  limits = { maxBytes, keep },
): Registry {
  const { files, stateDir, nowMs, note } = options;
  const path = registryPath(stateDir);
  const read = readProblems(files, stateDir);
  if (read.passedOver > 0) note(passedOverSentence(path, read.passedOver));
  const problems = read.problems;
  /** Key, action and target -> what was last written about it in this outage. */
  const said = new Map<string, string>();
  for (const problem of problems.values()) {
    for (const { action, result, reason } of isOpen(problem) ? problem.actions : []) {
      said.set(`${problem.key} ${action}`, saying(action, result, reason));
    }
  }

  const lines = createLineFile({
    files,
    path,
    ...limits,
    durable: true,
    carryOver: () => {
      const needed = stillNeeded(problems.values(), nowMs());
      const keys = new Set(needed.map(({ key }) => key));
      for (const key of problems.keys()) if (!keys.has(key)) problems.delete(key);
      // Open ones last: should it all be too much, the end of the list is what stays.
      needed.sort((a, b) => Number(isOpen(a)) - Number(isOpen(b)) || (a.lastSeen < b.lastSeen ? -1 : 1));
      return needed.map((problem) => stringify(redactDeep(carriedRecord(problem))));
    },
  });

  function write(records: readonly RegistryRecord[]): void {
    try {
      lines.append(...records.map((record) => stringify(record)));
    } catch (error) {
      throw fileError("record a problem in", path, error);
    }
    for (const record of records) {
      const problem = applyRecord(problems.get(record.key), record);
      if (problem !== undefined) problems.set(record.key, problem);
      if (record.event === "opened" || record.event === "resolved") forgetSaid(record.key);
      if (record.event === "action") said.set(`${record.key} ${record.action_taken}`, sayingOf(record));
    }
  }

  function forgetSaid(key: string): void {
    for (const entry of said.keys()) {
      if (entry.startsWith(`${key} `)) said.delete(entry);
    }
  }

  /** What changed the machine, and a message that was sent, is always news. */
  function isNews(record: RegistryRecord): boolean {
    const acted = record.action_result === "success" || record.action_result === "failure";
    if (acted && record.action_taken !== "log") return true;
    return said.get(`${record.key} ${record.action_taken}`) !== sayingOf(record);
  }

  return {
    problems: () => problems,
    recordFindings(findings, cycle) {
      const records: RegistryRecord[] = [];
      for (const [key, group] of groupByKey(findings)) {
        const known = problems.get(key);
        if (!isOpen(known)) {
          records.push(redactDeep(findingRecord("opened", group, cycle, problems.get(key)?.beadId)));
          continue;
        }
        const severity = group.map((finding) => finding.severity).reduce(worst);
        const isWorse = worst(severity, known.severity) !== known.severity;
        if (isWorse || group.some((finding) => !known.rules.includes(finding.rule))) {
          records.push(redactDeep(findingRecord("changed", group, cycle, known.beadId)));
        }
      }
      write(records);
      return records.filter((record) => record.event === "opened").map((record) => record.key);
    },
    recordActions(actions, cycle) {
      const records: RegistryRecord[] = [];
      for (const action of actions) {
        const record = redactDeep(actionRecord(action, problems.get(action.problem), cycle));
        if (record !== null && isNews(record)) records.push(record);
      }
      write(records);
    },
    recordTickets(events, cycle) {
      write(
        events.flatMap((event) => redactDeep(ticketRecord(event, problems.get(event.problem), cycle)) ?? []),
      );
    },
    recordResolved(over, cycle) {
      const records = over.flatMap((settled) => {
        const problem = problems.get(settled.key);
        return isOpen(problem) ? [resolvedRecord(problem, settled, cycle)] : [];
      });
      write(records);
      return records.map((record) => record.key);
    },
  };
}

/** A note in the observations counts its repeats in its words: they are no reason for one line a cycle. */
function saying(action: string, result: string, reason: string): string {
  return action === "log" && result === "success" ? result : `${result} ${reason}`;
}

const sayingOf = (record: RegistryRecord): string =>
  saying(record.action_taken, record.action_result, record.reason);

function groupByKey(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const group = groups.get(finding.key);
    if (group === undefined) groups.set(finding.key, [finding]);
    else group.push(finding);
  }
  return groups;
}

/** Counts what it cannot read instead of stopping at it: a torn line, or one of a later version. */
export function parseRecord(line: string): RegistryRecord | null {
  try {
    const value: unknown = JSON.parse(line);
    return RegistryRecord.safeParse(value).data ?? readFirstLine(value);
  } catch {
    return null;
  }
}

export function passedOverSentence(path: string, count: number): string {
  return count === 1
    ? `1 line of ${path} could not be read (cut off by a crash, or not Argus's) and was passed over`
    : `${count} lines of ${path} could not be read (cut off by a crash, or not Argus's) and were passed over`;
}

/** The problems as the newest file tells them; each file begins with what the one before left open. */
export function readProblems(
  files: Files,
  stateDir: string,
): { problems: Map<string, Problem>; passedOver: number } {
  const path = registryPath(stateDir);
  // Between the two renames of a rotation there is no file of that name, but what it will begin with stands ready.
  const text = readText(files, path) ?? readText(files, `${path}.next`) ?? "";
  let passedOver = 0;
  const records = text.split("\n").flatMap((line) => {
    if (line === "") return [];
    const record = parseRecord(line);
    if (record === null) passedOver += 1;
    return record ?? [];
  });
  return { problems: foldProblems(records), passedOver };
}

function readText(files: Files, path: string): string | null {
  try {
    return files.tryRead(path, "own");
  } catch (error) {
    throw fileError("read", path, error);
  }
}

export interface RegistryHistory {
  /** Newest first, through the rotated files as far as they are asked for. */
  records(): Generator<RegistryRecord>;
  /** Lines passed over so far. */
  passedOver(): number;
}

export function readHistory(files: Files, stateDir: string): RegistryHistory {
  let passedOver = 0;
  return {
    *records() {
      for (const line of linesNewestFirst(files, registryPath(stateDir), keep)) {
        const record = parseRecord(line);
        if (record === null) passedOver += 1;
        else if (record.event !== "carried") yield record;
      }
    },
    passedOver: () => passedOver,
  };
}
