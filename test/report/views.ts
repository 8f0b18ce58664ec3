/** What the other reports are made from. */
import type { CheckData } from "../../src/report/check.ts";
import type { Check } from "../../src/report/doctor.ts";
import type { StatusData } from "../../src/report/status.ts";
import type { WhyNot } from "../../src/report/why-not.ts";
import type { Problem, RegistryRecord } from "../../src/types/problem.ts";
import type { TrailCycle } from "../../src/types/trail.ts";
import {
  blindRules,
  collectors,
  cycle,
  dryRunWithFindings,
  finding,
  refusedByBackoff,
  restartVerified,
  saw,
} from "./cycles.ts";

export const now = "2026-11-20T22:46:02Z";

export function problem(more: Partial<Problem> = {}): Problem {
  const { key, type, subject, condition, severity, summary } = finding();
  return {
    key,
    type,
    subject,
    condition,
    severity,
    description: summary,
    was: "failed, exit-code",
    life: "open",
    openedAt: "2026-11-20T22:40:20Z",
    lastSeen: "2026-11-20T22:45:20Z",
    resolvedAt: null,
    beadId: null,
    resolvedBecause: null,
    openings: ["2026-11-20T12:00:20Z", "2026-11-20T22:40:20Z"],
    actions: [
      {
        ts: "2026-11-20T22:40:20Z",
        cycle: "a",
        action: "restart_service:openclaw-gateway",
        result: "failure",
        reason: "exit status 1",
      },
      {
        ts: "2026-11-20T22:45:20Z",
        cycle: "b",
        action: "restart_service:openclaw-gateway",
        result: "skipped",
        reason: "backoff",
      },
    ],
    rules: ["service-down"],
    entity: { kind: "service", identity: "openclaw-gateway" },
    host: "landmass",
    ...more,
  };
}

const disk = finding({ type: "disk", subject: "/", condition: "full", rule: "disk-full" });
export const diskProblem = problem({
  key: disk.key,
  type: "disk",
  subject: "/",
  condition: "full",
  severity: "warning",
  life: "healing",
  description: "/ is 91.2 % full (7.12 GB left on /dev/vda1)",
  openedAt: "2026-11-20T20:15:20Z",
  openings: ["2026-11-20T20:15:20Z"],
  beadId: "bd-12",
  actions: [
    {
      ts: "2026-11-20T22:45:20Z",
      cycle: "b",
      action: "clean_disk",
      result: "success",
      reason: "removed 1,204 entries",
    },
  ],
});
export const healedProblem = problem({
  key: "session:00112233aabbccdd",
  type: "session",
  subject: "agent-7",
  condition: "stale",
  severity: "info",
  life: "resolved",
  description: "tmux session agent-7 on /tmp/openclaw-coding-agents.sock has been idle for 3 d 2 h",
  resolvedAt: "2026-11-20T21:00:20Z",
  resolvedBecause: "healed",
  actions: [],
});

export const statusGood: StatusData = {
  host: "landmass",
  now,
  stateDir: "/var/lib/argus",
  mode: "act",
  intervalSeconds: 300,
  running: { pid: 812, what: "argus run", since: "2026-11-18T20:00:00Z" },
  lastCycle: cycle({ cycle: { trigger: "schedule" } }),
  cycles: { failuresInARow: 0, lastError: null, interrupted: false },
  problems: [],
  pause: null,
  budgets: [
    { name: "kills", used: 0, limit: 20, nextInSeconds: 0 },
    { name: "restarts", used: 0, limit: 10, nextInSeconds: 0 },
    { name: "cleanings", used: 0, limit: 2, nextInSeconds: 0 },
  ],
  backoffs: [],
  approvals: [],
  handOffs: [],
  silences: [],
  maintenance: [],
  outbox: {
    waiting: 0,
    oldest: null,
    error: null,
    channels: [{ name: "telegram", waiting: 0, error: null, refused: null }],
  },
  tickets: { open: 0, waiting: 0, missing: null, trouble: null },
  model: {
    model: "claude-haiku-5-5",
    hasKey: false,
    requests: { used: 0, limit: 50 },
    costDollars: 0,
    cooldown: null,
  },
  services: [
    { name: "openclaw-gateway", status: "up", why: "", sinceSeconds: 86_400 },
    { name: "mcp-agent-mail", status: "up", why: "", sinceSeconds: 7_200 },
    { name: "backup", status: "waiting", why: "backup.timer starts it", sinceSeconds: 50_000 },
  ],
  absentUnits: [],
  notes: [],
};

