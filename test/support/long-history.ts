/** Problem history and decision log of a year, of any size, as a busy host writes them. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { problemKey } from "../../src/system/problem-key.ts";

const year = 365 * 86_400_000;

export interface LongHistory {
  readonly bytes: number;
  /** Outages of so many units, each opened, restarted, alerted and resolved; of every 30th the last one stays open. */
  readonly units: number;
  readonly nowMs: number;
}

/** Keys of the problems that are open at the end. */
export function writeLongHistory(stateDir: string, { bytes, units: most, nowMs }: LongHistory): string[] {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const outages = Math.floor(bytes / 4 / 560);
  const units = Math.min(most, outages);
  // Whole ones only, so that what is open at the end is known.
  const records = 4 * (outages - (outages % units));
  const cycles = Math.floor(bytes / 1780);
  const at = (index: number, all: number) => iso(nowMs - year + Math.floor((index * year) / all));
  writeLines(join(stateDir, "problems.jsonl"), records, (index) => {
    const outage = Math.floor(index / 4);
    return recordLine(at(index, records), outage, outage % units, index % 4);
  });
  writeLines(join(stateDir, "trail.jsonl"), cycles, (index) =>
    cycleLine(at(index, cycles), index, index % units),
  );
  return Array.from({ length: units }, (_, unit) => unit)
    .filter(staysOpen)
    .map((unit) => keyOf(unit));
}

function writeLines(path: string, count: number, line: (index: number) => string): void {
  const descriptor = openSync(path, "w", 0o600);
  let text = "";
  for (let index = 0; index < count; index += 1) {
    text += `${line(index)}\n`;
    if (text.length < 1e6 && index < count - 1) continue;
    writeSync(descriptor, text);
    text = "";
  }
  closeSync(descriptor);
}

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
const keys = new Map<number, string>();
function keyOf(unit: number): string {
  const key = keys.get(unit) ?? problemKey("service", `unit-${unit}`, "down");
  keys.set(unit, key);
  return key;
}
const staysOpen = (unit: number): boolean => unit % 30 === 7;

function recordLine(ts: string, outage: number, unit: number, step: number): string {
  const isOver = step === 3 && !staysOpen(unit);
  const { action, result, reason, event } = isOver
    ? { action: "none", result: "skipped", reason: "healed", event: "resolved" }
    : (steps[step % 3] ?? steps[0]);
  return JSON.stringify({
    ts,
    severity: unit % 3 === 0 ? "critical" : "warning",
    type: "service",
    description: `unit-${unit} is failed (exit-code) – the ${outage}th outage, after 86 400 s of health`,
    action_taken: action === "none" || action === "alert" ? action : `${action}:unit-${unit}`,
    action_result: result,
    bead_id: null,
    host: "landmass",
    key: keyOf(unit),
    subject: `unit-${unit}`,
    condition: "down",
    source: "rule:service-down",
    cycle: `${ts.replace(/[-:]/g, "")}-c0de`,
    reason,
    evidence: { "service.activeState": "failed", detail: `${reason}, with its main process gone for 3 s` },
    duration_ms: 3012,
    event,
    ...(event === "opened"
      ? { rules: ["service-down"], entity: { kind: "service", identity: `unit-${unit}` } }
      : {}),
  });
}

const steps = [
  { action: "none", result: "skipped", reason: "detected", event: "opened" },
  { action: "restart_service", result: "success", reason: "restarted", event: "action" },
  { action: "alert", result: "success", reason: "put into the outbox", event: "action" },
] as const;

function cycleLine(ts: string, index: number, unit: number): string {
  const key = keyOf(unit);
  const about = { key, type: "service", severity: "critical", subject: `unit-${unit}`, condition: "down" };
  const evidence = {
    fact: "service",
    path: "activeState",
    operator: "in",
    wanted: ["failed"],
    saw: "failed",
  };
  const finding = {
    ...about,
    rule: "service-down",
    summary: `unit-${unit} is failed (exit-code)`,
    resolved: true,
    description: "A watched service is down",
    file: "rules/services.json",
    line: 4,
    entity: { kind: "service", identity: `unit-${unit}` },
    evidence: [{ ...evidence, result: true }],
    held: null,
    why: "its remedy was applied",
  };
  const model = { asked: false, why: "every_finding_resolved", detail: "rules take care of all" };
  const cycle = { id: `${ts.replace(/[-:]/g, "")}-${index.toString(16)}`, ts, trigger: "schedule" };
  return JSON.stringify({
    version: 1,
    kind: "cycle",
    cycle: { ...cycle, duration_ms: 120, dry_run: false, host: "landmass", model },
    collectors: [],
    findings: [finding],
    consultation: null,
    actions: [],
    rules: { total: 40, quiet: 39, verdicts: [] },
    problems: { opened: [key], resolved: [], open: [key] },
    notes: ["–".repeat(100), "x".repeat(600)],
  });
}
