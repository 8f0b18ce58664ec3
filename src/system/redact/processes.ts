/**
 * A process as others may see it. Its command line is redacted as the argument vector that it was, and then joined.
 * Rules match on the raw one, in memory; whatever is written or sent holds this.
 */
import type { Process } from "../../types/facts.ts";
import { knownVersion } from "./known.ts";
import { redact, redactArguments } from "./text.ts";

/** Of one life of a process: the list of its arguments is read once, and is the same object from cycle to cycle. */
const seen = new WeakMap<readonly string[], { of: readonly string[]; line: string; version: number }>();

/** All that a process, or whoever started it, chose. */
const chosen = [
  "name",
  "executable",
  "executablePath",
  "unit",
  "container",
  "notKillableBecause",
  "abandonedBecause",
  "notAbandonedBecause",
] as const;

export function redactProcess(process: Process): Process {
  const { commandLine, args } = commandOf(process);
  let result = process;
  // Nearly all stay as they are: thousands of copies a cycle would cost more than the redacting.
  if (commandLine !== process.commandLine) result = { ...process, commandLine, arguments: [...args] };
  for (const field of chosen) {
    const text = process[field];
    const safe = typeof text === "string" ? redact(text) : text;
    if (safe !== text) result = { ...result, [field]: safe };
  }
  // Of a node process these are arguments again; a rule's test may leave them out.
  const { runtimeOptions = [], agent = null } = process;
  if (runtimeOptions.length > 0) result = { ...result, runtimeOptions: redactArguments(runtimeOptions) };
  if (agent !== null && redact(agent.name) !== agent.name)
    result = { ...result, agent: { ...agent, name: redact(agent.name) } };
  return result;
}

/** The facts of a rule's test may leave out what the rule does not look at. */
function commandOf(process: Process): { commandLine: string; args: readonly string[] } {
  const { commandLine, arguments: args } = process;
  if (typeof commandLine !== "string" || !Array.isArray(args) || args.length === 0)
    return {
      commandLine: typeof commandLine === "string" ? redact(commandLine) : commandLine,
      args: args ?? [],
    };
  const known = seen.get(args);
  if (known !== undefined && known.version === knownVersion())
    return { commandLine: known.line, args: known.of };
  const of = redactArguments(args);
  // What was read as one line, and not as the arguments that stand beside it, is redacted as a line.
  const line = args.join(" ") === commandLine ? of.join(" ") : redact(commandLine);
  seen.set(args, { of, line, version: knownVersion() });
  return { commandLine: line, args: of };
}
