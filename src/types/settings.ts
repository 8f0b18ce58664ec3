/** Settings: lists in `argus.json`, scalars and secrets in `argus.env` or the environment. */
import { z } from "zod";

const unitName = z
  .string()
  .regex(/^[A-Za-z0-9:_.\\@-]{1,255}$/, "is not a unit name")
  .describe("systemd unit, `.service` may be left out");
const url = z
  .string()
  .regex(
    /^(https?:\/\/[^\s]+|tcp:\/\/[^\s:/]+:\d{1,5}|tcp:\/\/\[[0-9a-fA-F:]+\]:\d{1,5})$/,
    "must be http://…, https://… or tcp://host:port",
  )
  .describe("`http://…`, `https://…` or `tcp://host:port`");
const path = z.string().regex(/^(\/|~\/|~$)/, "must be an absolute path, or begin with ~/");
const programName = z.string().regex(/^[^/\s]{1,64}$/, "must be the file name of a program");

const probe = {
  url,
  expectStatus: z
    .array(z.number().int().min(100).max(599))
    .min(1)
    .optional()
    .describe("HTTP statuses that count as healthy (default: 200 to 399)"),
  timeoutMilliseconds: z.number().int().min(50).max(30_000).optional().describe("default 5000"),
};

export const ServiceSetting = z.strictObject({
  unit: unitName,
  restart: z.boolean().default(false).describe("whether Argus may restart it"),
  endpoint: z
    .strictObject(probe)
    .optional()
    .describe("where it answers; probed only when the unit is installed"),
  requires: z.array(unitName).default([]).describe("units that must be active before it is restarted"),
});

export const Settings = z.strictObject({
  $schema: z.string().optional(),
  services: z.array(ServiceSetting).default([]).describe("units to watch"),
  endpoints: z
    .array(z.strictObject({ name: z.string().min(1).max(128), ...probe }))
    .default([])
    .describe("further endpoints to probe"),
  tmuxSockets: z.array(path).default([]).describe("tmux sockets to watch besides the default one"),
  homes: z.array(path).default(["~"]).describe("homes whose caches `clean_disk` may clean"),
  processes: z
    .strictObject({
      killable: z
        .array(programName)
        .default(["node", "claude", "codex"])
        .describe("executables that `kill_pid` may end"),
      protected: z
        .array(programName)
        .default([])
        .describe("executables that nobody may end, whatever else allows it"),
    })
    .default({ killable: ["node", "claude", "codex"], protected: [] }),
  budgets: z
    .strictObject({
      killsPerHour: z.number().int().min(0).max(1000).default(20),
      restartsPerHour: z.number().int().min(0).max(1000).default(10),
      cleaningsPerHour: z.number().int().min(0).max(60).default(2),
    })
    .default({ killsPerHour: 20, restartsPerHour: 10, cleaningsPerHour: 2 })
    .describe("actions an hour, of all sources together"),
  model: z
    .strictObject({
      mayPropose: z
        .array(z.enum(["restart_service", "kill_pid", "kill_tmux", "clean_disk", "alert", "log"]))
        .default(["restart_service", "kill_pid", "kill_tmux", "clean_disk", "alert", "log"]),
    })
    .default({ mayPropose: ["restart_service", "kill_pid", "kill_tmux", "clean_disk", "alert", "log"] })
    .describe("actions that the model may propose"),
});
export type Settings = z.infer<typeof Settings>;
export type ServiceSetting = z.infer<typeof ServiceSetting>;

/** One row of `argus.env`: how a variable is read and what it may be. */
export type Variable =
  | { kind: "integer"; min: number; max: number; unit: string; fallback: number; what: string }
  | { kind: "flag"; fallback: boolean; what: string }
  | { kind: "path"; fallback: string; what: string }
  | { kind: "text"; what: string; secret?: true };

