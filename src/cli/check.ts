import { type Command, Option } from "commander";
import * as z from "zod";
import { lookAtNamedUnits } from "../collect/natures.ts";
import { loadRules } from "../detect/load.ts";
import { runRuleTests } from "../detect/rule-tests.ts";
import { sightlessFix, sightlessSentence } from "../detect/sightless.ts";
import { brokenSentence } from "../report/broken.ts";
import { type CheckData, checkReport, isFine } from "../report/check.ts";
import { notHiddenSentence } from "../report/secrets.ts";
import { ofEnvironment } from "../settings-of-environment.ts";
import { faultText } from "../system/json-source.ts";
import { createLink } from "../system/link/client.ts";
import { reach } from "../system/reach.ts";
import { secretsNotHidden } from "../system/redact/known.ts";
import { unitNameFault } from "../system/unit-name.ts";
import { firstFaults } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { type Context, printJson } from "./context.ts";

export function checkCommand(program: Command, context: Context): void {
  program
    .command("check")
    .description("validate settings and rules, and run the rule tests")
    .option("--json", "print data instead of text")
    .addOption(
      new Option("--quick", "only whether settings and rules can be used, without the rule tests").conflicts(
        "json",
      ),
    )
    .action(async (options: { json?: true; quick?: true }) => {
      if (options.quick) return await quick(context);
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
  const sightless = sightlessSentence(set, settings.config.settings.services.length);
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
      sightless: sightless === null ? null : `${sightless}; ${sightlessFix(localRulesDir)}`,
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

/** Of broken settings the last good ones say where the rules lie. */
function readSettings(context: Context): {
  config: Config;
  file: string;
  faults: readonly string[];
  unread?: string;
  former?: readonly string[];
} {
  const { config } = context.settings();
  const { settingsFile: file, unreadEnvFile: unread, formerNotes: former, broken } = config;
  return {
    ...{ config, file, faults: broken?.faults ?? [] },
    ...(unread === undefined ? {} : { unread }),
    ...(former === undefined ? {} : { former }),
  };
}

/** What keeps the files from being taken up, for `systemctl reload`: no rule test is run, and systemd is asked nothing. */
async function quick(context: Context): Promise<void> {
  const { config, faults: all } = readSettings(context);
  // No reload changes the environment of a process that runs.
  const isOfFiles = config.broken?.filesAreGood !== true;
  const faults = isOfFiles ? all : [];
  if (config.broken !== undefined && !isOfFiles) context.warn(brokenSentence(config.broken));
  const loaded = loadRules(context.system.files, config);
  const found = [
    ...faults,
    ...(loaded.ok ? [] : loaded.faults.map(faultText)),
    ...(faults.length > 0 ? [] : await faultOfExecutor(config)),
  ];
  if (found.length === 0) return context.say("The settings and the rules can be used.");
  context.warn([...firstFaults(found), "What was in force stays in force."]);
  context.exit(2);
}

/** It reads argus.env itself, of which the daemon's process has a copy of its start. */
async function faultOfExecutor({ executorSocket }: Config): Promise<string[]> {
  if (executorSocket === null) return [];
  const link = createLink(executorSocket);
  try {
    const { fault } = FaultReply.parse(await link.ask("settings_fault", null));
    return fault === null || fault.startsWith(ofEnvironment) ? [] : [`the executor: ${fault}`];
  } catch {
    // Whether it answers is not the question here; doctor and an alert say that it does not.
    return [];
  } finally {
    link.close();
  }
}

const FaultReply = z.strictObject({ fault: z.string().nullable() });
