import { dirname } from "node:path";
import type { Command } from "commander";
import { settingsFiles } from "../config.ts";
import { rootSocketOf } from "../execute/entrance.ts";
import { keepWatching, keptSentence, rememberMode } from "../execute/mode-set.ts";
import { policyOf } from "../execute/policy.ts";
import { reasonOf } from "../execute/reason.ts";
import { type ExecutorSettings, type Reread, type Served, serveExecutor } from "../execute/serve.ts";
import { acquireLock } from "../record/lock.ts";
import { folderNames, openStateDir } from "../record/state-dir.ts";
import { brokenSentence } from "../report/broken.ts";
import { startedAs } from "../report/mode.ts";
import { keepSettings, type SettingsInForce } from "../settings-in-force.ts";
import { isBeingWritten, markOf } from "../system/file-mark.ts";
import { type Handler, type LinkServer, serveLink } from "../system/link/server.ts";
import { createLog, type Log } from "../system/log.ts";
import type { Files } from "../system/system.ts";
import { UserError } from "../types/errors.ts";
import type { Broken, Config, Mode } from "../types/settings.ts";
import type { Context } from "./context.ts";
import { endOnSignal, graceMs } from "./ending.ts";
import { lostSentence, withMemory } from "./memory.ts";

/** The first descriptor that a socket unit passes on (sd_listen_fds(3)). */
const firstPassed = 3;

export function executorCommand(program: Command, context: Context): void {
  program
    .command("executor")
    .description(
      "the process that may change the machine, for a daemon that may not (argus-executor.service)",
    )
    .action(() => executor(context));
}

/** Of one request: 114 MB of log came of 45 s of requests with 5,000 each. An Argus that is well sends none. */
const mostInvalid = 100;

async function executor(context: Context): Promise<void> {
  const reread = createReread(context);
  const settings = context.settings(ownFolder);
  const { config } = settings;
  const { executorSocket, executorStateDir: stateDir } = config;
  if (stateDir === config.stateDir) {
    throw new UserError(
      "ARGUS_EXECUTOR_STATE_DIR must name a folder of its own, which only the user of `argus executor` can write",
    );
  }
  const at = listenAt(context, executorSocket);
  openStateDir(context.system, stateDir, folderNames.executor, true);
  const lock = await acquireLock(context.system, stateDir, "argus executor");
  // Standard output alone: the folder of the logs belongs to the user that this process does not trust.
  const log = createLog(context.system.files, null, context.print);
  const system = withMemory(context.system, [stateDir], (sentence) => log.warn(sentence));
  const { files } = system;
  reread.inForce(files, settings, log);
  const fault = config.broken === undefined ? null : brokenSentence(config.broken);
  if (fault !== null) log.error(fault);
  const served = serveExecutor(
    system,
    {
      ...settingsOf(config),
      fault,
      stateDir,
      reread: (isAsked) => {
        lock.settle();
        return reread.again(files, log, isAsked);
      },
    },
    (reply) => {
      const refused = reply.actions.filter(({ refusal }) => refusal === "invalid").slice(mostInvalid);
      const left = new Set(refused);
      for (const reported of reply.actions) {
        if (left.has(reported)) continue;
        const { type, target, source, problem, result, refusal, verified, detail } = reported;
        log.info({ action: type, target, source, problem, result, refusal, verified }, detail);
      }
      if (left.size > 0) log.warn(`${left.size} more proposals of this request were invalid`);
      for (const note of reply.notes) log.warn(note);
    },
    (sentence) => log.info({ order: true }, sentence),
  );
  process.on("SIGHUP", () => void served.refresh(true));
  const ending = endOnSignal();
  try {
    const servers = await listenOn(at, served, files, log);
    log.info({ pid: system.self.pid, dry_run: config.dryRun, mode: config.mode }, startedAs(config.mode));
    await ending.asked;
    const closed = Promise.all(servers.map((server) => server.close()));
    await Promise.race([closed.then(() => served.idle()), ending.after(graceMs)]);
    log.info("ended");
  } finally {
    ending.done();
    files.holding?.settle();
    lock.release();
    const lost = lostSentence(system);
    if (lost !== null) log.error(lost);
  }
}

const stays = "the settings in force stay until that is fixed";

/** Never the daemon's: that one is the process that this one does not trust. */
const ownFolder = ({ executorStateDir }: Pick<Config, "executorStateDir">): string => executorStateDir;

const settingsOf = (config: Config): ExecutorSettings => ({
  policy: policyOf(config),
  dryRun: config.dryRun,
});

/**
 * Reads the settings again when a file of theirs is another one, or has another content. Made before they are read
 * for the first time: what changes meanwhile is seen.
 */
