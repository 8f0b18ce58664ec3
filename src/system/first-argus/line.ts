/**
 * A line of the first Argus's `problems.jsonl`: the eight fixed fields and no key. It is one event: the trouble was
 * seen, this was done. How it ended it never wrote down.
 */
import { join } from "node:path";
import * as z from "zod";
import {
  type ActionResult,
  ProblemType,
  pastSource,
  type RegistryRecord,
  type Severity,
} from "../../types/problem.ts";
import { withoutMark } from "../byte-order-mark.ts";
import { linesNewestFirst, longestRegistryLineBytes } from "../lines.ts";
import { oneLine } from "../printable.ts";
import { problemKey } from "../problem-key.ts";
import { redact, redactDeep } from "../redact/redact.ts";
import type { Files } from "../system.ts";
import { aboutOf } from "./subject.ts";

const Line = z.looseObject({
  ts: z.union([z.string(), z.number()]),
  severity: z.string(),
  type: z.string(),
  description: z.string(),
  action_taken: z.string().nullish(),
  action_result: z.string().nullish(),
  bead_id: z.union([z.string(), z.number()]).nullish(),
  host: z.string(),
});

const fixed = new Set(Object.keys(Line.shape));
/** Fields that every line of ours has: one with them that is not whole is a broken line, not an old one. */
const ours = ["key", "condition", "cycle", "event"];

/** @returns null: it is no line of the first Argus. */
export const readFirstLine = (value: unknown): RegistryRecord | null => readWhole(value)?.record ?? null;

/** isSure: what it is about stands clearly in its text. */
function readWhole(value: unknown): { record: RegistryRecord; isSure: boolean } | null {
  const parsed = Line.safeParse(value);
  if (!parsed.success || ours.some((name) => Object.hasOwn(parsed.data, name))) return null;
  const line = parsed.data;
  const ts = timeOf(line.ts);
  if (ts === null) return null;
  const type = ProblemType.safeParse(line.type.trim().toLowerCase()).data;
  const description = oneLine(redact(line.description));
  const action = redact(oneLine(line.action_taken ?? "")) || "none";
  const host = oneLine(line.host);
  const { isSure, ...about } =
    type === undefined
      ? { subject: oneLine(line.type.toLowerCase(), 64), condition: "reported", isSure: false }
      : aboutOf(type, description, action, host);
  const result = resultOf(line.action_result ?? "");
  const others = Object.entries(line).filter(([name]) => !fixed.has(name));
  const record: RegistryRecord = {
    ts,
    severity: severityOf(line.severity),
    type: type ?? "check",
    description,
    action_taken: action,
    action_result: result.result,
    bead_id: line.bead_id == null || line.bead_id === "" ? null : String(line.bead_id),
    host,
    key: problemKey(type ?? "check", about.subject, about.condition),
    ...about,
    source: pastSource,
    cycle: "",
    reason: result.reason,
    evidence: redactDeep(Object.fromEntries(others)),
    duration_ms: 0,
    event: "past",
  };
  return { record, isSure };
}

/** The present one and those that the rotation keeps. */
const mostFiles = 5;

export interface FirstLine {
  /** As they stand there. */
  readonly type: string;
  readonly description: string;
  readonly record: RegistryRecord;
  readonly isSure: boolean;
}

/** All lines of the first Argus in a registry, newest first. Throws as Files.tryRead. */
export function* firstLines(files: Files, stateDir: string): Generator<FirstLine> {
  for (const line of linesNewestFirst(files, join(stateDir, "problems.jsonl"), mostFiles - 1, {
    longestBytes: longestRegistryLineBytes,
  })) {
    const value = jsonOf(line);
    const read = readWhole(value);
    const raw = Line.safeParse(value).data;
    if (read !== null && raw !== undefined) yield { type: raw.type, description: raw.description, ...read };
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(withoutMark(line));
  } catch {
    return null;
  }
}

/** Epoch seconds, or ISO 8601 with any offset. @returns as Argus writes it now; null: it names no time. */
function timeOf(ts: string | number): string | null {
  const text = String(ts).trim();
  const ms = /^\d{9,11}(\.\d+)?$/.test(text)
    ? Number(text) * 1000
    : /^\d{4}-\d{2}-\d{2}/.test(text)
      ? Date.parse(withColon(text))
      : Number.NaN;
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** `date -Is` writes +01:00, `date +%z` +0100, which Date.parse need not take; without an offset it was UTC. */
function withColon(text: string): string {
  const iso = text.replace(" ", "T").replace(/([+-]\d{2})(\d{2})$/, "$1:$2");
  return /(Z|[+-]\d{2}:\d{2})$/i.test(iso) || !iso.includes("T") ? iso : `${iso}Z`;
}

function severityOf(text: string): Severity {
  const word = text.trim().toLowerCase();
  if (/^(critical|crit|error|err|fatal|emergency|alert|high|severe)$/.test(word)) return "critical";
  return /^(info|information|informational|notice|low|ok|debug|minor)$/.test(word) ? "info" : "warning";
}

function resultOf(text: string): { result: ActionResult; reason: string } {
  const word = text.trim().toLowerCase();
  const reason = (result: ActionResult) =>
    word === result || word === "" ? "" : redact(oneLine(`the first Argus wrote: ${text}`, 200));
  const is = (result: ActionResult) => ({ result, reason: reason(result) });
  if (/^(success|successful|succeeded|ok|done|sent|logged|recorded|true)$/.test(word)) return is("success");
  if (/^(failure|failed|fail|error|timeout|false)$/.test(word)) return is("failure");
  return is(/^(suppressed|dedup|deduplicated|duplicate)$/.test(word) ? "suppressed" : "skipped");
}