export const statusBad: StatusData = {
  ...statusGood,
  services: [
    { name: "athena-web", status: "down", why: "it crashed", sinceSeconds: 95 },
    {
      name: "openclaw-gateway",
      status: "stuck",
      why: "it has been activating for 11 min; its limit is 10 min",
      sinceSeconds: 660,
    },
    { name: "mcp-agent-mail", status: "stopped", why: "a person stopped it", sinceSeconds: 3_600 },
    { name: "tmpl@", status: "unreadable", why: "systemd cannot show tmpl@.service", sinceSeconds: null },
    { name: "elsewhere", status: "not-installed", why: "", sinceSeconds: null },
  ],
  running: null,
  lastCycle: { ...blindRules, cycle: { ...blindRules.cycle, ts: "2026-11-20T21:45:20Z" } },
  cycles: {
    failuresInARow: 2,
    lastError: "cannot record a problem in /var/lib/argus/problems.jsonl: no space left on the file system",
    interrupted: true,
  },
  problems: [diskProblem, problem()],
  pause: { until: "2026-11-21T06:00:00Z", reason: "upgrading the database", since: "2026-11-20T22:00:00Z" },
  budgets: [
    { name: "kills", used: 20, limit: 20, nextInSeconds: 1312 },
    { name: "restarts", used: 3, limit: 10, nextInSeconds: 0 },
    { name: "cleanings", used: 0, limit: 0, nextInSeconds: null },
  ],
  backoffs: [
    { unit: "openclaw-gateway", state: "cooldown", attempts: 3, nextInSeconds: 2400, healthySince: null },
    {
      unit: "mcp-agent-mail",
      state: "ready",
      attempts: 1,
      nextInSeconds: 0,
      healthySince: "2026-11-20T22:10:20Z",
    },
  ],
  tickets: {
    open: 1,
    waiting: 2,
    missing: null,
    trouble: { text: "bd create: no answer within 15 s", since: "2026-11-20T22:45:23Z" },
  },
  outbox: {
    waiting: 3,
    oldest: "2026-11-20T22:00:00Z",
    error: null,
    channels: [
      {
        name: "telegram",
        waiting: 3,
        error: {
          text: "Telegram refused (401: Unauthorized); TELEGRAM_BOT_TOKEN in argus.env is wrong or was revoked, get one from @BotFather",
        },
        refused: null,
      },
      {
        name: "on-call",
        waiting: 0,
        error: null,
        refused: {
          count: 2,
          since: "2026-11-20T21:00:00Z",
          why: "the webhook on-call refused it (413: too large)",
          path: "/var/lib/argus/outbox/20261120T210000000Z-0001.json.refused-1",
        },
      },
    ],
  },
  model: {
    model: "claude-haiku-5-5",
    hasKey: true,
    requests: { used: 3, limit: 50 },
    costDollars: 0.0123,
    cooldown: { seconds: 540, why: "no answer within 1 min" },
  },
  absentUnits: ["athena-web", "mcp-agent-mail"],
  notes: [
    "1 line of /var/lib/argus/trail.jsonl could not be read (cut off by a crash, or not Argus's) and was passed over",
  ],
};

export const statusWithNotes: StatusData = {
  ...statusGood,
  problems: [
    {
      ...problem(),
      severity: "info",
      condition: "stopped",
      description: "openclaw-gateway is stopped by a person since 2026-11-20 21:40",
    },
  ],
  silences: [
    {
      id: "a1b2",
      match: { key: finding().key },
      until: "2026-11-21T06:00:00Z",
      reason: "the vendor replaces the disk tonight, ticket 4711",
      by: "root",
      actions: false,
    },
    {
      id: "c3d4",
      match: { rule: "disk-full", subject: "/data" },
      until: "2026-11-22T06:00:00Z",
      reason: "known",
      by: "anna",
      actions: true,
    },
  ],
};

