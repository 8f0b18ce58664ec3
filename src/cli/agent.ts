import type { Command } from "commander";
import type { AgentResult } from "../types/hand-off.ts";
import type { Context } from "./context.ts";

/** Of each: more is no report. */
const mostCharacters = 128 * 1024;

export function agentCommand(program: Command, context: Context): void {
  program
    .command("agent")
    .description("runs a coding agent on the incident at standard input, for the executor")
    .argument("<command...>", "after --: the program and its arguments")
    .requiredOption("--seconds <number>", "its time limit", Number)
    .action(async ([command = "", ...args]: string[], { seconds }: { seconds: number }) => {
      const { run, clock } = context.system;
      const input = await readInput();
      const startedMs = clock.monotonicMs();
      const result = await run(command, args, { input, timeoutMs: seconds * 1000 });
      const told: AgentResult = {
        exitCode: result.exitCode,
        timedOut: result.timedOut,
        seconds: Math.round((clock.monotonicMs() - startedMs) / 1000),
        output: result.stdout.slice(-mostCharacters),
        errors: result.missing ? `there is no program ${command} here` : result.stderr.slice(-mostCharacters),
      };
      // Whatever became of it is said in here: a unit that fails would be a problem of its own.
      context.print(JSON.stringify(told));
    });
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