/** Every variable Argus reads. config.ts parses it, docs/settings.md and `argus doctor` list it. */
export const variables = {
  ARGUS_INTERVAL: {
    kind: "integer",
    min: 1,
    max: 86_400,
    unit: "seconds",
    fallback: 300,
    what: "time between scheduled cycles",
  },
  ARGUS_DRY_RUN: { kind: "flag", fallback: false, what: "decide everything, change nothing" },
  ARGUS_CONFIG: {
    kind: "path",
    fallback: "/etc/argus/argus.json where it exists, else beside the program",
    what: "the settings file; `argus.env` is read from its folder",
  },
  ARGUS_RULES_DIR: { kind: "path", fallback: "rules/ beside the program", what: "shipped rules" },
  ARGUS_LOCAL_RULES_DIR: {
    kind: "path",
    fallback: "/etc/argus/rules.d",
    what: "your rules; one of the same name replaces the shipped one",
  },
  ARGUS_STATE_DIR: {
    kind: "path",
    fallback: "$STATE_DIRECTORY, else ./state",
    what: "registry, trail, backoff, outbox",
  },
  ARGUS_LOG_DIR: {
    kind: "path",
    fallback: "$LOGS_DIRECTORY, else ./logs",
    what: "argus.log and cycle_state.json",
  },
  ARGUS_OBSERVATIONS_FILE: {
    kind: "path",
    fallback: "observations.md in the state folder",
    what: "where `log` actions write",
  },
  ARGUS_BOOT_GRACE_SECONDS: {
    kind: "integer",
    min: 0,
    max: 3600,
    unit: "seconds",
    fallback: 120,
    what: "after boot, in which no service is restarted",
  },
  ARGUS_DEDUP_WINDOW: {
    kind: "integer",
    min: 0,
    max: 604_800,
    unit: "seconds",
    fallback: 3600,
    what: "in which a problem alerts once",
  },
  ARGUS_DISK_CLEAN_MAX_AGE_DAYS: {
    kind: "integer",
    min: 1,
    max: 3650,
    unit: "days",
    fallback: 7,
    what: "age from which `clean_disk` removes",
  },
  ARGUS_RESTART_BACKOFF_SECOND_DELAY: {
    kind: "integer",
    min: 1,
    max: 86_400,
    unit: "seconds",
    fallback: 60,
    what: "before the second restart",
  },
  ARGUS_RESTART_BACKOFF_THIRD_DELAY: {
    kind: "integer",
    min: 1,
    max: 86_400,
    unit: "seconds",
    fallback: 300,
    what: "before the third restart",
  },
  ARGUS_RESTART_COOLDOWN_SECONDS: {
    kind: "integer",
    min: 1,
    max: 604_800,
    unit: "seconds",
    fallback: 3600,
    what: "after the third restart; also the health after which attempts are forgotten",
  },
  ARGUS_RESTART_SETTLE_SECONDS: {
    kind: "integer",
    min: 0,
    max: 60,
    unit: "seconds",
    fallback: 3,
    what: "a restarted service must stay active before it counts as healed",
  },
  ARGUS_SWAP_THRASH_MBPS: {
    kind: "integer",
    min: 1,
    max: 100_000,
    unit: "MB/s",
    fallback: 10,
    what: "swap traffic, in plus out, that counts as thrashing",
  },
  TELEGRAM_BOT_TOKEN: { kind: "text", secret: true, what: "token of the bot that sends alerts" },
  TELEGRAM_CHAT_ID: { kind: "text", what: "chat that receives them" },
  TELEGRAM_API_URL: { kind: "text", what: "another Bot API server (default https://api.telegram.org)" },
  ANTHROPIC_API_KEY: {
    kind: "text",
    secret: true,
    what: "key for the model; without one the model is never asked",
  },
} as const satisfies Record<string, Variable>;
export type VariableName = keyof typeof variables;

/** What the stages are given: everything resolved, absolute paths, no environment left to read. */
export interface Config {
  readonly intervalSeconds: number;
  readonly dryRun: boolean;
  readonly settings: Settings;
  readonly settingsFile: string;
  /** null: there is none. */
  readonly envFile: string | null;
  readonly rulesDir: string;
  readonly localRulesDir: string;
  readonly stateDir: string;
  readonly logDir: string;
  readonly observationsFile: string;
  readonly bootGraceSeconds: number;
  readonly dedupWindowSeconds: number;
  readonly diskCleanMaxAgeDays: number;
  readonly restartSecondDelaySeconds: number;
  readonly restartThirdDelaySeconds: number;
  readonly restartCooldownSeconds: number;
  readonly restartSettleSeconds: number;
  readonly swapThrashMegabytesPerSecond: number;
  readonly telegram: { readonly token: string; readonly chatId: string; readonly apiUrl: string } | null;
  readonly anthropicKey: string | null;
  /** Things to say once at start, such as a secrets file this user may not read. */
  readonly notes: readonly string[];
}
