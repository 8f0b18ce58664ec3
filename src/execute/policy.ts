/** What the executor is allowed to do: plain data, so that it can be handed to a process of its own. */

import { normaliseUnit } from "../system/systemd.ts";
import type { ActionType } from "../types/action.ts";
import type { Maintenance } from "../types/maintenance.ts";
import type { Answering } from "../types/orders.ts";
import type { Config, Mode } from "../types/settings.ts";
import { keptSentence } from "./mode-set.ts";

export const budgetNames = ["kills", "restarts", "cleanings"] as const;
export type BudgetName = (typeof budgetNames)[number];

export interface HandOffPolicy {
  readonly command: readonly string[];
  readonly user: string;
  readonly directory: string;
  readonly environmentFile: string | null;
  readonly perDay: number;
  readonly timeoutMinutes: number;
}

export interface Policy {
  /** `watch`: every action on the machine is decided and none is done, but what a person asks for by hand. */
  readonly mode: Mode;
  /** Why it watches though the settings do not say so; each cycle notes it. */
  readonly modeFault?: string;
  /** Units that may be restarted, and the units that must be active before that. */
  readonly restartable: readonly { readonly unit: string; readonly requires: readonly string[] }[];
  /** Executables that may be ended, and those that nobody may end. */
  readonly killable: readonly string[];
  readonly protected: readonly string[];
  /** The only sockets on which a session may be ended. */
  readonly tmuxSockets: readonly string[];
  /** null: those of root and of the users who can log in, as they are at the time. */
  readonly homes: readonly string[] | null;
  readonly logDir: string;
  /** What no cleaning may remove, wherever it lies: Argus's own state, settings and rules. */
  readonly keep: readonly string[];
  readonly diskCleanMaxAgeDays: number;
  /** No cleaning removes anything, whoever asks for it. */
  readonly cleanDryRun?: boolean;
  /** Actions an hour, of all sources together. */
  readonly budgets: Readonly<Record<BudgetName, number>>;
  readonly modelMayPropose: readonly ActionType[];
  /** Actions that wait for a person's yes, by who asks for them, and for how long. */
  readonly approval: {
    readonly rules: readonly ActionType[];
    readonly model: readonly ActionType[];
    readonly seconds: number;
  };
  readonly bootGraceSeconds: number;
  readonly restartSecondDelaySeconds: number;
  readonly restartThirdDelaySeconds: number;
  readonly restartCooldownSeconds: number;
  readonly restartSettleSeconds: number;
  readonly dedupWindowSeconds: number;
  /** Whether people hear of what was repaired before anybody was alerted. */
  readonly reportRepairs: boolean;
  readonly observationsFile: string;
  readonly maintenance: readonly Maintenance[];
  /** Whose word from Telegram counts; null: nobody's. */
  readonly answering: Answering | null;
  readonly tickets: {
    readonly enabled: boolean;
    /** Where they are asked for. */
    readonly stateDir: string;
    /** The time in which repeats of an observation count. */
    readonly repeatSeconds: number;
  };
  /** null: there is no coding agent. */
  readonly handOff: HandOffPolicy | null;
  /** How this very program is called. */
  readonly program: readonly string[];
}

export function policyOf(config: Config): Policy {
  const { settings } = config;
  return {
    mode: config.mode,
    ...(config.modeSource.kind === "kept" ? { modeFault: keptSentence } : {}),
    restartable: settings.services
      .filter((service) => service.restart)
      .map(({ unit, requires }) => ({ unit: normaliseUnit(unit), requires: requires.map(normaliseUnit) })),
    killable: settings.processes.killable,
    protected: settings.processes.protected,
    tmuxSockets: settings.tmuxSockets,
    homes: settings.homes ?? null,
    logDir: config.logDir,
    keep: [
      config.stateDir,
      config.executorStateDir,
      config.observationsFile,
      config.settingsFile,
      ...(config.envFile === null ? [] : [config.envFile]),
      config.rulesDir,
      config.localRulesDir,
    ],
    diskCleanMaxAgeDays: config.diskCleanMaxAgeDays,
    cleanDryRun: config.cleanDryRun === true,
    budgets: {
      kills: settings.budgets.killsPerHour,
      restarts: settings.budgets.restartsPerHour,
      cleanings: settings.budgets.cleaningsPerHour,
    },
    modelMayPropose: settings.model.mayPropose,
    approval: {
      rules: settings.approval.rules,
      model: settings.approval.model,
      seconds: settings.approval.minutes * 60,
    },
    bootGraceSeconds: config.bootGraceSeconds,
    restartSecondDelaySeconds: config.restartSecondDelaySeconds,
    restartThirdDelaySeconds: config.restartThirdDelaySeconds,
    restartCooldownSeconds: config.restartCooldownSeconds,
    restartSettleSeconds: config.restartSettleSeconds,
    dedupWindowSeconds: config.dedupWindowSeconds,
    reportRepairs: config.reportRepairs,
    observationsFile: config.observationsFile,
    maintenance: settings.maintenance,
    answering: settings.telegram ?? null,
    tickets: {
      enabled: settings.tickets.enabled,
      stateDir: config.stateDir,
      repeatSeconds: config.ticketRepeats.windowSeconds,
    },
    handOff:
      settings.handOff === undefined
        ? null
        : { ...settings.handOff, environmentFile: settings.handOff.environmentFile ?? null },
    program: config.program,
  };
}
