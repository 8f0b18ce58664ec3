import type { Command } from "commander";
import { stringify } from "../system/printable.ts";
import { redact } from "../system/redact/redact.ts";
import { type AgentResult, maxResultBytes } from "../types/hand-off.ts";
import type { Context } from "./context.ts";

const maxErrorsBytes = 8 * 1024;
/** The rest of the result is the output's, but for the other fields. */
const maxOutputBytes = maxResultBytes - maxErrorsBytes - 1024;

export function agentCommand(program: Command, context: Context): void {
  program
    .command("agent")
    .description("run a coding agent on the incident at standard input, for the executor")
    .argument("<command...>", "after --: the program and its arguments")
    .requiredOption("--seconds <number>", "its time limit", Number)
    .action(async ([command = "", ...args]: string[], { seconds }: { seconds: number }) => {
      const { run, clock } = context.system;
      const input = await readInput();
      const startedMs = clock.monotonicMs();
      // Where systemd has put this process: handOff.directory.
      const result = await run(command, args, { input, timeoutMs: seconds * 1000, directory: "." });
      const told: AgentResult = {
        exitCode: result.exitCode,
        timedOut: result.timedOut,
        seconds: Math.round((clock.monotonicMs() - startedMs) / 1000),
        // Before the cut: half a secret is not recognised as one.
        output: tail(redact(result.stdout), maxOutputBytes),
        errors: result.missing
          ? `there is no program ${command} here`
          : tail(redact(result.stderr), maxErrorsBytes),
      };
      // Whatever became of it is said in here: a unit that fails would be a problem of its own.
      context.printRaw(stringify(told));
    });
}

/** The end of it that takes no more than so many bytes as JSON, where one character takes six at the most. */
function tail(text: string, maxBytes: number): string {
  let end = text.slice(-maxBytes);
  for (let bytes = jsonBytes(end); bytes > maxBytes; bytes = jsonBytes(end))
    end = end.slice(Math.ceil((bytes - maxBytes) / 6));
  return end;
}

const jsonBytes = (text: string): number => Buffer.byteLength(stringify(text));

async function readInput(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
