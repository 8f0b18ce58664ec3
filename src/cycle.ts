/** One cycle, as a list of stages: collect, detect, execute, escalate, tell, record. */
import { randomBytes } from "node:crypto";
import type { Collector, CollectorName } from "./collect/collect.ts";
import { detect } from "./detect/detect.ts";
import { remediesOf } from "./detect/proposals.ts";
import type { RuleBook } from "./detect/rule-book.ts";
import { readStreaks, type StreakFile, writeStreaks } from "./detect/streaks.ts";
import { lookAgain } from "./detect/why-not.ts";
import { alertProposals, type Handled } from "./escalate/alerts.ts";
import { decideModel } from "./escalate/decide.ts";
import { resolutionOf } from "./escalate/resolved.ts";
import type { Executor } from "./execute/executor.ts";
import type { CycleStateFile } from "./record/cycle-state.ts";
import type { History } from "./record/history.ts";
import { isOpen, problemFact } from "./record/problems.ts";
import type { Registry } from "./record/registry.ts";
import { resolvable } from "./record/resolvable.ts";
import type { Trail } from "./record/trail.ts";
import { faultText } from "./system/json-source.ts";
import type { Store } from "./system/store.ts";
import type { System } from "./system/system.ts";
import type { ActionRecord } from "./types/action.ts";
import type { EntityKind } from "./types/facts.ts";
import type { Detection, Finding } from "./types/finding.ts";
import { isoTime } from "./types/moment.ts";
import type { Config } from "./types/settings.ts";
import type { Snapshot } from "./types/snapshot.ts";
import type { TrailCycle } from "./types/trail.ts";

export interface Parts {
  readonly system: System;
  readonly config: Config;
  readonly collector: Collector;
  readonly book: RuleBook;
  readonly executor: Executor;
  readonly registry: Registry;
  readonly trail: Trail;
  readonly history: History;
  readonly streaks: Store<StreakFile>;
  readonly state: CycleStateFile;
  /** Sentences that came up since the last cycle: a state file set aside, a torn line. Emptied by the cycle. */
  readonly notes: string[];
}

export type Trigger = TrailCycle["cycle"]["trigger"];

/** @throws what made it impossible: a state that cannot be written, a bug. The caller counts the failure. */
export async function runCycle(parts: Parts, trigger: Trigger, signal: AbortSignal): Promise<TrailCycle> {
  const { system, config, registry } = parts;
  const started = system.clock.monotonicMs();
  const cycle = { id: cycleId(system), ts: isoTime(system.clock.now()), host: "" };
  parts.state.begin({ id: cycle.id, trigger });
  parts.book.refresh();

  const snapshot = parts.history.observe(await parts.collector.collect(selfOf(parts)));
  cycle.host = snapshot.facts.host?.name ?? "unknown host";
  const detection = await judge(parts, snapshot, trigger);
  const opened = registry.recordFindings(detection.findings, cycle);

  const request = { cycle: cycle.id, host: cycle.host, dryRun: config.dryRun };
  const remedies = detection.findings.map((finding) => ({ finding, proposals: remediesOf(finding) }));
  const done = await parts.executor.execute({ ...request, proposals: remedies.flatMap((each) => each.proposals) }, signal);
  if (!config.dryRun) parts.executor.observeHealth(...healthOf(snapshot));
  const handled = await confirm(parts, assign(remedies, done.actions));

  const unresolved = handled.filter(({ resolution }) => !resolution.resolved).length;
  const paused = parts.executor.view().pause !== null;
  const diskGuard = await spaceIsShort(parts);
  const model = decideModel({ findings: handled.length, unresolved, paused, diskGuard, dryRun: config.dryRun });
  const told = await parts.executor.execute({ ...request, proposals: alertProposals(handled) }, signal);

  const actions = [...handled.flatMap((each) => each.actions), ...told.actions];
  registry.recordActions(actions, cycle);
  const names = new Set(parts.book.rules().rules.map(({ compiled }) => compiled.rule.name));
  const resolved = registry.recordResolved(resolvable(registry.problems().values(), detection, names), cycle);
  if (!diskGuard) remember(parts, snapshot);
  const durationMs = system.clock.monotonicMs() - started;
  const trail: TrailCycle = {
    version: 1,
    kind: "cycle",
    cycle: { ...cycle, trigger, duration_ms: Math.round(durationMs), dry_run: config.dryRun, model },
    collectors: [...snapshot.collectors],
    findings: handled.map(trailFinding),
    actions,
    rules: rulesOf(detection),
    problems: { opened, resolved, open: [...registry.problems().values()].filter(isOpen).map(({ key }) => key) },
    notes: [...parts.notes.splice(0), ...done.notes, ...told.notes],
  };
  parts.trail.append(trail);
  parts.state.end(durationMs);
  return trail;
}

const guardBytes = 100_000_000;

/** Below 100 MB, what is left belongs to the registry and the trail: no model, no history. */
async function spaceIsShort({ system, config, notes }: Parts): Promise<boolean> {
  const { availableBytes } = await system.files.statfs(config.stateDir);
  const short = availableBytes < guardBytes;
  if (short) notes.push(`less than 100 MB are free for ${config.stateDir}: history is not written, and the model is not asked`);
  return short;
}

