import type { Command } from "commander";
import { findAbilities } from "../collect/abilities.ts";
import { type Ability, broken, limited, ok } from "../collect/ability.ts";
import { isTimerActive } from "../collect/installed-abilities.ts";
import type { RuleBook } from "../detect/rule-book.ts";
import { sightlessFix, sightlessSentence } from "../detect/sightless.ts";
import { agentFault } from "../execute/agent-fault.ts";
import { keptSentence } from "../execute/mode-set.ts";
import { policyOf } from "../execute/policy.ts";
import { readSnapshot } from "../record/history.ts";
import { readLiveness } from "../record/liveness.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { readTrail } from "../record/trail.ts";
import { unwrittenSentence } from "../record/unwritten.ts";
import { doctorReport, livenessCheck } from "../report/doctor.ts";
import { watchOnly } from "../report/mode.ts";
import { notHiddenSentence } from "../report/secrets.ts";
import { errorCode } from "../system/files.ts";
import { refusalsIn } from "../system/json-folder.ts";
import { majorOf, monthOf, supportEnded } from "../system/node-support.ts";
import { secretsNotHidden } from "../system/redact/known.ts";
import type { System } from "../system/system.ts";
import { firstFaults, UserError } from "../types/errors.ts";
import type { Broken, Config } from "../types/settings.ts";
import { channelChecks } from "./channel-checks.ts";
import { type Context, lookAtFolders, printJson } from "./context.ts";
import { mustReach, mustReadState } from "./other-user.ts";
import { openBook } from "./parts.ts";
import { brokenSettings, keptSnapshot } from "./seen.ts";
import { ticketChecks } from "./ticket-check.ts";

export function doctorCommand(program: Command, context: Context): void {
  program
    .command("doctor")
    .description("what this installation can and cannot do, each with the fix")
    .option("--json", "print data instead of text")
    .action(async (options: { json?: true }) => {
      const config = context.config();
      const { system } = context;
      const book = openBook(system, config);
      const checks: Ability[] = [
        unlessBroken(
          "settings",
          config.broken ?? seenByDaemon(system, config),
          `${config.settingsFile}${config.envFile === null ? "" : ` and ${config.envFile}`}`,
        ),
        rulesInForce(book, config),
        ...ofTheFirst(config),
        ...whetherItActs(config),
        ...(await whereItRuns(context, config)),
        ...nodeSupport(context),
        ...(await findAbilities(system, config)),
        ...secretChecks(),
        ...(await attemptAll("alerts", () => channelChecks(system, config))),
        ...(await attemptAll("tickets", () => ticketChecks(system, config))),
        ...codingAgent(system, config),
      ];
      if (options.json) printJson(context, checks);
      else context.print(doctorReport(checks, context.style));
      if (checks.some(({ state }) => state === "broken")) context.exit(1);
    });
}

/** Of a state that cannot be read, the line about the state says why. */
function seenByDaemon({ files }: System, config: Config): Broken | null {
  try {
    const last = readTrail(files, config.stateDir).newest();
    return brokenSettings(files, config, keptSnapshot(last, readSnapshot(files, config.stateDir)).snapshot);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return null;
  }
}

function unlessBroken(name: string, broken: Broken | null, detail: string): Ability {
  if (broken === null) return ok(name, detail);
  const { faults, inForce, isFixed } = broken;
  if (isFixed) return limited(name, inForce, "wait for the next cycle");
  const [first = ""] = faults;
  if (faults.length === 1) return { name, state: "broken", detail: `${first}; ${inForce}`, mend: null };
  return { name, state: "broken", detail: `${inForce}:`, faults: firstFaults(faults), mend: null };
}

function rulesInForce(book: RuleBook, { settings, localRulesDir }: Config): Ability {
  const sightless = sightlessSentence(book.rules(), settings.services.length);
  if (sightless !== null && book.broken() === null)
    return broken("rules", sightless, sightlessFix(localRulesDir));
  return unlessBroken("rules", book.broken(), `${book.rules().rules.length} rules in force`);
}

/** Settings of the first Argus; where they all work, or there are none, there is nothing to say. */
function ofTheFirst({ formerNotes = [] }: Config): Ability[] {
  if (formerNotes.length === 0) return [];
  const detail = "settings of the first Argus that are not used as they stand:";
  const mend = "follow each line, then take the setting out; argus check lists them all";
  return [{ ...limited("first Argus", detail, mend), faults: formerNotes }];
}

