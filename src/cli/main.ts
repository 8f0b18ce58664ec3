/** The command line: commander reads it, one file a command does it, and every error ends here. */
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { isNoRoom } from "../system/error-code.ts";
import { fileError } from "../system/file-error.ts";
import { UserError, WorkError } from "../types/errors.ts";
import { ackCommand } from "./ack.ts";
import { agentCommand } from "./agent.ts";
import { approveCommand, denyCommand } from "./approve.ts";
import { checkCommand } from "./check.ts";
import { cleanCommand } from "./clean.ts";
import { completionCommand } from "./completion.ts";
import { type Context, createContext, type Invocation } from "./context.ts";
import { doctorCommand } from "./doctor.ts";
import { executorCommand } from "./executor.ts";
import { explainCommand } from "./explain.ts";
import { keepRulesCommand } from "./keep-rules.ts";
import { modeCommand } from "./mode.ts";
import { notifyCommand } from "./notify.ts";
import { pauseCommand, resumeCommand } from "./pause.ts";
import { problemsCommand } from "./problems.ts";
import { runCommand } from "./run.ts";
import { silenceCommand } from "./silence.ts";
import { statsCommand } from "./stats.ts";
import { statusCommand } from "./status.ts";
import { summaryCommand } from "./summary.ts";
import { takeOverCommand } from "./take-over.ts";
import { bugLines, usageError } from "./terminal.ts";

/** In the order of `argus --help`: a new command is one file and one row. */
const commands: readonly ((program: Command, context: Context) => void)[] = [
  runCommand,
  checkCommand,
  explainCommand,
  statusCommand,
  problemsCommand,
  summaryCommand,
  statsCommand,
  approveCommand,
  denyCommand,
  cleanCommand,
  silenceCommand,
  ackCommand,
  pauseCommand,
  resumeCommand,
  modeCommand,
  notifyCommand,
  doctorCommand,
  executorCommand,
  agentCommand,
  completionCommand,
  keepRulesCommand,
  takeOverCommand,
];

/** @returns the exit status: 0 fine, 1 the work failed, 2 wrong usage or settings. */
export async function main(invocation: Invocation): Promise<number> {
  let status = 0;
  const context = createContext(invocation, (wanted) => {
    status = wanted;
  });
  const program = new Command("argus")
    .description(
      "A watchdog for Linux servers: recognises known trouble by rules, repairs it within its policy, explains every decision.",
    )
    .version(versionOf(context), "-V, --version")
    .configureOutput({
      writeOut: context.terminal.out,
      writeErr: context.terminal.err,
      outputError: (text, write) => write(usageError(text)),
    })
    .showHelpAfterError("(argus --help lists the commands)")
    .exitOverride();
  for (const add of commands) add(program, context);
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync([...invocation.argv]);
    return status;
  } catch (error) {
    // commander has printed its own sentence; --help and --version end here too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof UserError) {
      context.warn(error.lines);
      return error instanceof WorkError ? 1 : 2;
    }
    // Met by every command that writes, and nobody's mistake in this program.
    if (isNoRoom(error)) {
      const path = error instanceof Error && "path" in error ? String(error.path) : "the disk";
      context.warn(fileError("write", path, error).message);
      return 1;
    }
    context.warn(bugLines(error));
    return 1;
  }
}

function versionOf({ system, programDir }: Context): string {
  const { version } = JSON.parse(system.files.read(join(programDir, "package.json"))) as { version: string };
  return version;
}
