/** One cycle, as a list of stages: collect, detect, execute, escalate, tell, record. */
import { forgetEndedAcks } from "./acks.ts";
import type { Collector } from "./collect/collect.ts";
import { assign, confirm } from "./confirm.ts";
import { detect, rulesOf } from "./detect/detect.ts";
import { dependentsLast, remediesOf } from "./detect/proposals.ts";
import type { RuleBook } from "./detect/rule-book.ts";
import { readStreaks, type StreakFile, writeStreaks } from "./detect/streaks.ts";
import { endedProblems, longestGap } from "./ends.ts";
import * as advice from "./escalate/advice.ts";
import { alertProposals, asksToTell, type Handled } from "./escalate/alerts.ts";
import type { Escalation } from "./escalate/escalation.ts";
import { handOffProposals } from "./escalate/hand-off.ts";
import type { HandOffReader } from "./escalate/hand-off-report.ts";
import { oneAlertEach, recoveryProposals } from "./escalate/recovery.ts";
import { remediationOf } from "./escalate/remediation.ts";
import { unitNews } from "./escalate/unit-news.ts";
import type { Executor } from "./execute/executor.ts";
import { lookAtExecutor } from "./execute/look.ts";
import { recordOperatorActions } from "./operator-actions.ts";
import { type CycleStateFile, newCycleId } from "./record/cycle-state.ts";
import type { History } from "./record/history.ts";
import { isOpen, problemFact } from "./record/problems.ts";
import type { RebootWatch } from "./record/reboot.ts";
import type { Registry } from "./record/registry.ts";
import type { Settling } from "./record/settling.ts";
import type { Trail } from "./record/trail.ts";
import { selfOf, withFailures, withReboot } from "./self-facts.ts";
import { remember, spaceIsShort } from "./space.ts";
import type { Reserve } from "./system/reserve.ts";
import type { Store } from "./system/store.ts";
import type { System } from "./system/system.ts";
import { tell } from "./tell.ts";
import { notedWithoutTracker, type TicketParts, ticketsFor } from "./tickets.ts";
import { duesOf, type Timers } from "./timers.ts";
import type { Detection } from "./types/finding.ts";
import { isoTime } from "./types/moment.ts";
import type { Config } from "./types/settings.ts";
import type { Snapshot } from "./types/snapshot.ts";
import type { TrailCycle } from "./types/trail.ts";

export interface Parts extends TicketParts {
  readonly system: System;
  readonly config: Config;
  readonly collector: Collector;
  readonly book: RuleBook;
  readonly executor: Executor;
  readonly escalation: Escalation;
  readonly handOffs: HandOffReader;
  readonly registry: Registry;
  readonly trail: Trail;
  readonly history: History;
  readonly streaks: Store<StreakFile>;
  readonly state: CycleStateFile;
  readonly reboots: RebootWatch;
  readonly reserve: Reserve;
  readonly settling: Settling;
  readonly timers: Timers;
  /** When this Argus began, in whole seconds as the history has them; on the wall clock. */
  readonly begunMs: number;
  /** The last few cycles, oldest first. */
  readonly recent: () => TrailCycle[];
  /** Sentences that came up since the last cycle: a state file set aside, a torn line. Emptied by the cycle. */
  readonly notes: string[];
}

export type Trigger = Exclude<TrailCycle["cycle"]["trigger"], "command">;

