/**
 * A process as others may see it. Its command line is redacted as the argument vector that it was, and then joined.
 * Rules match on the raw one, in memory; whatever is written or sent holds this.
 */
import type { Process } from "../../types/facts.ts";
import { knownVersion } from "./known.ts";
import { redact, redactArguments } from "./text.ts";

/** Of one life of a process: the list of its arguments is read once, and is the same object from cycle to cycle. */
const seen = new WeakMap<readonly string[], { of: readonly string[]; line: string; version: number }>();

export function redactProcess(process: Process): Process {
  const { commandLine, args } = commandOf(process);
  const { name, executable, executablePath, unit, container, notKillableBecause: because } = process;
  const safe = {
    name: redact(name),
    executable: nullable(executable),
    executablePath: nullable(executablePath),
    unit: nullable(unit),
    container: nullable(container),
    notKillableBecause: nullable(because),
  };
  const isSame =
    commandLine === process.commandLine &&
    safe.name === name &&
    safe.executable === executable &&
    safe.executablePath === executablePath &&
    safe.unit === unit &&
    safe.container === container &&
    safe.notKillableBecause === because;
  // Nearly all: thousands of copies a cycle would cost more than the redacting.
  return isSame ? process : { ...process, ...safe, commandLine, arguments: [...args] };
}

const nullable = (text: string | null): string | null => (text === null ? null : redact(text));

function commandOf({ commandLine, arguments: args }: Process): {
  commandLine: string;
  args: readonly string[];
} {
  if (args.length === 0) return { commandLine: redact(commandLine), args };
  const known = seen.get(args);
  if (known !== undefined && known.version === knownVersion())
    return { commandLine: known.line, args: known.of };
  const of = redactArguments(args);
  // What was read as one line, and not as the arguments that stand beside it, is redacted as a line.
  const line = args.join(" ") === commandLine ? of.join(" ") : redact(commandLine);
  seen.set(args, { of, line, version: knownVersion() });
  return { commandLine: line, args: of };
}
