import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import type { Parts } from "../cycle.ts";
import { runDaemon, runGuarded } from "../daemon.ts";
import { keepWatching, modeSentence, readModeSet, rememberMode } from "../execute/mode-set.ts";
import { listen } from "../notify/talk/listen.ts";
import { readTrail } from "../record/trail.ts";
import { cycleReport } from "../report/cycle-report.ts";
import { startedAs } from "../report/mode.ts";
import { createSelfAlert } from "../self-alert.ts";
import { errorCode } from "../system/files.ts";
import { createLog, type Log } from "../system/log.ts";
import { createServiceManager } from "../system/service-manager.ts";
import type { System } from "../system/system.ts";
import { UserError } from "../types/errors.ts";
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
      const read = (): Config => {
        const config = context.config();
        return options.dryRun ? { ...config, dryRun: true } : config;
      };
      await (options.once ? once(context, read(), options.json ?? false) : daemon(context, read));
    });
}

async function once(context: Context, config: Config, json: boolean): Promise<void> {
  const { parts, release } = await openParts(context.system, config, "argus run --once");
  try {
    remember(context.system, config);
    parts.notes.push(...(await modeNews(parts)));
    await oneCycle(context, parts, json);
  } finally {
    release();
  }
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
  const errands = createErrands(() => parts, log, ending.signal, 10_000);
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

async function daemon(context: Context, read: () => Config): Promise<void> {
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
  let config = read();
  const opened = await openParts(context.system, config, "argus run", { goesOn: true });
  let { parts } = opened;
  const { system } = parts;
  remember(system, config);
  const log = createLog(system.files, config.logDir, context.print);
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
      const last = ["file", "kept"].includes(config.modeSource.kind) ? config.mode : null;
      const next = keepWatching(system.files, read(), last);
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
      log.info(
        { mode: config.mode, rules: parts.book.rules().rules.length },
        "settings and rules were read again",
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      parts.book.refresh(true);
      log.error(`the settings and rules in force stay as they are: ${error.message}`);
    }
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
      if (wantsReload) {
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
