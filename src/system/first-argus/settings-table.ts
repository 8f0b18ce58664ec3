/** Variables of the first Argus that have another name, or none, today: what became of each. docs/settings.md lists them. */
import type { VariableName } from "../../types/variables.ts";
import { stringify } from "../printable.ts";

export interface FormerSetting {
  /** For the reference: what became of it. */
  readonly now: string;
  /** The variable whose value it is today. */
  readonly name?: VariableName;
  /** One clause for whoever has set it; left out: it works, and there is nothing to say. */
  readonly said?: (value: string) => string;
}

const inFolder = (file: string, folder: string): FormerSetting => ({
  now: `\`${file}\` lies in \`${folder}\``,
  said: (value) => `${file} lies in ${folder} now: move ${value} there`,
});
const gone = (now: string): FormerSetting => ({ now, said: () => now.replaceAll("`", "") });

const patterns = gone(
  "no patterns are looked for; `argus problems --all` and `argus stats` show what comes back",
);
const modelPause = gone(
  "how long the model is left alone after an error follows its answers; `ARGUS_LLM_DAILY_CALLS` bounds the calls",
);
const relayFile = inFolder("relay.jsonl", "ARGUS_STATE_DIR");

const table: Readonly<Record<string, FormerSetting>> = {
  DEDUP_WINDOW: { now: "works as `ARGUS_DEDUP_WINDOW`", name: "ARGUS_DEDUP_WINDOW" },
  ARGUS_MEMORY_DIR: {
    now: "works: the observations stand in `observations.md` in it, unless `ARGUS_OBSERVATIONS_FILE` is set",
    name: "ARGUS_OBSERVATIONS_FILE",
  },
  ARGUS_BEADS_WORKDIR: { now: "works as `tickets.directory` of `argus.json`, unless that is set" },
  ARGUS_RELAY_SUMMARY_ENABLED: {
    now: "works: `false` is `ARGUS_SUMMARY_AT=never`, unless that is set",
    name: "ARGUS_SUMMARY_AT",
  },
  ARGUS_DISK_CLEAN_DRY_RUN: {
    now: "works: where it is set and not `false`, `clean_disk` and `argus clean` say what would go, and remove nothing",
  },
  ARGUS_PROBLEMS_FILE: inFolder("problems.jsonl", "ARGUS_STATE_DIR"),
  ARGUS_DEDUP_FILE: inFolder("dedup.json", "ARGUS_STATE_DIR"),
  ARGUS_RESTART_BACKOFF_FILE: inFolder("restart-backoff.json", "ARGUS_EXECUTOR_STATE_DIR"),
  ARGUS_DEDUP_RETENTION_SECONDS: gone("what was alerted is remembered for 30 days"),
  ARGUS_ORPHAN_STATE: gone(
    "orphans are counted in `streaks.json` in `ARGUS_STATE_DIR`; the old file is not needed",
  ),
  ARGUS_RELAY_FALLBACK_FILE: relayFile,
  ARGUS_RELAY_SUMMARY_FALLBACK_FILE: relayFile,
  ARGUS_RELAY_OBSERVATIONS_FALLBACK_FILE: gone(
    "observations are not sent by the relay: the daily summary is",
  ),
  ARGUS_OBSERVATIONS_LINES: gone(
    "the model is shown no old observations: it is given the problems and the cycles before",
  ),
  ARGUS_OBSERVATIONS_MAX_BYTES: gone("`observations.md` grows to 500 KB, and one older file is kept"),
  ARGUS_GATEWAY_PORT: {
    now: "an entry of `services` in `argus.json` with a `name` in place of the `unit`, as below",
    said: (value) =>
      `to watch the gateway by its port, write into argus.json: "services": [${stringify({
        name: "openclaw-gateway",
        endpoint: {
          url: `http://127.0.0.1:${/^\d{1,5}$/.test(value) ? value : "18500"}/`,
          expectStatus: "any",
        },
      })}]`,
  },
  ARGUS_HEALTH_ADDR: gone(
    "Argus listens at no address: `ARGUS_PING_URL` and `argus status --json` say how it is",
  ),
  ARGUS_TMUX_SOCKET: {
    now: "an entry of `tmuxSockets` in `argus.json`",
    said: (value) =>
      `to watch that socket, write into argus.json: "tmuxSockets": [${stringify(/^[/~]/.test(value) ? value : `/tmp/tmux-0/${value}`)}]`,
  },
  ARGUS_TMUX_TMPDIR: {
    now: "an entry of `tmuxSockets` in `argus.json`",
    said: (value) =>
      `to watch the sessions there, write into argus.json the socket below it, such as "tmuxSockets": [${stringify(`${value.replace(/\/+$/, "")}/tmux-0/default`)}]`,
  },
  ARGUS_BEAD_PRIORITY: gone("the priority of a ticket follows the severity: critical 0, warning 2, info 3"),
  ARGUS_STATS_WINDOW_DAYS: {
    now: "`argus stats --since 30d`",
    said: (value) => `ask for that time: argus stats --since ${/^\d{1,4}$/.test(value) ? value : "30"}d`,
  },
  ARGUS_LLM_BACKOFF_BASE_SECONDS: modelPause,
  ARGUS_LLM_BACKOFF_MAX_SECONDS: modelPause,
  ARGUS_LLM_RATE_LIMIT_MIN_SECONDS: modelPause,
  ARGUS_LLM_BACKOFF_STATE_FILE: modelPause,
};

/** Names of this beginning were all of one kind. */
const patternPrefix = "ARGUS_PATTERN_";

/** In the order of the reference. */
export const formerSettings: readonly (readonly [string, FormerSetting])[] = [
  ...Object.entries(table),
  [`${patternPrefix}*`, patterns],
];

export function formerSetting(name: string): FormerSetting | null {
  if (Object.hasOwn(table, name)) return table[name] ?? null;
  return /^ARGUS_PATTERN_\w{0,64}$/.test(name) ? patterns : null;
}

/** Those that a person may have set, by name. */
export const isFormerName = (name: string): boolean => formerSetting(name) !== null;
