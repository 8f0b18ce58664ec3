import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import { settingsFiles } from "../config.ts";
import type { Parts } from "../cycle.ts";
import { runDaemon, runGuarded } from "../daemon.ts";
import { keepWatching, modeSentence, readModeSet, rememberMode } from "../execute/mode-set.ts";
import { reasonOf } from "../execute/reason.ts";
import { listen } from "../notify/talk/listen.ts";
import { AlreadyRunning } from "../record/lock.ts";
import { readTrail } from "../record/trail.ts";
import { brokenSentence } from "../report/broken.ts";
import { cycleReport } from "../report/cycle-report.ts";
import { startedAs } from "../report/mode.ts";
import { createSelfAlert } from "../self-alert.ts";
import { copiesFolder, keepSettings, type SettingsInForce } from "../settings-in-force.ts";
import { markOf } from "../system/file-mark.ts";
import { errorCode } from "../system/files.ts";
import { createLog, type Log } from "../system/log.ts";
import { createServiceManager } from "../system/service-manager.ts";
import type { System } from "../system/system.ts";
import { UserError, WorkError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { watchForWakeUps } from "../wake-ups.ts";
import { type Context, printJson } from "./context.ts";
import { endOnSignal, graceMs } from "./ending.ts";
import { createErrands } from "./errands.ts";
import { openParts } from "./parts.ts";
import { answer, listeningOf } from "./talk.ts";

interface RunOptions {
  readonly once?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

export function runCommand(program: Command, context: Context): void {
  program
    .command("run")
    .description("the daemon: look, decide and repair every ARGUS_INTERVAL seconds")
    .option("--once", "one cycle, then exit")
    .option("--dry-run", "decide everything, change nothing on the machine")
    .option("--json", "with --once: print the cycle as one JSON object")
    .action(async (options: RunOptions) => {
      if (options.json && !options.once)
        throw new UserError("--json needs --once: a daemon logs JSON lines by itself");
      const read = (): SettingsInForce => {
        const { config, texts } = context.settings();
        return { config: options.dryRun ? { ...config, dryRun: true } : config, texts };
      };
      await (options.once ? once(context, read(), options.json ?? false) : daemon(context, read));
    });
}

async function once(context: Context, settings: SettingsInForce, json: boolean): Promise<void> {
  const { config } = settings;
  // With an executor of its own budgets and delays outlive this cycle; who was notified does not, and is so once more.
  const goesOn = config.executorSocket !== null;
  const { parts, release } = await openParts(context.system, config, "argus run --once", { goesOn }).catch(
    (error: unknown) => {
      throw error instanceof AlreadyRunning ? instead(error, config) : error;
    },
  );
  try {
    parts.notes.push(...keep(parts.system, settings));
    for (const broken of [config.broken ?? null, parts.book.broken()])
      if (broken !== null) context.warn(brokenSentence(broken));
    remember(parts.system, config);
    parts.notes.push(...(await modeNews(parts)));
    await oneCycle(context, parts, json);
  } finally {
    const lost = release();
    if (lost !== null) context.warn(lost);
  }
}

const hasBrokenFile = ({ broken }: Config): boolean =>
  broken !== undefined && broken.filesAreGood === undefined;

/** The same with what to do: the one that runs looks as well, and two at once would not know of each other. */
function instead(error: AlreadyRunning, { dryRun, executorSocket }: Config): WorkError {
  const { holder, message } = error;
  if (holder?.what !== "argus run") return new WorkError(`${message}; try again when that one has ended`);
  const sudo = executorSocket === null ? "" : "sudo ";
  const acts = dryRun ? "; that is no dry run, which needs the daemon stopped" : "";
  return new WorkError(
    `${message}; to have it look now: ${sudo}kill -USR1 ${holder.pid}, then argus explain${acts}`,
  );
}

/** For the time when argus.env is lost; with an executor of its own that one does. A folder that cannot be written is found out by the cycle. */
function remember({ files, clock }: System, config: Config): void {
  if (config.executorSocket !== null) return;
  try {
    rememberMode(files, config, clock.now());
  } catch (error) {
    if (errorCode(error) === "" && !(error instanceof UserError)) throw error;
  }
}

/** For the time when a file breaks. @returns a sentence if that was not possible: the settings are in force all the same. */
function keep(system: System, settings: SettingsInForce): string[] {
  const notes: string[] = [];
  try {
    const folder = copiesFolder(settings.config, system.self.uid);
    keepSettings(system, folder, settings, (sentence) => void notes.push(sentence));
  } catch (error) {
    if (errorCode(error) === "" && !(error instanceof UserError)) throw error;
    notes.push(`the settings could not be kept for the time when a file breaks: ${reasonOf(error)}`);
  }
  return notes;
}

/** Who set the mode since the last cycle, when no daemon ran that could see it. */
async function modeNews({ executor, system, config }: Parts): Promise<string[]> {
  try {
    const { mode, modeSet } = await executor.view();
    const last = readTrail(system.files, config.stateDir).newest();
    if (last === null || modeSet === null || last.cycle.ts > modeSet.at) return [];
    const sentence = modeSentence(mode, modeSet);
    // Both times are whole seconds.
    return last.notes.includes(sentence) ? [] : [sentence];
  } catch {
    // That nobody answers, or the log cannot be read, is found out by the cycle itself.
    return [];
  }
}

async function oneCycle(context: Context, parts: Parts, json: boolean): Promise<void> {
  const { config, system } = parts;
  const log = createLog(system.files, config.logDir);
  const ending = endOnSignal();
  const errands = createErrands(() => parts, log, ending.signal, 10_000, null, context.warn);
  // A failed cycle sends nothing else, so it waits for this.
  let sending: Promise<void> = Promise.resolve();
  const selfAlert = createSelfAlert(log, () => {
    sending = errands.send();
  });
  try {
    void errands.ping("start");
    const work = runGuarded({ parts: () => parts, log, selfAlert, signal: ending.signal }, "once");
    const outcome = await Promise.race([work, ending.after(graceMs)]);
    if (outcome === "ended") return context.exit(1);
    await errands.ping("error" in outcome ? "fail" : "success");
    if ("error" in outcome) {
      await Promise.all([sending, selfAlert.settled()]);
      if (!(outcome.error instanceof UserError)) throw outcome.error;
      context.warn(outcome.error.lines);
      return context.exit(1);
    }
    if (json) printJson(context, outcome.cycle);
    else context.print(cycleReport(outcome.cycle, context.style, context.command));
    await Promise.all([errands.run(), errands.test()]);
    await selfAlert.settled();
  } finally {
    ending.done();
  }
}

async function daemon(context: Context, read: () => SettingsInForce): Promise<void> {
  const { env } = context;
  // Before the first cycle they ask for nothing that is not about to happen anyway, and would end a process that has
  // taken the lock and does not listen yet.
  let onWake: (reason: string) => void = () => undefined;
  let onSignal = (): void => undefined;
  process.on("SIGUSR1", () => onSignal());
  let wantsReload = false;
  process.on("SIGHUP", () => {
    wantsReload = true;
    onWake("its settings are to be read again");
  });
  const mark = (): string => markOf(context.system.files, Object.values(settingsFiles(context)));
  let seen = mark();
  const first = read();
  let { config } = first;
  const opened = await openParts(context.system, config, "argus run", { goesOn: true });
  let { parts } = opened;
  const { system } = parts;
  remember(system, config);
  parts.notes.push(...keep(system, first));
  const log = createLog(system.files, config.logDir, context.print);
  for (const broken of [config.broken ?? null, parts.book.broken()])
    if (broken !== null) log.error(brokenSentence(broken));
  // Not waited for: the executor may be as long in starting.
  void modeNews(parts).then((news) => parts.notes.push(...news));
  const ending = endOnSignal();
  const errands = createErrands(() => parts, log, ending.signal, 60_000, 30_000);
  const beside = (what: string, work: Promise<void>) =>
    void work.catch((error: unknown) => log.error({ err: error }, `${what} failed`));
  const selfAlert = createSelfAlert(log, () => beside("delivery", errands.send()));
  void ending.asked.then(() => noteStop(parts, log));
  const reload = () => {
    try {
      seen = mark();
      const last = ["file", "kept"].includes(config.modeSource.kind) ? config.mode : null;
      const settings = read();
      if (settings.config.modeSource.kind === "broken") return stay(settings.config.broken?.faults ?? []);
      const next = keepWatching(system.files, settings.config, last);
      const { stateDir, logDir, executorSocket, executorStateDir } = config;
      const settled = { ...next, stateDir, logDir, executorSocket, executorStateDir };
      if (!isDeepStrictEqual(settled, next))
        log.warn("the folders and the socket of Argus stay as they are until it is restarted");
      parts = opened.remake(settled);
      // With an executor of its own this process need not know; that one says so itself.
      if (config.mode !== settled.mode && executorSocket === null)
        parts.notes.push(modeSentence(settled.mode, readModeSet(system.files, executorStateDir)));
      config = settled;
      remember(system, config);
      parts.notes.push(...keep(system, settings));
      if (config.broken !== undefined) log.error(brokenSentence(config.broken));
      else
        log.info(
          { mode: config.mode, rules: parts.book.rules().rules.length },
          "settings and rules were read again",
        );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      stay(error.lines);
    }
    const broken = parts.book.broken();
    if (broken !== null) log.error(brokenSentence(broken));
  };
  /** What this process goes by is newer than any copy, and stays. */
  const stay = (faults: readonly string[]): void => {
    const broken = {
      faults,
      inForce: config.broken?.inForce ?? "the settings in force stay until that is fixed",
    };
    config = { ...config, broken };
    parts = { ...parts, config };
    parts.book.refresh(true);
    log.error(brokenSentence(broken));
  };
  /** A test is of the settings that were asked for last, and those come with a cycle. */
  const sendTests = (): void => {
    const sending = wantsReload ? null : errands.test();
    if (sending !== null) beside("a test message", sending);
  };
  onSignal = () => {
    sendTests();
    onWake("SIGUSR1");
  };
  log.info(
    {
      pid: system.self.pid,
      interval: config.intervalSeconds,
      dry_run: config.dryRun,
      mode: config.mode,
      rules: parts.book.rules().rules.length,
    },
    startedAs(config.mode),
  );
  const work = runDaemon({
    // Between two cycles only: a cycle is judged and done with the settings it began with.
    parts: () => {
      // Whoever repairs the files need not say so.
      if (wantsReload || (hasBrokenFile(config) && mark() !== seen)) {
        wantsReload = false;
        reload();
      }
      return parts;
    },
    log,
    selfAlert,
    signal: ending.signal,
    manager: createServiceManager(system.run, env, system.self.pid, (sentence) => log.warn(sentence)),
    watch: (ring) => {
      onWake = ring;
      const talk = { context: { ...context, system }, parts: () => parts, ring };
      void listen({
        system,
        stateDir: config.stateDir,
        wanted: () => listeningOf(config),
        answer: (words, by) => {
          log.info({ telegram_user: by.user, name: by.name }, `was asked: /${words.slice(0, 200)}`);
          return answer(talk, words, by);
        },
        tell: (sentence) => log.warn(sentence),
        onBug: (error) => log.error({ err: error }, "a word from Telegram could not be taken"),
        signal: ending.signal,
      });
      return watchForWakeUps({ parts: () => parts, log, signal: ending.signal, ring });
    },
    beforeCycle: () => {
      opened.settle();
      void errands.ping("start");
    },
    afterCycle: (isGood) => {
      void errands.ping(isGood ? "success" : "fail");
      beside("what follows a cycle", errands.run());
      sendTests();
    },
  });
  await Promise.race([work, ending.after(graceMs)]);
  log.info("ended");
  const lost = opened.release();
  if (lost !== null) log.error(lost);
}

/** After a reboot it tells a shutdown from a loss of power where the journal keeps nothing. */
function noteStop({ state }: Parts, log: Log): void {
  try {
    state.toldToStop();
  } catch (error) {
    log.error({ err: error }, "that Argus was told to stop could not be noted");
  }
}
