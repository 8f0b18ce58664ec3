/** A cycle's findings, a snapshot and a configuration, as the stages before would hand them over. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Handled } from "../../src/escalate/alerts.ts";
import { remediationOf } from "../../src/escalate/remediation.ts";
import { createSystem } from "../../src/system/machine.ts";
import { problemKey } from "../../src/system/problem-key.ts";
import type { System } from "../../src/system/system.ts";
import type { ActionRecord } from "../../src/types/action.ts";
import type { Process, Service, Session } from "../../src/types/facts.ts";
import type { Finding } from "../../src/types/finding.ts";
import type { Moment } from "../../src/types/moment.ts";
import type { Problem } from "../../src/types/problem.ts";
import { type Config, Settings } from "../../src/types/settings.ts";
import type { Facts, Snapshot } from "../../src/types/snapshot.ts";

export function finding(more: Partial<Finding> = {}): Finding {
  const type = more.type ?? "service";
  const subject = more.subject ?? "web";
  const condition = more.condition ?? "down";
  return {
    rule: "unit-failed",
    description: "A unit has failed",
    file: "rules/services.json",
    line: 4,
    priority: 50,
    key: problemKey(type, subject, condition),
    type,
    condition,
    severity: "warning",
    subject,
    summary: `${subject} failed (exit-code)`,
    entity: type === "service" ? { kind: "service", identity: subject } : null,
    expect: {},
    evidence: [
      {
        fact: "service",
        path: "activeState",
        operator: "equal",
        wanted: "failed",
        saw: "failed",
        result: true,
      },
    ],
    held: null,
    actions: [],
    resolves: false,
    ...more,
  };
}

export function record(more: Partial<ActionRecord> = {}): ActionRecord {
  return {
    type: "restart_service",
    target: "web",
    source: "rule:service-down",
    problem: problemKey("service", "web", "down"),
    result: "failure",
    refusal: null,
    verified: false,
    steps: [],
    detail: "it failed again",
    message: null,
    duration_ms: 3,
    values: {},
    ...more,
  };
}

export function handled(more: Partial<Finding> = {}, actions: readonly ActionRecord[] = []): Handled {
  const found = finding(more);
  return { finding: found, actions, remediation: remediationOf(found, actions) };
}

export function processFact(more: Partial<Process> = {}): Process {
  return {
    pid: 4242,
    startTime: 777,
    parentPid: 1,
    user: "deploy",
    name: "node",
    executable: "node",
    executablePath: "/usr/bin/node",
    commandLine: "node --test integration",
    arguments: ["node", "--test", "integration"],
    runtimeOptions: ["--test"],
    state: "S",
    terminal: null,
    sessionId: 4242,
    rssBytes: 1e9,
    rssGrowthPerHour: null,
    swapBytes: 0,
    cpuPercent: 3,
    ageSeconds: 9000,
    unit: null,
    container: null,
    orphan: true,
    abandoned: true,
    abandonedBecause: "its parent has ended, and its output goes into /dev/null",
    agent: null,
    killable: true,
    notKillableBecause: null,
    ...more,
  };
}

export function serviceFact(more: Partial<Service> = {}): Service {
  return {
    name: "web",
    installed: true,
    watched: true,
    restartable: true,
    loadState: "loaded",
    activeState: "failed",
    subState: "failed",
    result: "exit-code",
    mainPid: 0,
    restarts: 2,
    restartsLastHour: 2,
    restarts24h: 2,
    sinceSeconds: 40,
    stoppedByOperator: false,
    unitFileState: "enabled",
    nature: "continuous",
    status: "down",
    down: true,
    downBecause: "crashed",
    downWhy: "it crashed",
    stopKnown: true,
    stoppedBy: null,
    stoppedWith: null,
    stuck: false,
    tasks: null,
    tasksMax: null,
    tasksUsedPercent: null,
    memoryMaxBytes: null,
    wasInstalled: true,
    triggers: [],
    hints: [],
    ...more,
  };
}

export const sessionFact = (more: Partial<Session> = {}): Session => ({
  socket: "/tmp/agents.sock",
  name: "agent-1",
  windows: 1,
  ageSeconds: 100_000,
  idleSeconds: 90_000,
  attached: false,
  watched: true,
  ...more,
});

export const snapshot = (facts: Facts = {}): Snapshot => ({
  takenAt: "2026-11-20T10:00:00Z",
  collectors: [],
  facts,
});

export function problem(of: Finding, more: Partial<Problem> = {}): Problem {
  return {
    key: of.key,
    type: of.type,
    subject: of.subject,
    condition: of.condition,
    severity: of.severity,
    description: of.summary,
    was: of.was ?? null,
    life: "open",
    openedAt: "2026-11-20T09:00:00Z",
    lastSeen: "2026-11-20T10:00:00Z",
    resolvedAt: null,
    beadId: null,
    resolvedBecause: null,
    openings: ["2026-11-20T09:00:00Z"],
    actions: [],
    rules: [of.rule],
    entity: of.entity,
    host: "landmass",
    ...more,
  };
}

/** A clock that stands still until it is moved. */
export interface StoppedClock {
  now(): Moment;
  pass(seconds: number): void;
  /** As settimeofday(2) would: uptime goes on as before. */
  setWallClock(bySeconds: number): void;
  reboot(downSeconds: number): void;
}

