/** `problems.jsonl`: what was detected, what was done about it, and how it ended. Users read it with jq. */
import { fileError } from "../system/file-error.ts";
import { createLineFile } from "../system/line-file.ts";
import { longestRegistryLineBytes } from "../system/lines.ts";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import type { Files } from "../system/system.ts";
import type { ActionRecord } from "../types/action.ts";
import { UserError } from "../types/errors.ts";
import type { Finding } from "../types/finding.ts";
import type { Problem, RegistryRecord } from "../types/problem.ts";
import type { TicketEvent } from "../types/ticket.ts";
import { mostFirst } from "./folding.ts";
import { applyRecord, isOpen, stillNeeded, worst } from "./problems.ts";
import {
  actionRecord,
  type CycleRef,
  carriedRecord,
  findingRecord,
  resolvedRecord,
  ticketRecord,
} from "./records.ts";
import { keep, readProblems, registryNotes, registryPath } from "./registry-reader.ts";
import type { Settled } from "./settling.ts";

const maxBytes = 5_000_000;
/** Written at once: many thousand problems may end in one cycle. */
const mostAtOnce = 1000;
/** Some 4,000 open problems. */
const mostCarriedBytes = 8_000_000;

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

/**
 * Rotates at once a file that is larger than may be, however it came to that.
 * @param limits for tests of the rotation.
 */
export function createRegistry(
  options: { files: Files; stateDir: string; nowMs: () => number; note: (sentence: string) => void },
  limits: { maxBytes: number; keep: number; mostCarriedBytes?: number } = {
    maxBytes,
    keep,
    mostCarriedBytes,
  },
): Registry {
  const { files, stateDir, nowMs, note } = options;
  const path = registryPath(stateDir);
  const read = readProblems(files, stateDir);
  for (const sentence of registryNotes(path, read)) note(sentence);
  const problems = read.problems;
  /** Key -> action and target -> what was last written about it in this outage. */
  const said = new Map<string, Map<string, string>>();
  for (const problem of problems.values()) {
    for (const { action, result, reason } of isOpen(problem) ? problem.actions : []) {
      remember(problem.key, action, saying(action, result, reason));
    }
  }

  let mostLost = 0;
  const lines = createLineFile({
    files,
    path,
    ...limits,
    durable: true,
    carriedBytes: read.carriedBytes,
    *carryOver() {
      const needed = stillNeeded(problems.values(), nowMs()).sort(mostFirst);
      const keys = new Set(needed.map(({ key }) => key));
      for (const key of problems.keys()) if (!keys.has(key)) problems.delete(key);
      let carried = 0;
      try {
        for (const problem of needed) {
          yield stringify(redactDeep(carriedRecord(problem)));
          carried += 1;
        }
      } finally {
        const lost = needed.slice(carried).filter(isOpen).length;
        // Each rotation meets the same ones again: said once, and again when they are twice as many.
        if (lost > 2 * mostLost) {
          mostLost = lost;
          note(
            `${lost} open problems do not fit into the new ${path}; a restart of Argus takes them for new`,
          );
        }
      }
    },
  });

  try {
    lines.rotateIfFull();
  } catch (error) {
    // What cannot be renamed cannot be written to either: the cycle that has something to record fails by it.
    const told = fileError("rotate", path, error);
    if (!(told instanceof UserError)) throw told;
    note(told.message);
  }

  function write(records: readonly RegistryRecord[]): void {
    for (let start = 0; start < records.length; start += mostAtOnce)
      writePiece(records.slice(start, start + mostAtOnce));
  }

  function writePiece(records: readonly RegistryRecord[]): void {
    try {
      lines.append(...records.map(lineOf));
    } catch (error) {
      throw fileError("record a problem in", path, error);
    }
    for (const record of records) {
      const problem = applyRecord(problems.get(record.key), record);
      if (problem !== undefined) problems.set(record.key, problem);
      if (record.event === "opened" || record.event === "resolved") said.delete(record.key);
      if (record.event === "action") remember(record.key, record.action_taken, sayingOf(record));
    }
  }

  function remember(key: string, action: string, what: string): void {
    said.set(key, (said.get(key) ?? new Map()).set(action, what));
  }

  /** What changed the machine, and a message that was sent, is always news. */
  function isNews(record: RegistryRecord): boolean {
    const acted = record.action_result === "success" || record.action_result === "failure";
    if (acted && record.action_taken !== "log") return true;
    return said.get(record.key)?.get(record.action_taken) !== sayingOf(record);
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
      const ended = over.filter(({ key }) => isOpen(problems.get(key)));
      for (let start = 0; start < ended.length; start += mostAtOnce)
        write(
          ended.slice(start, start + mostAtOnce).flatMap((settled) => {
            const problem = problems.get(settled.key);
            return isOpen(problem) ? [resolvedRecord(problem, settled, cycle)] : [];
          }),
        );
      return ended.map(({ key }) => key);
    },
  };
}

/** What was seen may be of any size; a line that is longer than one is read would be passed over for ever. */
function lineOf(record: RegistryRecord): string {
  const line = stringify(record);
  if (Buffer.byteLength(line) <= longestRegistryLineBytes) return line;
  return stringify({ ...record, evidence: { leftOut: `${Buffer.byteLength(line)} bytes: too long` } });
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