/** History is a help, not a duty: a cycle that could act and record must not fail for it. */
function remember({ history, notes }: Parts, snapshot: Snapshot): void {
  try {
    history.save(snapshot);
  } catch (error) {
    notes.push(`the history could not be written: ${error instanceof Error ? error.message : error}`);
  }
}

/** Sorts by time, and two machines or restarts within a second still differ. */
function cycleId(system: System): string {
  return `${isoTime(system.clock.now()).replace(/[-:]/g, "")}-${randomBytes(2).toString("hex")}`;
}

function selfOf({ state, book }: Parts) {
  const faults = book.faults();
  const [first] = faults;
  const files = new Set(faults.map((fault) => fault.file));
  return state.selfFact({ brokenFiles: files.size, brokenDetail: first === undefined ? null : faultText(first) });
}

async function judge(parts: Parts, snapshot: Snapshot, trigger: Trigger): Promise<Detection> {
  const { config, registry, system } = parts;
  const now = system.clock.now();
  const { streaks, ...detection } = await detect({
    rules: parts.book.rules(),
    facts: snapshot.facts,
    streaks: readStreaks(parts.streaks.load()),
    problemOf: (key) => problemFact(registry.problems().get(key), now.wallMs),
    now,
    scheduled: trigger !== "wake",
    // An hour without a look, or three missed cycles: nobody knows what was between.
    maxGapSeconds: Math.max(3600, 3 * config.intervalSeconds),
  });
  parts.streaks.save(writeStreaks(streaks));
  return detection;
}

function healthOf(snapshot: Snapshot): [active: string[], down: string[]] {
  const services = (snapshot.facts.service ?? []).filter((service) => service.restartable);
  const named = (active: boolean) =>
    services.filter(({ activeState }) => (activeState === "active") === active).map(({ name }) => name);
  return [named(true), named(false)];
}

interface Attempt {
  readonly finding: Finding;
  readonly actions: readonly ActionRecord[];
}

/** The executor answers in the order of the proposals. */
function assign(remedies: readonly { finding: Finding; proposals: readonly unknown[] }[], actions: readonly ActionRecord[]): Attempt[] {
  let next = 0;
  return remedies.map(({ finding, proposals }) => {
    const own = actions.slice(next, next + proposals.length);
    next += proposals.length;
    return { finding, actions: own };
  });
}

const collectorsOf: Readonly<Record<EntityKind | "host", readonly CollectorName[]>> = {
  host: ["host", "processes"],
  disk: ["disks"],
  service: ["services"],
  process: ["processes"],
  session: ["sessions"],
  endpoint: ["services", "endpoints"],
};

/** The general check after an action: on a fresh look, the rule that asked for it must not fire any more. */
async function confirm(parts: Parts, attempts: readonly Attempt[]): Promise<Handled[]> {
  const changed = (action: ActionRecord) => action.result === "success" && action.type !== "log";
  const toConfirm = attempts.filter(({ actions }) => actions.some(changed));
  const still = await stillFiring(parts, toConfirm.map(({ finding }) => finding));
  return attempts.map(({ finding, actions }) => {
    const fires = still.get(finding);
    const confirmed = actions.map((action): ActionRecord => {
      if (fires === undefined || !changed(action) || action.verified === false) return action;
      return fires === null ? action : { ...action, verified: !fires };
    });
    return { finding, actions: confirmed, resolution: resolutionOf(finding, confirmed) };
  });
}

/** @returns for each finding whether its conditions hold on a fresh look; null: it could not be judged. */
async function stillFiring(parts: Parts, findings: readonly Finding[]): Promise<Map<Finding, boolean | null>> {
  const answers = new Map<Finding, boolean | null>();
  if (findings.length === 0) return answers;
  const only = new Set(findings.flatMap(({ entity }) => collectorsOf[entity?.kind ?? "host"]));
  const { facts } = await parts.collector.collect(selfOf(parts), new Set<CollectorName>([...only, "host"]));
  const input = { facts, streaks: new Map(), problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }), now: parts.system.clock.now() };
  for (const judged of parts.book.rules().rules) {
    const own = findings.filter(({ rule }) => rule === judged.compiled.rule.name);
    if (own.length === 0) continue;
    const identityOf = ({ entity }: Finding) => entity?.identity ?? "host";
    const { looks, missing } = await lookAgain(judged, input, new Set(own.map(identityOf)));
    const seen = new Map(looks.map((look) => [look.identity, look.holds]));
    // Not there any more counts as gone, unless nobody could look.
    for (const finding of own) answers.set(finding, seen.get(identityOf(finding)) ?? (seen.has(identityOf(finding)) || missing.length > 0 ? null : false));
  }
  return answers;
}

function trailFinding({ finding, resolution }: Handled): TrailCycle["findings"][number] {
  const { priority: _priority, expect: _expect, actions: _actions, resolves: _resolves, evidence, ...rest } = finding;
  return { ...rest, evidence: [...evidence], resolved: resolution.resolved, why: resolution.why };
}

function rulesOf({ verdicts }: Detection): TrailCycle["rules"] {
  const notable = verdicts.filter(({ verdict, waiting, blind }) => verdict !== "quiet" || waiting > 0 || blind > 0);
  return { total: verdicts.length, quiet: verdicts.filter(({ verdict }) => verdict === "quiet").length, verdicts: notable };
}
