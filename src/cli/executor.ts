import type { Command } from "commander";
import { policyOf } from "../execute/policy.ts";
import { serveExecutor } from "../execute/serve.ts";
import { acquireLock } from "../record/lock.ts";
import { openStateDir } from "../record/state-dir.ts";
import { serveLink } from "../system/link/server.ts";
import { createLog } from "../system/log.ts";
import { UserError } from "../types/errors.ts";
import type { Context } from "./context.ts";
import { endOnSignal, graceMs } from "./ending.ts";

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

async function executor(context: Context): Promise<void> {
  const { system } = context;
  const config = context.config();
  const { executorSocket, executorStateDir: stateDir } = config;
  if (stateDir === config.stateDir) {
    throw new UserError(
      "ARGUS_EXECUTOR_STATE_DIR must name a folder of its own, which only the user of `argus executor` can write",
    );
  }
  const at = listenAt(context, executorSocket);
  openStateDir(system, stateDir);
  const lock = await acquireLock(system, stateDir, "argus executor");
  // Standard output alone: the folder of the logs belongs to the user that this process does not trust.
  const log = createLog(system.files, null, context.print);
  const served = serveExecutor(
    system,
    { policy: policyOf(config), dryRun: config.dryRun, stateDir },
    (reply) => {
      for (const { type, target, source, problem, result, refusal, verified, detail } of reply.actions)
        log.info({ action: type, target, source, problem, result, refusal, verified }, detail);
      for (const note of reply.notes) log.warn(note);
    },
    (sentence) => log.info({ order: true }, sentence),
  );
  process.on("SIGHUP", () => {
    try {
      const next = context.config();
      served.replace(policyOf(next), next.dryRun);
      log.info("the policy was read again");
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      log.error(`the policy in force stays as it is: ${error.message}`);
    }
  });
  const ending = endOnSignal();
  try {
    if ("path" in at) system.files.remove(at.path); // what a killed one left behind; the lock says that no other lives
    const server = await serveLink(at, served.handler, (sentence) =>
      log.warn(`a connection was ended: ${sentence}`),
    );
    log.info({ pid: system.self.pid, dry_run: config.dryRun }, "started");
    await ending.asked;
    await Promise.race([server.close().then(() => served.idle()), ending.after(graceMs)]);
    log.info("ended");
  } finally {
    ending.done();
    lock.release();
  }
}

function listenAt({ env, system }: Context, socket: string | null): { fd: number } | { path: string } {
  if (env["LISTEN_PID"] === String(system.self.pid) && Number(env["LISTEN_FDS"]) >= 1)
    return { fd: firstPassed };
  if (socket !== null) return { path: socket };
  throw new UserError(
    "ARGUS_EXECUTOR_SOCKET must say where to listen; under systemd argus-executor.socket does",
  );
}
