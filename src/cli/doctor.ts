import type { Command } from "commander";
import { type Ability, findAbilities } from "../collect/abilities.ts";
import { openStateDir } from "../record/state-dir.ts";
import { doctorReport } from "../report/doctor.ts";
import { UserError } from "../types/errors.ts";
import { type Context, printJson } from "./context.ts";
import { openBook } from "./parts.ts";

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
        attempt("state", () => openStateDir(system, config.stateDir)),
        attempt("logs", () => openStateDir(system, config.logDir)),
        ...(await findAbilities(system, config)),
      ];
      if (options.json) printJson(context, checks);
      else context.print(doctorReport(checks, context.style));
      if (checks.some(({ state }) => state === "broken")) context.exit(1);
    });
}

function attempt(name: string, look: () => string): Ability {
  try {
    return { name, state: "ok", detail: look(), mend: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, state: "broken", detail: error.message, mend: null };
  }
}
