/** Cycles as they stand in the trail, for the reports. */
import { problemKey } from "../../src/system/problem-key.ts";
import type { ActionRecord, GateStep } from "../../src/types/action.ts";
import type { CollectorReport } from "../../src/types/snapshot.ts";
import type { Evidence, RuleVerdict, TrailCycle, TrailFinding } from "../../src/types/trail.ts";

const ts = "2026-11-20T22:45:20Z";

export const collectors: CollectorReport[] = [
  {
    name: "host",
    status: "ok",
    duration_ms: 1.24,
    detail: "4 cores, load 0.42, 31 % of 8.2 GB memory used, no swap",
  },
  { name: "disks", status: "ok", duration_ms: 0.81, detail: "3 file systems, fullest / at 91 %" },
  {
    name: "processes",
    status: "ok",
    duration_ms: 3.12,
    detail: "93 processes and 120 kernel threads, no orphan; largest node (pid 812) 410 MB",
  },
  { name: "services", status: "ok", duration_ms: 6.4, detail: "3 services watched, 1 failed" },
  { name: "sessions", status: "absent", duration_ms: 2.1, detail: "tmux is not installed" },
  { name: "endpoints", status: "ok", duration_ms: 12.04, detail: "2 endpoints, all answer" },
  { name: "self", status: "ok", duration_ms: 0.04, detail: "412 cycles, the last one took 38 ms" },
];

export function cycle(
  more: Partial<Omit<TrailCycle, "cycle">> & { cycle?: Partial<TrailCycle["cycle"]> } = {},
): TrailCycle {
  const { cycle: head, ...rest } = more;
  return {
    version: 1,
    kind: "cycle",
    cycle: {
      id: "20261120T224520Z-a1b2",
      ts,
      trigger: "once",
      duration_ms: 41,
      dry_run: false,
      host: "landmass",
      model: { asked: false, why: "nothing_found", detail: "no rule fired" },
      ...head,
    },
    collectors,
    findings: [],
    actions: [],
    rules: { total: 23, quiet: 23, verdicts: [] },
    problems: { opened: [], resolved: [], open: [] },
    notes: [],
    ...rest,
  };
}

export const saw = (
  path: string,
  operator: string,
  wanted: unknown,
  value: unknown,
  more: Partial<Evidence> = {},
): Evidence => {
  const [fact = "", ...rest] = path.split(".");
  return { fact, path: rest.join("."), operator, wanted, saw: value, result: true, ...more };
};

export function finding(more: Partial<TrailFinding> = {}): TrailFinding {
  const subject = more.subject ?? "openclaw-gateway";
  const type = more.type ?? "service";
  const condition = more.condition ?? "down";
  return {
    rule: "service-down",
    key: problemKey(type, subject, condition),
    type,
    severity: "critical",
    subject,
    summary: `${subject} is failed (exit-code)`,
    remediation: "applied",
    resolved: true,
    condition,
    description: "A watched service is down: restart it, at most three times with backoff",
    file: "/opt/argus/rules/services.json",
    line: 4,
    entity: { kind: "service", identity: subject },
    evidence: [
      saw("service.installed", "equal", true, true),
      saw("service.restartable", "equal", true, true),
      saw("service.activeState", "in", ["failed", "inactive"], "failed"),
      saw("service.stoppedByOperator", "equal", false, false),
    ],
    held: null,
    why: "restart_service openclaw-gateway: a fresh look found the condition gone",
    since: ts,
    occurrences24h: 1,
    ...more,
  };
}

export function action(of: TrailFinding, more: Partial<ActionRecord> = {}): ActionRecord {
  return {
    type: "restart_service",
    target: of.subject,
    source: `rule:${of.rule}`,
    problem: of.key,
    result: "success",
    refusal: null,
    verified: true,
    steps: restartSteps,
    detail: "systemctl restart openclaw-gateway; active, and still so after 3 s with the same main process",
    message: null,
    duration_ms: 3120,
    values: { attempt: 1 },
    ...more,
  };
}