function createReread(context: Context): {
  again(files: Files, log: Log, isAsked: boolean): ReturnType<Reread>;
  /** These settings are in force: they are kept for the time when a file breaks, and their mode when argus.env is lost. */
  inForce(files: Files, settings: SettingsInForce, log: Log): void;
} {
  const { files: disk, clock } = context.system;
  let mode: Mode | null = null;
  const inForce = (files: Files, settings: SettingsInForce, log: Log): void => {
    const { config } = settings;
    if (config.modeSource.kind === "file") mode = config.mode;
    if (config.modeSource.kind === "kept") log.error(keptSentence);
    try {
      rememberMode(files, config, clock.now());
    } catch (error) {
      log.warn(`the mode could not be remembered: ${reasonOf(error)}`);
    }
    try {
      keepSettings({ ...context.system, files }, ownFolder(config), settings, (sentence) =>
        log.warn(sentence),
      );
    } catch (error) {
      log.warn(`the settings could not be kept for the time when a file breaks: ${reasonOf(error)}`);
    }
  };
  const paths = (): string[] => Object.values(settingsFiles(context));
  let last = markOf(disk, paths());
  const again = (files: Files, log: Log, isAsked: boolean): ReturnType<Reread> => {
    const present = markOf(disk, paths());
    if (present === last) return null;
    const stay = (broken: Broken): { readonly fault: string } | null => {
      // Looked at again with the next request.
      const faulty = paths().filter((path) => broken.faults.some((fault) => fault.startsWith(path)));
      if (!isAsked && isBeingWritten(files, faulty, clock.now().wallMs)) return null;
      last = present;
      const fault = brokenSentence(broken);
      log.error(fault);
      return { fault };
    };
    try {
      const settings = context.settings(ownFolder);
      const { broken, modeSource } = settings.config;
      const config = keepWatching(files, settings.config, mode);
      // With no good copy, what is in force stays; else the good ones of the files count: a `watch` above all.
      if (broken !== undefined && broken.filesAreGood !== true) {
        const said = stay(modeSource.kind === "broken" ? { ...broken, inForce: stays } : broken);
        return said === null || modeSource.kind === "broken" ? said : { ...settingsOf(config), ...said };
      }
      last = present;
      inForce(files, { ...settings, config }, log);
      log.info({ mode: config.mode }, "the policy was read again");
      if (broken === undefined) return settingsOf(config);
      const fault = brokenSentence(broken);
      log.error(fault);
      return { ...settingsOf(config), fault };
    } catch (error) {
      if (!(error instanceof UserError)) log.error({ err: error });
      return stay({ faults: [reasonOf(error)], inForce: stays });
    }
  };
  return { again, inForce };
}

async function listenOn(
  { daemon, root }: ReturnType<typeof listenAt>,
  served: Served,
  files: Files,
  log: Log,
): Promise<LinkServer[]> {
  const listen = (place: Place, handler: Handler) => {
    if ("path" in place) clear(files, place.path);
    return serveLink(place, handler, (sentence) => log.warn(`a connection was ended: ${sentence}`));
  };
  if (root === null)
    log.warn(
      "root's commands cannot reach this executor: argus-executor.service needs RuntimeDirectory=argus-executor",
    );
  else files.makeDirectory(dirname(root.path));
  return [await listen(daemon, served.daemon), ...(root === null ? [] : [await listen(root, served.root)])];
}

/** What a killed one left behind: the lock says that no other lives. A file there is a mistake in the settings. */
function clear(files: Files, path: string): void {
  const status = files.stat(path);
  if (status === null) return;
  if (status.kind !== "other")
    throw new UserError(
      `ARGUS_EXECUTOR_SOCKET names ${path}, where something else than a socket stands; name another place, or move it away`,
    );
  files.remove(path);
}

type Place = { readonly fd: number } | { readonly path: string };

/** `root` is null where systemd gives no folder for it, as the unit of an older version does not. */
function listenAt(
  { env, system }: Context,
  socket: string | null,
): { readonly daemon: Place; readonly root: { readonly path: string } | null } {
  if (env["LISTEN_PID"] === String(system.self.pid) && Number(env["LISTEN_FDS"]) >= 1) {
    const folder = env["RUNTIME_DIRECTORY"];
    return {
      daemon: { fd: firstPassed },
      root: folder === undefined ? null : { path: `${folder}/root.sock` },
    };
  }
  if (socket !== null) return { daemon: { path: socket }, root: { path: rootSocketOf(socket) } };
  throw new UserError(
    "ARGUS_EXECUTOR_SOCKET must say where to listen; under systemd argus-executor.socket does",
  );
}