export function stoppedClock(): StoppedClock {
  let wallMs = Date.parse("2026-11-20T10:00:00Z");
  let uptimeSeconds = 500_000;
  let boot = 1;
  return {
    now: () => ({ wallMs, uptimeSeconds, bootId: `boot-${boot}` }),
    pass(seconds) {
      wallMs += seconds * 1000;
      uptimeSeconds += seconds;
    },
    setWallClock(bySeconds) {
      wallMs += bySeconds * 1000;
    },
    reboot(downSeconds) {
      wallMs += downSeconds * 1000;
      uptimeSeconds = 0;
      boot += 1;
    },
  };
}

export interface Bench {
  readonly folder: string;
  readonly clock: StoppedClock;
  readonly system: System;
  config(
    more?: Partial<Omit<Config, "settings" | "model">> & {
      settings?: unknown;
      model?: Partial<Config["model"]>;
    },
  ): Config;
  remove(): void;
}

/** A folder of its own with a prompt, and a system without programs. */
export function bench(url: string): Bench {
  const folder = mkdtempSync(join(tmpdir(), "argus-escalate-"));
  writeFileSync(join(folder, "prompt.md"), "You are the judgement of Argus.\n");
  const real = createSystem({ path: join(folder, "bin") });
  const clock = stoppedClock();
  return {
    folder,
    clock,
    system: { ...real, clock: { ...real.clock, now: clock.now } },
    config: ({ settings, model, ...more } = {}) => ({
      intervalSeconds: 300,
      dryRun: false,
      mode: "act",
      modeSource: { kind: "default" },
      settings: Settings.parse(settings ?? { services: [{ unit: "web", restart: true }] }),
      settingsFile: join(folder, "argus.json"),
      program: ["node", "main.js"],
      envFile: null,
      rulesDir: join(folder, "rules"),
      localRulesDir: join(folder, "rules.d"),
      stateDir: join(folder, "state"),
      executorSocket: null,
      executorStateDir: join(folder, "state"),
      logDir: join(folder, "logs"),
      observationsFile: join(folder, "observations.md"),
      bootGraceSeconds: 120,
      reportRepairs: true,
      dedupWindowSeconds: 3600,
      diskCleanMaxAgeDays: 7,
      restartSecondDelaySeconds: 60,
      restartThirdDelaySeconds: 300,
      restartCooldownSeconds: 3600,
      restartSettleSeconds: 3,
      swapThrashMegabytesPerSecond: 10,
      ticketRepeats: { threshold: 3, windowSeconds: 86_400 },
      telegram: null,
      channels: [],
      pingUrl: null,
      summaryAt: null,
      dashboardUrl: null,
      anthropicKey: "test-key",
      notes: [],
      ...more,
      model: {
        name: "claude-haiku-5-5",
        url,
        promptFile: join(folder, "prompt.md"),
        dailyCalls: 50,
        dailyTokens: 1_000_000,
        confidence: 0.6,
        timeoutSeconds: 10,
        review: "never",
        ...model,
      },
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