export const restartSteps: GateStep[] = [
  { step: "allowlist", pass: true, detail: "the settings let Argus restart openclaw-gateway" },
  { step: "pause", pass: true, detail: "Argus is not paused" },
  {
    step: "boot grace",
    pass: true,
    detail: "the host has been up for 12 d 4 h, past the 2 min after boot in which nothing is restarted",
  },
  { step: "backoff", pass: true, detail: "no attempt within an hour of health" },
  { step: "budget", pass: true, detail: "2 of 10 restarts were used in the last hour" },
  { step: "unit state", pass: true, detail: "openclaw-gateway is failed (exit-code)" },
  { step: "operator", pass: true, detail: "nobody asked for openclaw-gateway to stop" },
];

export const alert = (of: TrailFinding, more: Partial<ActionRecord> = {}): ActionRecord =>
  action(of, {
    type: "alert",
    target: null,
    verified: null,
    steps: [{ step: "dedup window", pass: true, detail: "it was not announced before" }],
    detail: "waits in the outbox as 20261120T224520123Z-0001",
    message: of.summary,
    duration_ms: 1.2,
    values: {},
    ...more,
  });

const dryRun = (detail: string): Partial<ActionRecord> => ({
  result: "skipped",
  refusal: "dry_run",
  verified: null,
  detail,
});

export const verdict = (rule: string, more: Partial<RuleVerdict> = {}): RuleVerdict => ({
  rule,
  verdict: "fired",
  fired: 1,
  waiting: 0,
  blind: 0,
  judged: 1,
  missing: [],
  ...more,
});

export const healthy = cycle();

const diskFull = finding({
  rule: "disk-full",
  type: "disk",
  condition: "full",
  subject: "/",
  summary: "/ is 91.2 % full (7.12 GB left on /dev/vda1)",
  advice: "Find what is large with du -xh / | sort -h | tail, then move or remove it.",
  description: "A disk is over 90 % full: clean it, and tell people what that brought",
  file: "/opt/argus/rules/disks.json",
  line: 4,
  entity: { kind: "disk", identity: "/" },
  evidence: [saw("disk.usedPercent", "greaterThan", 90, 91.234)],
  remediation: "withheld",
  resolved: false,
  why: "clean_disk was refused (dry_run): would have removed 1,204 entries in 3 places, 2.31 GB",
  since: "2026-11-20T20:15:20Z",
});
const memoryHog = finding({
  rule: "memory-hog-killable",
  type: "memory",
  condition: "full",
  severity: "warning",
  subject: "landmass",
  summary: "memory is 92.4 % used; node (pid 812) holds 3.21 GB and may be killed",
  description: "Memory is nearly used up, and the largest process may be killed",
  file: "/opt/argus/rules/memory.json",
  line: 48,
  entity: null,
  evidence: [
    saw("memory.usedPercent", "greaterThan", 90, 92.41),
    saw("memory.hog.killable", "equal", true, true),
    saw("memory.hog.rssBytes", "greaterThan", 1_000_000_000, 3_210_000_000),
  ],
  held: { cycles: 3, seconds: 600, wanted: "3 cycles" },
  remediation: "none",
  resolved: false,
  why: "no rule has a remedy for it",
  occurrences24h: 3,
});

export const dryRunWithFindings = cycle({
  cycle: {
    dry_run: true,
    model: { asked: false, why: "dry_run", detail: "1 unresolved finding, but a dry run asks nobody" },
  },
  findings: [
    memoryHog,
    finding({
      remediation: "withheld",
      resolved: false,
      why: "restart_service openclaw-gateway was refused (dry_run): would run systemctl restart openclaw-gateway",
    }),
    diskFull,
  ],
  actions: [
    action(finding(), dryRun("would run systemctl restart openclaw-gateway")),
    action(diskFull, {
      type: "clean_disk",
      target: null,
      steps: [],
      ...dryRun("would have removed 1,204 entries in 3 places, 2.31 GB; / would go from 91.2 % to 88.9 %"),
    }),
    alert(diskFull, dryRun("would notify: / is 91.2 % full (7.12 GB left on /dev/vda1)")),
    alert(memoryHog, {
      result: "suppressed",
      refusal: "duplicate",
      detail: "it was announced 20 min ago as warning; the window is 1 h",
      steps: [
        {
          step: "dedup window",
          pass: false,
          detail: "it was announced 20 min ago as warning; the window is 1 h",
        },
      ],
    }),
  ],
  rules: {
    total: 23,
    quiet: 17,
    verdicts: [
      verdict("memory-hog-killable"),
      verdict("service-down", { judged: 3 }),
      verdict("disk-full", { judged: 3 }),
      verdict("orphan-node-test", { verdict: "quiet", fired: 0, waiting: 2, judged: 213 }),
      verdict("tmux-session-stale", {
        verdict: "blind",
        fired: 0,
        blind: 1,
        judged: 0,
        missing: ["session"],
      }),
    ],
  },
  problems: { opened: [finding().key], resolved: [], open: [finding().key, diskFull.key, memoryHog.key] },
});

