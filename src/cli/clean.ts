import { type Command, Option } from "commander";
import { cleanDisk } from "../execute/clean/clean.ts";
import { describeClean } from "../execute/clean/describe.ts";
import { type LastCleaning, readLastCleaning } from "../execute/clean/last-manifest.ts";
import { fileSystemAt } from "../execute/clean/on-mount.ts";
import { rootSocketOf } from "../execute/entrance.ts";
import type { ExecuteReply, ExecuteRequest } from "../execute/executor.ts";
import { lookAtExecutor } from "../execute/look.ts";
import { policyOf } from "../execute/policy.ts";
import { askForActions } from "../execute/remote.ts";
import { recordOperatorActions } from "../operator-actions.ts";
import { newCycleId } from "../record/cycle-state.ts";
import { cleanReport } from "../report/clean.ts";
import { cleanLastReport } from "../report/clean-last.ts";
import { errorCode } from "../system/files.ts";
import { homesOf } from "../system/homes.ts";
import { hostName } from "../system/host-name.ts";
import { createLink } from "../system/link/client.ts";
import { problemKey } from "../system/problem-key.ts";
import type { Proposal } from "../types/action.ts";
import { UserError, WorkError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { type Context, printJson } from "./context.ts";
import { mustReachExecutor } from "./other-user.ts";
import { openParts } from "./parts.ts";
import { wakeDaemon } from "./wake-daemon.ts";
import { whoAsks } from "./who-asks.ts";

export function cleanCommand(program: Command, context: Context): void {
  program
    .command("clean")
    .argument("[mount]", "only the file system mounted there, such as /; all without it")
    .description("clean disks now: old entries of a fixed list of safe folders")
    .option("--dry-run", "say what would go and why, remove nothing")
    .addOption(new Option("--last", "what the last cleaning removed").conflicts("dryRun"))
    .option("--json", "print data instead of text")
    .action(async (mount: string | undefined, options: { dryRun?: true; last?: true; json?: true }) => {
      if (options.last && mount !== undefined)
        throw new UserError("the last cleaning is shown as it was: leave out the mount point, or --last");
      const config = context.config();
      if (options.last) return last(context, config, options.json ?? false);
      // What a cleaning leaves alone depends on what the executor remembers, and on what only its user sees.
      mustReachExecutor(context, config, "write");
      // Where nobody knows what the settings spare, nothing is removed.
      if (config.modeSource.kind === "broken") throw new UserError(config.broken?.faults ?? []);
      await (options.dryRun ? forecast : clean)(context, config, mount ?? null, options.json ?? false);
    });
}

async function forecast(
  context: Context,
  config: Config,
  mount: string | null,
  json: boolean,
): Promise<void> {
  const { system } = context;
  const { diskCleanMaxAgeDays: maxAgeDays, homes, logDir, keep } = policyOf(config);
  const fileSystem = mount === null ? null : fileSystemAt(system.files, mount);
  if (mount !== null && fileSystem === null)
    throw new UserError(`nothing is mounted at ${mount}; df lists the mount points`);
  const { signal } = new AbortController();
  const report = await cleanDisk(system, {
    maxAgeDays,
    homes: homesOf(system, homes),
    logDir,
    keep: [...keep, config.executorStateDir],
    fileSystem,
    dryRun: true,
    signal,
  });
  if (json) printJson(context, report);
  else context.print(cleanReport({ ...report, ...describeClean(report) }, context.style));
}

function last(context: Context, config: Config, json: boolean): void {
  mustReachExecutor(context, config, "read");
  let cleaning: LastCleaning | null;
  try {
    cleaning = readLastCleaning(context.system.files, config.executorStateDir);
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw error;
    throw new WorkError(
      `only root may read what was removed, in ${config.executorStateDir}: sudo argus clean --last`,
    );
  }
  if (json) printJson(context, cleaning);
  else if (cleaning === null) context.say("Nothing was cleaned yet.");
  else context.print(cleanLastReport(cleaning, context.style));
}

type Ask = (request: ExecuteRequest, signal: AbortSignal) => Promise<ExecuteReply>;

/** Installed, root's own socket takes it: the daemon's believes nobody who says that they are a person. */
async function openExecutor(
  context: Context,
  config: Config,
): Promise<{ ask: Ask; release(): Promise<void> }> {
  const { system } = context;
  if (config.executorSocket !== null) {
    await startBehind(config.executorSocket);
    const link = createLink(rootSocketOf(config.executorSocket));
    return {
      ask: (request, signal) => askForActions(link, request, signal),
      async release() {
        link.close();
        // The decision log is the daemon's: it takes the action up in a cycle of now.
        wakeDaemon(context, config);
      },
    };
  }
  const { parts, release } = await openParts(system, config, "argus clean");
  return {
    ask: (request, signal) => parts.executor.execute(request, signal),
    async release() {
      try {
        await recordOperatorActions(parts, (await lookAtExecutor(parts.executor)).unrecorded);
      } finally {
        release();
      }
    },
  };
}

/** Root's socket is the executor's own: systemd starts it by a connection to the daemon's. */
async function startBehind(socket: string): Promise<void> {
  const link = createLink(socket);
  // Who may not connect, or finds nobody, hears so from root's socket.
  await link.ask("view", null).catch(() => undefined);
  link.close();
}

/** Through the executor, as everything that changes the machine: its gate, its budget, its record. */
async function clean(context: Context, config: Config, mount: string | null, json: boolean): Promise<void> {
  const { ask, release } = await openExecutor(context, config);
  const controller = new AbortController();
  const abort = () => controller.abort();
  process.once("SIGINT", abort);
  process.once("SIGTERM", abort);
  try {
    const proposal: Proposal = {
      type: "clean_disk",
      ...(mount === null ? {} : { target: mount }),
      source: "operator",
      problem: problemKey("disk", "operator", "clean"),
      problemType: "disk",
      severity: "info",
      subject: "asked for by hand",
      reason: `asked for by ${whoAsks(context)}`,
    };
    const host = hostName(context.system.files);
    const request = {
      cycle: newCycleId(context.system.clock),
      host,
      dryRun: config.dryRun,
      proposals: [proposal],
    };
    const { actions, notes } = await ask(request, controller.signal);
    const [action] = actions;
    if (action === undefined) throw new Error("the executor gave no answer");
    for (const note of notes) context.warn(note);
    if (json) printJson(context, action);
    else
      context.say(`${action.detail.charAt(0).toUpperCase()}${action.detail.slice(1)}.`.replace(/\.\.$/, "."));
    if (action.result !== "success")
      throw new WorkError(action.refusal === null ? "the cleaning did not succeed" : "nothing was cleaned");
  } finally {
    process.removeListener("SIGINT", abort);
    process.removeListener("SIGTERM", abort);
    await release();
  }
}
