/** Settings: lists in `argus.json`, scalars and secrets in `argus.env` or the environment. */
import * as z from "zod";
import { type Channel, ChannelSetting } from "./channels.ts";
import { Maintenance } from "./maintenance.ts";
import { Answering } from "./orders.ts";
import { TicketSettings } from "./ticket.ts";

export { type Variable, type VariableName, variables } from "./variables.ts";

const unitName = z
  .string()
  .regex(/^[^*?[\]]*$/, { error: "is a pattern; name each unit by itself", abort: true })
  .regex(/^[A-Za-z0-9:_.\\@-]{1,255}$/, "is not the name of a systemd unit")
  .describe("systemd unit, `.service` may be left out");
const wrongUrl = "must be http://…, https://… or tcp://host:port";
const url = z
  .string()
  .regex(/^(https?|tcp):\/\/[^\s]+$/, { error: wrongUrl, abort: true })
  .refine(isProbeUrl, wrongUrl)
  .describe("`http://…`, `https://…` or `tcp://host:port`");

function isProbeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, port, pathname, search } = new URL(text);
  return protocol !== "tcp:" || (hostname !== "" && port !== "" && pathname.length <= 1 && search === "");
}

const path = z.string().regex(/^(\/|~\/|~$)/, "must be an absolute path, or begin with ~/");
const programName = z.string().regex(/^[^/\s]{1,64}$/, "must be the file name of a program");

const needsYes = z.array(z.enum(["restart_service", "kill_pid", "kill_tmux", "clean_disk"])).default([]);