export const restartVerified = cycle({
  cycle: {
    trigger: "schedule",
    duration_ms: 3187,
    model: { asked: false, why: "every_finding_resolved", detail: "rules cover all that was found" },
  },
  findings: [finding()],
  actions: [action(finding())],
  rules: { total: 23, quiet: 22, verdicts: [verdict("service-down", { judged: 3 })] },
  problems: { opened: [finding().key], resolved: [], open: [finding().key] },
});

const stillDown = finding({
  remediation: "pending",
  resolved: false,
  why: "restart_service openclaw-gateway is awaited (backoff): attempt 1 of 3 was 30 s ago; the next is allowed in 30 s",
  since: "2026-11-20T22:44:50Z",
});
export const refusedByBackoff = cycle({
  cycle: {
    trigger: "schedule",
    model: { asked: false, why: "every_finding_resolved", detail: "rules cover all that was found" },
  },
  findings: [stillDown],
  actions: [
    action(stillDown, {
      result: "skipped",
      refusal: "backoff",
      verified: null,
      duration_ms: 0.2,
      detail: "1 attempt, the last one 30 s ago; the next is allowed in 30 s",
      steps: [
        ...restartSteps.slice(0, 3),
        {
          step: "backoff",
          pass: false,
          detail: "1 attempt, the last one 30 s ago; the next is allowed in 30 s",
        },
      ],
    }),
  ],
  rules: { total: 23, quiet: 22, verdicts: [verdict("service-down", { judged: 3 })] },
  problems: { opened: [], resolved: [], open: [stillDown.key] },
  notes: [
    "an action was cut off: restart_service athena-web of cycle 20261120T224020Z-77aa; its outcome is unknown, and it is not repeated because of this",
  ],
});

export const blindRules = cycle({
  collectors: collectors.map((collector) =>
    collector.name === "services"
      ? { ...collector, status: "absent", detail: "systemd is not running here" }
      : collector.name === "endpoints"
        ? { ...collector, status: "failed", duration_ms: 40_000, detail: "No answer within 40 s" }
        : collector,
  ),
  rules: {
    total: 23,
    quiet: 16,
    verdicts: [
      ...["service-down", "service-down-hands-off", "service-restart-loop", "unit-failed"].map((rule) =>
        verdict(rule, { verdict: "blind", fired: 0, blind: 1, judged: 0, missing: ["service"] }),
      ),
      ...["endpoint-unreachable", "endpoint-slow"].map((rule) =>
        verdict(rule, { verdict: "blind", fired: 0, blind: 1, judged: 0, missing: ["endpoint"] }),
      ),
      verdict("disk-will-be-full", {
        verdict: "blind",
        fired: 0,
        blind: 2,
        judged: 3,
        missing: ["disk.fullInHours"],
      }),
    ],
  },
});