/** What Argus does besides looking; where that is as ever there is nothing to say. */
function whetherItActs({ mode, modeSource, dryRun }: Config): Ability[] {
  return [
    ...(modeSource.kind === "hidden"
      ? [limited("mode", `${modeSource.file}, which may set it, cannot be read`, "sudo argus doctor")]
      : modeSource.kind === "broken"
        ? [
            limited(
              "mode",
              `${watchOnly}, because ${modeSource.file} cannot be used`,
              "fix what is named above",
            ),
          ]
        : modeSource.kind === "unclear"
          ? [
              limited(
                "mode",
                `${watchOnly}, because ${modeSource.variable} in the environment is unclear`,
                "fix what is named above",
              ),
            ]
          : modeSource.kind === "kept"
            ? [limited("mode", keptSentence, "argus mode watch, or argus mode act")]
            : mode === "watch"
              ? [
                  limited(
                    "mode",
                    `${watchOnly}: Argus looks and alerts, and changes nothing`,
                    "argus mode act",
                  ),
                ]
              : []),
    ...(dryRun
      ? [
          limited(
            "dry run",
            "ARGUS_DRY_RUN is set: Argus decides everything, changes nothing, and notifies nobody",
            "take ARGUS_DRY_RUN out; to be notified and change nothing: argus mode watch",
          ),
        ]
      : []),
  ];
}

/** While its makers support this Node there is nothing to say. */
function nodeSupport({ system, programDir }: Context): Ability[] {
  const { version } = process;
  const end = supportEnded(system.files, programDir, version, system.clock.now().wallMs);
  if (end === null) return [];
  const detail = `Node ${majorOf(version)} has been out of its makers' support since ${monthOf(end)}`;
  return [limited("node", detail, "put a newer Node on this machine, and run install.sh again")];
}

/** Installed, the folders are another user's, who runs there; otherwise this process would. */
async function whereItRuns(context: Context, config: Config): Promise<Ability[]> {
  const { system } = context;
  const { stateDir, logDir, intervalSeconds, executorSocket } = config;
  if (executorSocket === null) {
    return [
      attempt("state", () => {
        mustReach(context, stateDir, folderNames.state.noun, "write");
        return whole(system, openStateDir(system, stateDir));
      }),
      attempt("logs", () => {
        mustReach(context, logDir, folderNames.logs.noun, "write");
        return whole(system, openStateDir(system, logDir, folderNames.logs));
      }),
    ];
  }
  const timer = await isTimerActive(system);
  lookAtFolders(system, config);
  const closed = closedState(context, config);
  if (closed !== null) return [closed];
  return attemptAll("cycles", () => [
    livenessCheck(readLiveness(system, stateDir, logDir), { intervalSeconds, timer }),
    ...whetherItWrites(system, config),
  ]);
}

/** null: this user may read it. Nothing is broken where another one may. */
function closedState(context: Context, config: Config): Ability | null {
  try {
    mustReadState(context, config);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message } = error;
    const at = message.lastIndexOf(": sudo ");
    if (at === -1) throw error;
    return limited("cycles", message.slice(0, at), message.slice(at + 2));
  }
}

/** Where it writes there is nothing to say. */
function whetherItWrites({ files, clock }: System, config: Config): Ability[] {
  const sentence = unwrittenSentence(files, config, clock.now().bootId);
  const mend = "free space there, or mount it writable; restart Argus only after that";
  return sentence === null ? [] : [broken("state", sentence, mend)];
}

/** @returns the folder, when all that stands in it is Argus's. */
function whole({ files }: System, folder: string): string {
  const refusals = refusalsIn(files, folder);
  if (refusals.length > 0) throw new UserError(refusals);
  return folder;
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
      "fix handOff in argus.json, or take it out; without the agent, people hear of what stays unresolved";
    return [limited(name, `nothing is handed off: ${fault}`, mend)];
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw error;
    return [limited(name, `this user may not look into ${handOff.directory}`, "sudo argus doctor")];
  }
}

/** @param name of what could not be looked at. */
async function attemptAll(name: string, look: () => Ability[] | Promise<Ability[]>): Promise<Ability[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [brokenBy(name, error)];
  }
}

function attempt(name: string, look: () => string): Ability {
  try {
    return { name, state: "ok", detail: look(), mend: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return brokenBy(name, error);
  }
}

/** Several faults stand one a line below the heading. */
function brokenBy(name: string, { lines }: UserError): Ability {
  const [first = "", ...others] = lines;
  const state = "broken";
  if (others.length === 0) return { name, state, detail: first, mend: null };
  const faults = first.endsWith(":") ? others : lines;
  const detail = first.endsWith(":") ? first : `${faults.length} things are wrong:`;
  return { name, state, detail, faults, mend: null };
}