/** @throws what made it impossible: a state that cannot be written, a bug. The caller counts the failure. */
export async function runCycle(
  parts: Parts,
  trigger: Trigger,
  signal: AbortSignal,
  wokenBy: readonly string[] = [],
): Promise<TrailCycle> {
  const { system, config, registry } = parts;
  const started = system.clock.monotonicMs();
  const cycle = { id: newCycleId(system.clock), ts: isoTime(system.clock.now()), host: "" };
  parts.state.begin({ id: cycle.id, trigger });
  parts.book.refresh();

  const executor = await lookAtExecutor(parts.executor);
  const self = selfOf(parts, executor);
  const seen = withFailures(parts, parts.history.observe(await parts.collector.collect(self)), trigger);
  const snapshot = await withReboot(parts, seen);
  cycle.host = snapshot.facts.host?.name ?? "unknown host";
  const detection = await judge(parts, snapshot, trigger);
  const opened = registry.recordFindings(detection.findings, cycle);

  const request = { cycle: cycle.id, host: cycle.host, dryRun: config.dryRun };
  const inOrder = dependentsLast(detection.findings, snapshot.facts);
  const remedies = inOrder.map((finding) => ({ finding, proposals: remediesOf(finding) }));
  const remedied = await parts.executor.execute(
    { ...request, proposals: remedies.flatMap((each) => each.proposals) },
    signal,
  );
  if (!config.dryRun && executor.error === null) await parts.executor.observeHealth(...healthOf(snapshot));
  const checked = await confirm(parts, self, assign(remedies, remedied.actions));
  const ruled = checked.attempts.map((attempt): Handled => {
    return { ...attempt, remediation: remediationOf(attempt.finding, attempt.actions, remedied.actions) };
  });

  const diskGuard = await spaceIsShort(system, config.stateDir, parts.notes);
  const model = parts.escalation.decide({
    handled: ruled,
    paused: executor.paused,
    dryRun: config.dryRun,
    diskGuard,
  });
  const consultation = model.asked
    ? await parts.escalation.ask({ ...context(parts, cycle, snapshot, ruled), signal })
    : null;
  const agents = parts.handOffs.read(executor.handOffs, ruled, snapshot.facts);
  const { proposals, candidates } = advice.adviceOf(consultation, executor.approved, ruled, agents);
  const advised = await parts.executor.execute(
    { ...request, proposals: advice.remediesOfAdvice(proposals), candidates },
    signal,
  );
  const checkedAdvice = await confirm(parts, self, advice.advisedAttempts(ruled, advised.actions));
  const handled = advice.afterAdvice(ruled, checkedAdvice.attempts);
  const asking = () => ({
    ...context(parts, cycle, snapshot, handled),
    runs: executor.handOffs,
    lastGiven: parts.handOffs.lastGiven,
    wasAsked: parts.escalation.wasAsked,
    signal,
  });
  // Before anybody is notified: what is said of a problem's end names what was done about it.
  const done = [
    ...handled.flatMap((each) => each.actions),
    ...advice.confirmedAdvice(advised.actions, handled),
  ];
  registry.recordActions(done, cycle);
  const facts = { ...snapshot.facts, ...checked.facts, ...checkedAdvice.facts };
  const over = await endedProblems(parts, { detection, handled, facts, self, trigger, signal });
  const nowMs = system.clock.now().wallMs;
  const problems = registry.problems();
  const news = await unitNews(system, handled, snapshot.facts, signal);
  const noted = notedWithoutTracker(parts, handled);
  const asked = new Set(handled.filter((each) => asksToTell(each.finding)).map((each) => each.finding.key));
  const last = [
    ...(await handOffProposals(system, config, executor.handOffs, asking)),
    ...alertProposals(handled, {
      ...{ problems, nowMs, news, noted, begunMs: parts.begunMs, advice: advice.alertsOfAdvice(proposals) },
      modelMayAlert: config.settings.model.mayPropose.includes("alert"),
    }),
    ...recoveryProposals(problems.values(), over, asked, nowMs, detection.waitingKeys),
    ...ticketsFor(
      parts,
      { handled, advice: advice.ticketsOfAdvice(proposals), news: agents.map(({ report }) => report) },
      { runs: executor.handOffs, facts: snapshot.facts },
    ),
  ];
  const told = await tell(parts.executor, { ...request, proposals: last, candidates }, signal);

  const words = oneAlertEach(told.actions);
  registry.recordActions(words, cycle);
  // As they were found: what is over now would count as one time more.
  const findings = handled.map((each) => trailFinding(each, parts));
  const resolved = registry.recordResolved(over, cycle);
  if (!diskGuard) remember(parts.history, snapshot, parts.notes);
  const durationMs = system.clock.monotonicMs() - started;
  const trail: TrailCycle = {
    version: 1,
    kind: "cycle",
    cycle: {
      ...cycle,
      trigger,
      ...(wokenBy.length === 0 ? {} : { woken_by: [...wokenBy] }),
      duration_ms: Math.round(durationMs),
      dry_run: config.dryRun,
      model,
    },
    collectors: [...snapshot.collectors],
    findings,
    consultation,
    ...(agents.length === 0 ? {} : { hand_offs: agents.map(({ report }) => report) }),
    actions: [...done, ...words],
    rules: rulesOf(detection),
    problems: {
      opened,
      resolved,
      closed: over.filter(({ because }) => because !== "not_found").map(({ key }) => key),
      open: [...registry.problems().values()].filter(isOpen).map(({ key }) => key),
    },
    notes: [
      ...parts.notes.splice(0),
      ...(detection.notes ?? []),
      ...remedied.notes,
      ...advised.notes,
      ...told.notes,
    ],
  };
  const written = parts.trail.append(trail);
  await recordOperatorActions(parts, executor.unrecorded);
  await forgetEndedAcks(parts, executor.acks);
  parts.timers.plan(await duesOf(parts, detection.dueInSeconds), durationMs / 1000);
  parts.state.end(durationMs);
  return written;
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
    maxGapSeconds: longestGap(config),
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

/** What the model needs to know besides the findings. */
function context(
  { registry, recent }: Parts,
  cycle: { id: string; host: string },
  snapshot: Snapshot,
  handled: readonly Handled[],
) {
  const problems = [...registry.problems().values()];
  return { cycle: cycle.id, host: cycle.host, snapshot, handled, problems, recent: recent() };
}

function trailFinding(
  { finding, remediation: { state, why } }: Handled,
  { registry, system }: Parts,
): TrailCycle["findings"][number] {
  const {
    priority: _priority,
    expect: _expect,
    actions: _actions,
    resolves: _resolves,
    was: _was,
    evidence,
    ...rest
  } = finding;
  const problem = registry.problems().get(finding.key);
  const history =
    problem === undefined
      ? {}
      : {
          since: problem.openedAt,
          occurrences24h: problemFact(problem, system.clock.now().wallMs).occurrences24h,
          ...(problem.beadId === null ? {} : { ticket: problem.beadId }),
        };
  const remediation = { remediation: state, resolved: state === "applied", why };
  return { ...rest, ...history, evidence: [...evidence], ...remediation };
}