const record = (more: Partial<RegistryRecord>): RegistryRecord => ({
  ts: "2026-11-20T22:40:20Z",
  severity: "critical",
  type: "service",
  description: "openclaw-gateway is failed (exit-code)",
  action_taken: "none",
  action_result: "skipped",
  bead_id: null,
  host: "landmass",
  key: finding().key,
  subject: "openclaw-gateway",
  condition: "down",
  source: "rule:service-down",
  cycle: "a",
  reason: "detected",
  evidence: {},
  duration_ms: 0,
  event: "opened",
  ...more,
});
export const records: RegistryRecord[] = [
  record({ ts: "2026-11-20T22:50:20Z", event: "resolved", reason: "healed" }),
  record({
    ts: "2026-11-20T22:45:20Z",
    event: "action",
    action_taken: "restart_service:openclaw-gateway",
    action_result: "success",
    reason: "systemctl restart openclaw-gateway; active",
  }),
  record({
    event: "action",
    action_taken: "restart_service:openclaw-gateway",
    action_result: "skipped",
    reason: "boot_grace",
  }),
  record({}),
];

/** The life of openclaw-gateway, newest first as the trail has it: down, refused for an hour, restarted, gone. */
export const life: TrailCycle[] = [
  cycle({
    ...refusedByBackoff,
    cycle: { id: "c1", ts: "2026-11-20T22:40:20Z" },
    problems: { opened: [finding().key], resolved: [], open: [] },
  }),
  ...Array.from({ length: 12 }, (_, index) =>
    cycle({
      ...refusedByBackoff,
      cycle: {
        id: `c${index + 2}`,
        ts: new Date(Date.UTC(2026, 10, 20, 22, 45 + index * 5, 20)).toISOString(),
      },
    }),
  ),
  cycle({
    ...restartVerified,
    cycle: { id: "c20", ts: "2026-11-20T23:45:20Z" },
    problems: { opened: [], resolved: [], open: [finding().key] },
  }),
  cycle({
    cycle: { id: "c21", ts: "2026-11-21T00:00:20Z" },
    problems: { opened: [], resolved: [finding().key], open: [] },
  }),
].reverse();

const whyNot: WhyNot = {
  rule: "memory-full",
  description: "Memory is nearly used up: name the largest process",
  file: "/opt/argus/rules/memory.json",
  line: 4,
  forEach: null,
  disabled: false,
  takenAt: "2026-11-20T22:45:20Z",
  looks: [
    {
      identity: "host",
      holds: false,
      evidence: [saw("memory.usedPercent", "greaterThan", 90, 87.31, { result: false })],
      held: null,
    },
  ],
  missing: [],
  collectors,
  actions: [],
};

const orphanLook = (
  pid: number,
  ageSeconds: number,
  orphan: boolean,
  held: WhyNot["looks"][number]["held"] = null,
): WhyNot["looks"][number] => ({
  identity: `${pid}@${pid * 10}`,
  holds: ageSeconds > 600 && orphan,
  evidence: [
    saw("process.executable", "equal", "node", "node"),
    saw("process.orphan", "equal", true, orphan, { result: orphan }),
    saw("process.ageSeconds", "greaterThan", 600, ageSeconds, { result: ageSeconds > 600 }),
  ],
  held,
});
const ranges = {
  ...whyNot,
  rule: "orphan-node-test",
  description: "A node --test run that lost its parent goes on for ever",
  file: "/etc/argus/rules.d/processes.json",
  forEach: "process",
};

