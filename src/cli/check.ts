import type { Command } from "commander";
import { lookAtNamedUnits } from "../collect/natures.ts";
import { loadRules } from "../detect/load.ts";
import { runRuleTests } from "../detect/rule-tests.ts";
import { type CheckData, checkReport, isFine } from "../report/check.ts";
import { notHiddenSentence } from "../report/secrets.ts";
import { faultText } from "../system/json-source.ts";
import { reach } from "../system/reach.ts";
import { secretsNotHidden } from "../system/redact/known.ts";
import { unitNameFault } from "../system/unit-name.ts";
import { UserError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { type Context, printJson } from "./context.ts";

export function checkCommand(program: Command, context: Context): void {
  program
    .command("check")
    .description("validate settings and rules, and run the rule tests")
    .option("--json", "print data instead of text")
    .action(async (options: { json?: true }) => {
      const data = await check(context);
      if (options.json) printJson(context, { ...data, settings: withError(data.settings) });
      else context.print(checkReport(data, context.style));
      const wrong =
        data.settings.faults.length > 0 ||
        (data.services?.faults.length ?? 0) > 0 ||
        data.rules.faults.length > 0 ||
        data.tests.faults.length > 0;
      context.exit(isFine(data) ? 0 : wrong ? 2 : 1);
    });
}

/** `error` is what versions before had: all of them in one text, null where there is none. */
const withError = (settings: CheckData["settings"]) => ({
  ...settings,
  error: settings.faults.length === 0 ? null : settings.faults.join("\n"),
});

async function check(context: Context): Promise<CheckData> {
  const { files } = context.system;
  const settings = readSettings(context);
  const weak = secretsNotHidden();
  const notes = {
    ...(weak.length === 0 ? {} : { notes: [notHiddenSentence(weak)] }),
    ...(settings.unread === undefined ? {} : { unread: settings.unread }),
    ...(settings.former === undefined ? {} : { former: settings.former }),
  };
  const services = await namedServices(context, settings.faults.length === 0);
  const { rulesDir, localRulesDir } = settings.config;
  const folders = [rulesDir, localRulesDir].filter((dir) => reach(files, dir).kind !== "nothing");
  const loaded = loadRules(files, settings.config);
  const none = { passed: 0, failed: [], faults: [] };
  if (!loaded.ok) {
    return {
      settings: { file: settings.file, faults: settings.faults },
      services,
      rules: { folders, files: 0, inForce: 0, disabled: [], faults: loaded.faults.map(faultText) },
      tests: none,
      ...notes,
    };
  }
  const { set } = loaded;
  const { reports, faults } = await runRuleTests(files, set, folders);
  const failed = reports.filter(({ failures }) => failures.length > 0);
  return {
    settings: { file: settings.file, faults: settings.faults },
    services,
    rules: {
      folders,
      files: set.files.length,
      inForce: set.rules.length,
      disabled: set.disabled,
      faults: [],
    },
    tests: { passed: reports.length - failed.length, failed, faults: faults.map(faultText) },
    ...notes,
  };
}

/** Where systemd runs, also what it says of them; a systemd that does not answer is doctor's business. */
async function namedServices(
  context: Context,
  isReadable: boolean,
): Promise<NonNullable<CheckData["services"]>> {
  if (!isReadable) return { faults: [], natures: [] };
  const { settings, unitFaults = [] } = context.config();
  const named = await lookAtNamedUnits(context.system, settings.services).catch(() => null);
  const known = settings.services.some(({ unit }) => unitNameFault(unit) !== null);
  const refused = known ? [] : (named?.refused ?? []);
  return { faults: [...unitFaults, ...refused], natures: named?.natures ?? [] };
}

/** With broken settings the rules are still worth a look, in the folders that the environment names. */
function readSettings(context: Context): {
  config: Pick<Config, "rulesDir" | "localRulesDir">;
  file: string;
  faults: readonly string[];
  unread?: string;
  former?: readonly string[];
} {
  try {
    const config = context.config();
    const { settingsFile: file, unreadEnvFile: unread, formerNotes: former } = config;
    return {
      ...{ config, file, faults: [] },
      ...(unread === undefined ? {} : { unread }),
      ...(former === undefined ? {} : { former }),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { env, programDir } = context;
    const config = {
      rulesDir: env["ARGUS_RULES_DIR"] ?? `${programDir}/rules`,
      localRulesDir: env["ARGUS_LOCAL_RULES_DIR"] ?? "/etc/argus/rules.d",
    };
    return { config, file: env["ARGUS_CONFIG"] ?? "the settings", faults: error.lines };
  }
}
