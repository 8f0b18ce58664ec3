import type { Command } from "commander";
import { findAbilities } from "../collect/abilities.ts";
import { type Ability, limited, ok } from "../collect/ability.ts";
import { isTimerActive } from "../collect/installed-abilities.ts";
import { agentFault } from "../execute/agent-fault.ts";
import { policyOf } from "../execute/policy.ts";
import { readLiveness } from "../record/liveness.ts";
import { openStateDir } from "../record/state-dir.ts";
import { doctorReport, livenessCheck } from "../report/doctor.ts";
import { notHiddenSentence } from "../report/secrets.ts";
import { errorCode } from "../system/files.ts";
import { secretsNotHidden } from "../system/redact/known.ts";
import type { System } from "../system/system.ts";
import { UserError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { channelChecks } from "./channel-checks.ts";
import { type Context, printJson } from "./context.ts";
import { openBook } from "./parts.ts";
import { ticketChecks } from "./ticket-check.ts";

export function doctorCommand(program: Command, context: Context): void {
  program
    .command("doctor")
    .description("what this installation can and cannot do, each with the mend")
    .option("--json", "print data instead of text")
    .action(async (options: { json?: true }) => {
      const config = context.config();
      const { system } = context;
      const checks: Ability[] = [
        attempt(
          "settings",
          () => `${config.settingsFile}${config.envFile === null ? "" : ` and ${config.envFile}`}`,
        ),
        attempt("rules", () => `${openBook(system, config).rules().rules.length} rules in force`),
        ...(await whereItRuns(system, config)),
        ...(await findAbilities(system, config)),
        ...secretChecks(),
        ...channelChecks(system, config),
        ...(await ticketChecks(system, config)),
        ...codingAgent(system, config),
      ];
      if (options.json) printJson(context, checks);
      else context.print(doctorReport(checks, context.style));
      if (checks.some(({ state }) => state === "broken")) context.exit(1);
    });
}

/** Installed, the folders are another user's, who runs there; otherwise this process would. */
async function whereItRuns(system: System, config: Config): Promise<Ability[]> {
  const { stateDir, logDir, intervalSeconds, executorSocket } = config;
  if (executorSocket === null) {
    return [
      attempt("state", () => openStateDir(system, stateDir)),
      attempt("logs", () => openStateDir(system, logDir)),
    ];
  }
  const timer = await isTimerActive(system);
  return [livenessCheck(readLiveness(system, stateDir, logDir), { intervalSeconds, timer })];
}

/** Without a secret that cannot be hidden there is nothing to say. */
function secretChecks(): Ability[] {
  const names = secretsNotHidden();
  if (names.length === 0) return [];
  return [
    limited(
      "secrets",
      notHiddenSentence(names),
      `put a longer one into argus.env for ${names.join(" and ")}`,
    ),
  ];
}

/** Without `handOff` there is nothing to say. */
function codingAgent({ files, self }: System, config: Config): Ability[] {
  const name = "coding agent";
  const { handOff } = policyOf(config);
  if (handOff === null) return [];
  try {
    const fault = agentFault(files, handOff, config.executorSocket !== null || self.uid === 0);
    if (fault === null)
      return [ok(name, `${handOff.user} is given what stays unresolved, ${handOff.perDay} a day at most`)];
    const mend =
      "mend handOff in argus.json, or take it out; without the agent, people hear of what stays unresolved";
    return [limited(name, `nothing is handed off: ${fault}`, mend)];
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw error;
    return [limited(name, `this user may not look into ${handOff.directory}`, "sudo argus doctor")];
  }
}

function attempt(name: string, look: () => string): Ability {
  try {
    return { name, state: "ok", detail: look(), mend: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, state: "broken", detail: error.message, mend: null };
  }
}