export const whyNots: Readonly<Record<string, WhyNot>> = {
  quiet: whyNot,
  "quiet on many": {
    ...ranges,
    looks: [
      { ...orphanLook(100, 30, false), reasons: { orphan: "a program reads its output, or may be able to" } },
      orphanLook(200, 599.6, true),
      orphanLook(300, 5000, false),
      ...Array.from({ length: 90 }, (_, index) => orphanLook(1000 + index, 20, false)),
    ],
  },
  waiting: {
    ...ranges,
    looks: [
      orphanLook(200, 700, true, { cycles: 1, seconds: 0, wanted: "3 cycles", enough: false }),
      orphanLook(100, 30, false),
    ],
  },
  fired: {
    ...ranges,
    looks: [orphanLook(200, 700, true, { cycles: 3, seconds: 600, wanted: "3 cycles", enough: true })],
    actions: refusedByBackoff.actions,
  },
  blind: {
    ...whyNot,
    rule: "service-down",
    forEach: "service",
    looks: [],
    missing: ["service"],
    collectors: blindRules.collectors,
  },
  "partly blind": {
    ...whyNot,
    rule: "disk-will-be-full",
    forEach: "disk",
    looks: [
      {
        identity: "/",
        holds: null,
        evidence: [saw("disk.fullInHours", "lessThan", 24, null, { result: null })],
        held: null,
      },
      {
        identity: "/home",
        holds: false,
        evidence: [saw("disk.fullInHours", "lessThan", 24, 8760, { result: false })],
        held: null,
      },
    ],
  },
  "nothing to judge": { ...whyNot, rule: "tmux-session-stale", forEach: "session", looks: [] },
  disabled: { ...whyNot, disabled: true },
};

export const checks: Check[] = [
  { name: "state folder", state: "ok", detail: "/var/lib/argus, mode 0700, 12 GB free", mend: null },
  {
    name: "systemd",
    state: "limited",
    detail: "systemd is not running here: services cannot be watched or restarted",
    mend: "nothing to do in a container; on a host, boot with systemd",
  },
  {
    name: "telegram",
    state: "limited",
    detail: "no channel is configured: alerts wait in the outbox",
    mend: "set TELEGRAM_BOT_TOKEN and TELEGRAM_CHAT_ID in /etc/argus/argus.env",
  },
  {
    name: "rules",
    state: "broken",
    detail: "the rules cannot be used:",
    faults: [
      '/etc/argus/rules.d/mine.json:12: rule "mine": event.params.severity must be one of critical, warning, info',
      '/etc/argus/rules.d/mine.json:15: rule "mine", titel: unknown key; did you mean "title"?',
    ],
    mend: "argus check names every fault",
  },
  { name: "kill self-test", state: "ok", detail: "a process of Argus's own ended after SIGTERM", mend: null },
];

export const checkGood: CheckData = {
  settings: { file: "/etc/argus/argus.json", faults: [] },
  services: {
    faults: [],
    natures: [
      "backup is started by backup.timer: it counts as down only when its last run failed or that is not active, and Argus never starts it",
    ],
  },
  rules: {
    folders: ["/opt/argus/rules", "/etc/argus/rules.d"],
    files: 9,
    inForce: 23,
    disabled: ["load-high"],
    faults: [],
  },
  tests: { passed: 69, failed: [], faults: [] },
};
export const checkBad: CheckData = {
  settings: {
    file: "/etc/argus/argus.json",
    faults: [
      "/etc/argus/argus.json:7: services[0].restrat is not known; did you mean restart?",
      "/etc/argus/argus.json:9: intervalSeconds: unknown key",
    ],
  },
  services: {
    faults: [
      '/etc/argus/argus.json:4: services[0].unit: "tmpl@" is a template, of which only instances run; name an instance, such as tmpl@NAME',
    ],
    natures: [],
  },
  rules: {
    ...checkGood.rules,
    faults: [
      '/etc/argus/rules.d/mine.json:12: rule "mine": conditions.all[0].operator: greaterThen is not an operator; did you mean greaterThan?',
    ],
  },
  tests: {
    passed: 68,
    failed: [
      {
        name: "fires over 90 %",
        file: "/etc/argus/rules.d/tests/mine.json",
        line: 3,
        failures: ["expected fired, saw quiet: memory.usedPercent is 88 %, wanted > 90 %"],
      },
    ],
    faults: [],
  },
};

export const problemOfLife = problem({
  life: "resolved",
  resolvedAt: "2026-11-21T00:00:20Z",
  resolvedBecause: "healed",
});
export { dryRunWithFindings };
