import type { Command } from "commander";
import { cleanDisk } from "../execute/clean/clean.ts";
import { describeClean } from "../execute/clean/describe.ts";
import { type LastCleaning, readLastCleaning } from "../execute/clean/last-manifest.ts";
import { fileSystemAt } from "../execute/clean/on-mount.ts";
import type { Executor } from "../execute/executor.ts";
import { policyOf } from "../execute/policy.ts";
import { cleanReport } from "../report/clean.ts";
import { cleanLastReport } from "../report/clean-last.ts";
import { errorCode } from "../system/files.ts";
import { homesOf } from "../system/homes.ts";
import { hostName } from "../system/host-name.ts";
import { createLink } from "../system/link/client.ts";
import { problemKey } from "../system/problem-key.ts";
import type { System } from "../system/system.ts";
import type { Proposal } from "../types/action.ts";
import { UserError, WorkError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import { type Context, printJson } from "./context.ts";
import { executorOf, openParts } from "./parts.ts";

export function cleanCommand(program: Command, context: Context): void {
  program
    .command("clean")
    .argument("[mount]", "only on the file system that is mounted there, such as /; else on all")
    .description("the disk cleaning, by hand: old entries of the hardcoded safelist")
    .option("--dry-run", "say what would go and why, remove nothing")
    .option("--last", "what the last cleaning removed")
    .option("--json", "print data instead of text")
    .action(async (mount: string | undefined, options: { dryRun?: true; last?: true; json?: true }) => {
      const config = context.config();
      if (options.last) return last(context, config, options.json ?? false);
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
  else if (cleaning === null) context.print("Nothing was cleaned yet.");
  else context.print(cleanLastReport(cleaning, context.style));
}

/** Behind a socket it takes one request after the other; in this process the lock says that no daemon is at it. */
async function openExecutor(
  system: System,
  config: Config,
): Promise<{ executor: Executor; release(): void }> {
  if (config.executorSocket !== null) {
    const link = createLink(config.executorSocket);
    return { executor: executorOf(system, config, link), release: () => link.close() };
  }
  const { parts, release } = await openParts(system, config, "argus clean");
  return { executor: parts.executor, release };
}

/** Through the executor, as everything that changes the machine: its gate, its budget, its record. */
async function clean(context: Context, config: Config, mount: string | null, json: boolean): Promise<void> {
  const { executor, release } = await openExecutor(context.system, config);
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
    };
    const host = hostName(context.system.files);
    const request = { cycle: "by hand", host, dryRun: config.dryRun, proposals: [proposal] };
    const { actions, notes } = await executor.execute(request, controller.signal);
    const [action] = actions;
    if (action === undefined) throw new Error("the executor gave no answer");
    for (const note of notes) context.warn(note);
    if (json) printJson(context, action);
    else
      context.print(
        `${action.detail.charAt(0).toUpperCase()}${action.detail.slice(1)}.`.replace(/\.\.$/, "."),
      );
    if (action.result !== "success")
      throw new WorkError(
        action.refusal === null
          ? "the cleaning did not succeed"
          : `the cleaning was refused: ${action.refusal}`,
      );
  } finally {
    process.removeListener("SIGINT", abort);
    process.removeListener("SIGTERM", abort);
    release();
  }
}