const probe = {
  url,
  expectStatus: z
    .union([z.array(z.number().int().min(100).max(599)).min(1), z.enum(["any"])])
    .optional()
    .describe("HTTP statuses that count as healthy, or `any` for every answer (default: 200 to 399)"),
  timeoutMilliseconds: z
    .number()
    .int()
    .min(50)
    .max(30_000)
    .optional()
    .describe("how long to wait for an answer (default: 5000)"),
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

const endpointName = z
  .string()
  .regex(
    /^[\x20-\x7e\xa0-\uffff]{1,128}$/,
    "must have 1 to 128 characters, none of them a control character",
  );

/** As people write it: what systemd does not run has an endpoint, and a name in place of the unit. */
const ServiceEntry = ServiceSetting.extend({
  unit: unitName
    .optional()
    .describe("systemd unit, `.service` may be left out; must be given, or a name and an endpoint"),
  name: endpointName
    .optional()
    .describe(
      "in place of the unit, for what systemd does not run: its endpoint is watched, nothing is restarted",
    ),
}).meta({
  anyOf: [
    { type: "object", properties: { unit: { type: "string" } }, required: ["unit"] },
    {
      type: "object",
      properties: { name: { type: "string" }, endpoint: { type: "object" } },
      required: ["name", "endpoint"],
    },
  ],
});

export const Settings = z.strictObject({
  $schema: z.string().optional(),
  services: z.array(ServiceSetting).default([]).describe("units to watch"),
  endpoints: z
    .array(
      z.strictObject({
        name: endpointName.describe("what it is called in findings and reports"),
        ...probe,
      }),
    )
    .default([])
    .describe("further endpoints to probe"),
  tmuxSockets: z.array(path).default([]).describe("tmux sockets to watch besides the default one"),
  homes: z
    .array(path)
    .optional()
    .describe("homes whose caches `clean_disk` may clean (default: root's and those of all who can log in)"),
  processes: z
    .strictObject({
      killable: z
        .array(programName)
        .default(["node", "claude", "codex"])
        .describe("executables that `kill_pid` may kill"),
      protected: z
        .array(programName)
        .default([])
        .describe("executables that nobody may end, whatever else allows it"),
    })
    .default({ killable: ["node", "claude", "codex"], protected: [] })
    .describe("which processes may be killed"),
  budgets: z
    .strictObject({
      killsPerHour: z
        .number()
        .int()
        .min(0)
        .max(1000)
        .default(20)
        .describe("`kill_pid` and `kill_tmux` together"),
      restartsPerHour: z.number().int().min(0).max(1000).default(10).describe("`restart_service`"),
      cleaningsPerHour: z.number().int().min(0).max(60).default(2).describe("`clean_disk`"),
    })
    .default({ killsPerHour: 20, restartsPerHour: 10, cleaningsPerHour: 2 })
    .describe("actions an hour, of all sources together"),
  maintenance: z
    .array(Maintenance)
    .default([])
    .describe("recurring windows without notifications; what is over is notified all the same"),
  channels: z
    .array(ChannelSetting)
    .default([])
    .describe("where messages go besides Telegram, which `argus.env` names; see `docs/channels.md`"),
  telegram: Answering.optional().describe(
    "people who may answer in Telegram; without this Argus listens to nobody",
  ),
  tickets: TicketSettings.describe("tickets about what somebody should look at, in beads (`bd` or `br`)"),
  model: z
    .strictObject({
      mayPropose: z
        .array(
          z.enum(["restart_service", "kill_pid", "kill_tmux", "clean_disk", "file_bead", "alert", "log"]),
        )
        .default(["restart_service", "kill_pid", "kill_tmux", "clean_disk", "alert", "log"])
        .describe("the actions, out of all that there are"),
    })
    .default({ mayPropose: ["restart_service", "kill_pid", "kill_tmux", "clean_disk", "alert", "log"] })
    .describe("actions that the model may propose"),
  handOff: z
    .strictObject({
      command: z
        .array(z.string().min(1).max(1000))
        .min(1)
        .max(50)
        .default([
          "claude",
          "-p",
          "--output-format=json",
          "--tools=Read,Grep,Glob,Bash",
          "--max-turns=20",
          "--max-budget-usd=1",
          "--allowedTools=Read,Grep,Glob,Bash(systemctl status:*),Bash(journalctl:*)",
        ])
        .describe("the agent's program and its arguments; it reads the incident at standard input"),
      user: z
        .string()
        .regex(/^[a-z_][a-z0-9_-]{0,31}$/, "is not the name of a user")
        .describe("who it runs as: a user without privileges"),
      directory: z
        .string()
        .regex(/^\/[^\s%]*$/, "must be an absolute path")
        .describe("its working directory"),
      environmentFile: z
        .string()
        .regex(/^\/[^\s%]*$/, "must be an absolute path")
        .optional()
        .describe("further environment for it, such as a key of its own (systemd.exec(5), EnvironmentFile=)"),
      perDay: z.number().int().min(1).max(50).default(3).describe("hand-offs in any 24 hours"),
      timeoutMinutes: z.number().int().min(1).max(120).default(15).describe("time for each"),
      afterMinutes: z
        .number()
        .int()
        .min(0)
        .max(10_080)
        .default(30)
        .describe(
          "how long a problem must have been open and unresolved, after the model was asked about it",
        ),
    })
    .optional()
    .describe("a coding agent for what stays unresolved; without this there is none"),
  approval: z
    .strictObject({
      rules: needsYes.describe("when a rule asks for them"),
      model: needsYes.describe("when the model asks for them"),
      minutes: z
        .number()
        .int()
        .min(1)
        .max(1440)
        .default(60)
        .describe("how long an approval can be given, and then be used"),
    })
    .default({ rules: [], model: [], minutes: 60 })
    .describe("actions that wait for approval: `argus approve`"),
});
export type Settings = z.infer<typeof Settings>;

/** `argus.json` as it stands in the file; `settingsOf` in system/settings-file.ts makes the settings of it. */
export const SettingsFile = Settings.extend({
  services: z.array(ServiceEntry).default([]).describe("units to watch"),
});
export type SettingsFile = z.infer<typeof SettingsFile>;
export type ServiceSetting = z.infer<typeof ServiceSetting>;

/** Who is asked about what no rule resolves, how often, and what the answer may do. */
export interface ModelConfig {
  readonly name: string;
  /** Base URL of the Messages API. */
  readonly url: string;
  readonly promptFile: string;
  readonly dailyCalls: number;
  readonly dailyTokens: number;
  /** 0 to 1: below it an action becomes an alert that proposes it. */
  readonly confidence: number;
  readonly timeoutSeconds: number;
  /** Whether it looks at the whole once in 24 hours. */
  readonly review: "never" | "daily";
}

export const modes = ["watch", "act"] as const;
/** `watch`: it looks, alerts and records what it would have done, and never acts. */
export type Mode = (typeof modes)[number];

/**
 * Where the mode stands. `hidden`: it may stand in a file that this user may not read. `kept`: nowhere any more, after
 * argus.env said `watch`. `broken`: the file cannot be used, and no good copy of it is kept. `unclear`: a variable of the environment
 * that decides whether Argus acts has a value that is none.
 */
export type ModeSource =
  | { readonly kind: "environment" | "default" | "kept" }
  | { readonly kind: "file"; readonly file: string; readonly line: number }
  | { readonly kind: "unclear"; readonly variable: string }
  | { readonly kind: "hidden" | "broken"; readonly file: string };

/** What is wrong with files of people, and what is in force meanwhile. */
export interface Broken {
  /** Sentences with file and line. */
  readonly faults: readonly string[];
  /** One clause. */
  readonly inForce: string;
  /** The files can be used; what cannot is in the environment of this process alone. */
  readonly filesAreGood?: true;
  /** The files are good again, and the next cycle begins with them. */
  readonly isFixed?: true;
}

/** What the stages are given: everything resolved, absolute paths, no environment left to read. */
export interface Config {
  readonly intervalSeconds: number;
  readonly dryRun: boolean;
  readonly mode: Mode;
  readonly modeSource: ModeSource;
  readonly settings: Settings;
  readonly settingsFile: string;
  /** Why these are not the settings that stand in the files now; left out: they are. */
  readonly broken?: Broken;
  /** How this very program is called: Node and its main file. */
  readonly program: readonly string[];
  /** null: there is none. */
  readonly envFile: string | null;
  /** An argus.env that this user may not read. */
  readonly unreadEnvFile?: string;
  readonly rulesDir: string;
  readonly localRulesDir: string;
  readonly stateDir: string;
  /** Where the executor's process listens; null: it is this very process. */
  readonly executorSocket: string | null;
  /** Budgets, backoffs, intents and pause. */
  readonly executorStateDir: string;
  readonly logDir: string;
  readonly observationsFile: string;
  readonly bootGraceSeconds: number;
  readonly dedupWindowSeconds: number;
  readonly reportRepairs: boolean;
  readonly diskCleanMaxAgeDays: number;
  /** Cleanings say what would go, and remove nothing (ARGUS_DISK_CLEAN_DRY_RUN of the first Argus). */
  readonly cleanDryRun?: boolean;
  readonly restartSecondDelaySeconds: number;
  readonly restartThirdDelaySeconds: number;
  readonly restartCooldownSeconds: number;
  readonly restartSettleSeconds: number;
  readonly swapThrashMegabytesPerSecond: number;
  /** So often within so long a problem must begin to become a ticket for that alone. */
  readonly ticketRepeats: { readonly threshold: number; readonly windowSeconds: number };
  readonly telegram: { readonly token: string; readonly chatId: string; readonly apiUrl: string } | null;
  /** Where messages go, Telegram and the relay among them. */
  readonly channels: readonly Channel[];
  /** Fetched after each good cycle; null: nobody waits to hear from it. */
  readonly pingUrl: string | null;
  /** When the daemon sends the summary of the day, by this machine's clock; null: nobody said, a timer may send it. */
  readonly summaryAt: string | "never" | null;
  /** Stands below each message; null: there is none. */
  readonly dashboardUrl: string | null;
  readonly anthropicKey: string | null;
  readonly model: ModelConfig;
  /** A sentence for each name that systemd refuses to show. */
  readonly unitFaults?: readonly string[];
  /** A sentence for each setting of the first Argus that is not used as it stands; among the notes, too. */
  readonly formerNotes?: readonly string[];
  /** Things to say once at start, such as a secrets file this user may not read. */
  readonly notes: readonly string[];
}
