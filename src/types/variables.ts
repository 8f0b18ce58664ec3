/** One row of `argus.env`: how a variable is read and what it may be. */
export type Variable =
  | { kind: "integer"; min: number; max: number; unit: string; fallback: number; what: string }
  | { kind: "flag"; fallback: boolean; what: string }
  | { kind: "path"; fallback: string; what: string }
  | { kind: "choice"; choices: readonly string[]; fallback: string; what: string }
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
  ARGUS_EXECUTOR_SOCKET: {
    kind: "path",
    fallback: "none: one process does it all",
    what: "where `argus executor` listens, when what changes the machine is left to that process",
  },
  ARGUS_EXECUTOR_STATE_DIR: {
    kind: "path",
    fallback: "ARGUS_STATE_DIR",
    what: "budgets, backoffs, pause and silences, out of reach of the process that has the network",
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
    what: "time after boot in which no service is restarted",
  },
  ARGUS_DEDUP_WINDOW: {
    kind: "integer",
    min: 0,
    max: 604_800,
    unit: "seconds",
    fallback: 3600,
    what: "time in which a problem alerts once",
  },
  ARGUS_DISK_CLEAN_MAX_AGE_DAYS: {
    kind: "integer",
    min: 1,
    max: 3650,
    unit: "days",
    fallback: 7,
    what: "age from which `clean_disk` removes an entry",
  },
  ARGUS_RESTART_BACKOFF_SECOND_DELAY: {
    kind: "integer",
    min: 1,
    max: 86_400,
    unit: "seconds",
    fallback: 60,
    what: "wait before the second restart of a service",
  },
  ARGUS_RESTART_BACKOFF_THIRD_DELAY: {
    kind: "integer",
    min: 1,
    max: 86_400,
    unit: "seconds",
    fallback: 300,
    what: "wait before the third restart",
  },
  ARGUS_RESTART_COOLDOWN_SECONDS: {
    kind: "integer",
    min: 1,
    max: 604_800,
    unit: "seconds",
    fallback: 3600,
    what: "rest after the third restart; also the time of health after which attempts are forgotten",
  },
  ARGUS_RESTART_SETTLE_SECONDS: {
    kind: "integer",
    min: 0,
    max: 60,
    unit: "seconds",
    fallback: 3,
    what: "time that a restarted service must stay active before it counts as healed",
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
  ARGUS_PING_URL: {
    kind: "text",
    secret: true,
    what: "a dead man's switch, fetched after each good cycle, with /start and /fail as at healthchecks.io",
  },
  ARGUS_RELAY_ENABLED: {
    kind: "flag",
    fallback: false,
    what: "send each problem, and the summary of the day, by the program relay",
  },
  ARGUS_RELAY_BIN: {
    kind: "text",
    what: "that program: an absolute path, or a name that is found on the PATH (default relay)",
  },
  ARGUS_RELAY_TO: { kind: "text", what: "agent that receives them; must be given when the relay is enabled" },
  ARGUS_RELAY_FROM: { kind: "text", what: "agent that sends them (default argus)" },
  ARGUS_RELAY_TIMEOUT: {
    kind: "integer",
    min: 1,
    max: 60,
    unit: "seconds",
    fallback: 5,
    what: "time for one call of the relay; what it does not take is written to `relay.jsonl`",
  },
  ARGUS_SUMMARY_AT: {
    kind: "text",
    what: "time of day by this machine's clock, such as 08:00, at which the daemon sends the summary of the day; or never (default 08:00 with the relay, else only the timer of an installation sends it)",
  },
  ARGUS_DASHBOARD_URL: { kind: "text", what: "address of your dashboard: the last line of each message" },
  ANTHROPIC_API_KEY: {
    kind: "text",
    secret: true,
    what: "key for the model; without one the model is never asked",
  },
  ARGUS_MODEL: { kind: "text", what: "the model that is asked (default claude-haiku-5-5)" },
  ANTHROPIC_BASE_URL: {
    kind: "text",
    what: "another server that speaks the Messages API (default https://api.anthropic.com)",
  },
  ARGUS_PROMPT_FILE: {
    kind: "path",
    fallback: "prompt.md beside the program",
    what: "the system prompt, read at each call",
  },
  ARGUS_LLM_DAILY_CALLS: {
    kind: "integer",
    min: 0,
    max: 1000,
    unit: "calls",
    fallback: 50,
    what: "requests to the model in any 24 hours, repeated ones included",
  },
  ARGUS_LLM_DAILY_TOKENS: {
    kind: "integer",
    min: 0,
    max: 1_000_000_000,
    unit: "tokens",
    fallback: 1_000_000,
    what: "tokens, in and out, after which the model is not asked in any 24 hours",
  },
  ARGUS_LLM_CONFIDENCE: {
    kind: "integer",
    min: 0,
    max: 100,
    unit: "percent",
    fallback: 60,
    what: "confidence below which an action of the model becomes an alert that proposes it",
  },
  ARGUS_LLM_REVIEW: {
    kind: "choice",
    choices: ["never", "daily"],
    fallback: "never",
    what: "whether the model looks at the whole once in 24 hours, when nothing is unresolved; it may propose nothing then",
  },
  ARGUS_LLM_TIMEOUT: {
    kind: "integer",
    min: 1,
    max: 600,
    unit: "seconds",
    fallback: 60,
    what: "time for asking the model, repeated requests included",
  },
} as const satisfies Record<string, Variable>;
export type VariableName = keyof typeof variables;