const orphan = (index: number): TrailFinding =>
  finding({
    rule: "orphan-node-test",
    type: "process",
    condition: "orphaned",
    severity: "warning",
    subject: "node --test",
    summary: `orphaned node --test: pid ${20_000 + index} of ci, running 2 h 10 min, 84.2 MB`,
    description: "A node --test run that lost its parent goes on for ever",
    file: "/opt/argus/rules/processes.json",
    line: 4,
    entity: { kind: "process", identity: `${20_000 + index}@${881_200 + index}` },
    evidence: [
      saw("process.executable", "equal", "node", "node"),
      saw("process.arguments", "contains", "--test", ["node", "--test", "test/"]),
      saw("process.orphan", "equal", true, true),
      saw("process.ageSeconds", "greaterThan", 600, 7800),
    ],
    held: { cycles: 3, seconds: 600, wanted: "3 cycles" },
    resolved: index < 20,
    why:
      index < 20
        ? "the rule's actions are the remedy, and none failed or is exhausted"
        : "kill_pid was refused (budget_exhausted)",
  });
const orphans = Array.from({ length: 200 }, (_, index) => orphan(index));
export const twoHundred = cycle({
  cycle: {
    trigger: "schedule",
    duration_ms: 402,
    model: {
      asked: false,
      why: "no_key",
      detail: "180 unresolved findings, but ANTHROPIC_API_KEY is not set, so they alert by themselves",
    },
  },
  findings: [...orphans, diskFull],
  actions: [
    ...orphans.map((each, index) =>
      action(each, {
        type: "kill_pid",
        target: 20_000 + index,
        steps: [],
        duration_ms: 12,
        ...(index < 20
          ? { detail: `process ${20_000 + index} (node) ended after SIGTERM; it is gone` }
          : {
              result: "skipped" as const,
              refusal: "budget_exhausted" as const,
              verified: null,
              detail: "20 of 20 kills were used in the last hour; the next is allowed in 59 min 58 s",
            }),
      }),
    ),
    alert(orphan(20)),
    action(diskFull, {
      type: "clean_disk",
      target: null,
      steps: [],
      detail: "removed 1,204 entries in 3 places, 2.31 GB; / went from 91.2 % to 88.9 %",
    }),
  ],
  rules: {
    total: 23,
    quiet: 21,
    verdicts: [verdict("orphan-node-test", { fired: 200, judged: 413 }), verdict("disk-full", { judged: 3 })],
  },
});

/** Names that a process, a unit or a session may have; each would do harm in a terminal, or in a table. */
export const hostileNames = [
  "foo) Z 1",
  "two\nlines\r\nand \u001b[2J\u001b[1;31mred\u0007",
  "\u202eright to left\u202c and \u200bnothing",
  "日本語のとても長いプロセス名で幅が二倍になるもの",
  "z̷̢̛a̷̢̛l̷̢̛g̷̢̛ơ̷̢",
  "\ud800 half",
  "x".repeat(4096),
  "",
];
export const hostile = cycle({
  cycle: {
    host: "host\u001b[31m\nname",
    model: {
      asked: false,
      why: "no_key",
      detail: "8 unresolved findings, but \u001b]0;title\u0007 ANTHROPIC_API_KEY is not set",
    },
  },
  collectors: [{ name: "host", status: "failed", duration_ms: 5000, detail: "broken \u001b[2J\nmore" }],
  findings: hostileNames.map((name, index) =>
    finding({
      rule: `rule-${index}`,
      severity: index % 2 === 0 ? "critical" : "info",
      subject: name,
      summary: `${name} is in trouble`,
      remediation: "none",
      resolved: false,
      why: `nobody knows about ${name}`,
      entity: { kind: "process", identity: name },
      evidence: [
        saw("process.commandLine", "matches", "^x", name),
        saw(`process.${name.slice(0, 20)}`, "equal", name, name),
      ],
    }),
  ),
  actions: hostileNames.map((name, index) =>
    action(finding({ rule: `rule-${index}`, subject: name }), {
      target: name,
      detail: `${name} would not go`,
      result: "failure",
      verified: false,
      steps: [{ step: name, pass: false, detail: name }],
      message: name,
    }),
  ),
  rules: {
    total: 8,
    quiet: 0,
    verdicts: hostileNames.map((name, index) =>
      verdict(`rule-${index}`, { verdict: "blind", blind: 1, missing: [name] }),
    ),
  },
  notes: hostileNames,
});
