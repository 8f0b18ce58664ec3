/** What is known of a unit, in sentences: why it is down, and what explains it. Pure. */
import { unitDisplayName } from "../system/systemd.ts";
import { hasUnmetCondition } from "../system/unit-health.ts";
import type { Service } from "../types/facts.ts";
import { bytes, duration } from "../types/quantities.ts";
import type { Facts } from "../types/snapshot.ts";
import type { LookedAt } from "./unit-look.ts";
import { list } from "./words.ts";

/** One clause that says why it is down, or at rest; empty for what is up. */
export function whyClause({ unit, health, cause, triggers, sinceSeconds }: LookedAt): string {
  const other = cause?.unit == null ? "a unit that it depends on" : unitDisplayName(cause.unit);
  const starters = triggers.map(({ id }) => id);
  switch (health.because) {
    case null:
      return restClause(health.status, starters, unit);
    case "crashed":
      return cause?.by === null
        ? "it crashed, and the journal cannot tell whether somebody stopped it"
        : "it crashed";
    case "ended":
      return "it ended by itself";
    case "dependency":
      return `it went down with ${other}, which it needs`;
    case "conflict":
      return `the start of ${other} took it down`;
    case "own-stop":
      return "a process of its own had it stopped";
    case "never-started":
      return "it was not started since boot";
    case "last-run-failed":
      return "its last run failed";
    case "trigger-dead":
      return `${list(starters)}, which should start it, is not active`;
    case "not-loadable":
      return `systemd cannot load its file (${unit.loadState})`;
    case "removed":
      return "its unit file is gone";
    case "stuck":
      return stuckClause(unit, sinceSeconds, health.stuckAfterSeconds);
    case "unknown":
      return "the journal cannot tell who stopped it";
  }
}

function stuckClause(unit: LookedAt["unit"], since: number | null, limit: number | null): string {
  const state =
    unit.activeState === "inactive" || unit.activeState === "failed" ? "waiting" : unit.activeState;
  const what = unit.subState === "auto-restart" ? "waiting for its next automatic start" : state;
  return `it has been ${what} for ${duration(since ?? 0)}; its limit is ${duration(limit ?? 0)}`;
}

function restClause(status: Service["status"], starters: readonly string[], unit: LookedAt["unit"]): string {
  switch (status) {
    case "stopped":
      return "a person stopped it";
    case "masked":
      return "it is masked";
    case "waiting":
      if (starters.length > 0) return `${list(starters)} starts it`;
      return hasUnmetCondition(unit)
        ? "a condition in its file is not met"
        : "it runs when somebody starts it";
    default:
      return "";
  }
}

export function hintsOf({ unit, health, cause }: LookedAt): string[] {
  const hints: string[] = [];
  if (hasUnmetCondition(unit)) hints.push("a condition in its file was not met at its last start");
  if (unit.needsReload) hints.push("its file changed: systemctl daemon-reload is needed");
  // A unit made out of an init script, and one with RemainAfterExit=, counts as active when its program has ended.
  const ended = unit.activeState === "active" && unit.subState === "exited";
  if (ended && unit.type !== "oneshot" && unit.type !== "") hints.push("it is active without a process");
  if (health.because === "dependency" && cause?.unit != null)
    hints.push(`it is started again when ${unitDisplayName(cause.unit)} is active`);
  if (unit.result === "oom-kill") hints.push(outOfMemory(unit));
  return hints;
}

/** Without a limit of its own, memory was short on the host or in the slice that the unit is in. */
const outOfMemory = ({ memoryMaxBytes: limit }: LookedAt["unit"]): string =>
  limit === null
    ? "the kernel ended a process of it because memory was short, and it has no limit of its own (MemoryMax=)"
    : `the kernel ended a process of it because memory was short: it may have ${bytes(limit)} (MemoryMax=)`;

/** What only two collectors together know. */
export function withEndpointHints(facts: Facts): Facts {
  const { service, endpoint } = facts;
  if (service === undefined || endpoint === undefined) return facts;
  const answering = new Set(endpoint.flatMap(({ ok, service: of }) => (ok && of !== null ? [of] : [])));
  return {
    ...facts,
    service: service.map((one) =>
      one.down && answering.has(one.name)
        ? { ...one, hints: [...one.hints, "its endpoint answers all the same"] }
        : one,
    ),
  };
}
