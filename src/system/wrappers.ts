/**
 * Processes that only wait for the one they started: `npm test` waits for `sh -c "node --test"`, which waits for node.
 * When the agent and npm are killed, the shell between them lives on, and is as abandoned as what it waits for. A
 * script file, or a command that does more afterwards than say so, may be the work of somebody: it is none of them.
 * Pure.
 */
import type { ProgramSeen } from "./agents.ts";
import { isNode, parseNodeCommand, reportsElsewhere } from "./node-options.ts";

const shells = new Set(["sh", "dash", "bash", "ash", "zsh", "ksh", "mksh", "busybox"]);

/** Programs that start one other, wait for it, and pass its end on. */
const waiting = new Set([
  ...["timeout", "env", "nice", "ionice", "setsid", "stdbuf", "nohup", "time", "flock", "setpriv"],
  ...["sudo", "doas", "su", "runuser", "fnm", "volta-shim"],
]);

/** The same as scripts that node runs, by the file's name. */
const waitingScripts = new Set([
  ...["npm", "npx", "pnpm", "pnpx", "yarn", "yarnpkg", "corepack", "tsx", "cross-env", "cross-env-shell"],
  ...["dotenv", "dotenvx", "env-cmd", "npm-cli", "npx-cli"],
]);

/** Whether it does nothing but wait for that child. That it has no other child is for the caller to see. */
export function isMereWrapper(one: ProgramSeen, child: ProgramSeen): boolean {
  const { executable, arguments: args } = one;
  if (executable === null) return false;
  if (isShell(executable)) {
    const command = commandOfShell(args);
    return command !== null && onlyWaits(command, child);
  }
  // GNU time may write what it measured into a file.
  if (executable === "time") return !args.some((each) => /^(-\w*o|--output)/.test(each));
  if (waiting.has(executable)) return true;
  if (executable === "bun") return ["run", "x", "exec"].includes(args[1] ?? "");
  return isNode(executable) && isWaitingScript(args);
}

/** Whether it may be one at all, whatever its child is: cheap. */
export const mayWrap = ({ executable }: ProgramSeen): boolean =>
  executable !== null &&
  (isShell(executable) || waiting.has(executable) || executable === "bun" || isNode(executable));

export const isShell = (executable: string): boolean => shells.has(executable);

function isWaitingScript(args: readonly string[]): boolean {
  // npm takes the words it was called with for its title, which stands in place of its command line.
  if (/^(?:npm|npx|pnpm|yarn)(?: |$)/.test(args[0] ?? "")) return true;
  const command = parseNodeCommand(args);
  if (command === null) return false;
  if (command.options.includes("--run")) return true;
  const { script } = command;
  if (script === null || command.options.includes("--test")) return false;
  if (/\/(?:tsx|dotenv-cli|cross-env|env-cmd|yarn|pnpm)\/(?:[^/]+\/)*[^/]+$/.test(script)) return true;
  return waitingScripts.has(lastComponent(script).replace(/\.[cm]?js$/, ""));
}

/** What follows `-c`; null for an interactive shell and one that runs a file or its standard input. */
function commandOfShell(args: readonly string[]): string | null {
  const from = args[0] !== undefined && lastComponent(args[0]) === "busybox" ? 2 : 1;
  let hasCommand = false;
  for (let at = from; at < args.length; at += 1) {
    const argument = args[at] ?? "";
    if (!/^[-+]/.test(argument) || argument === "--") {
      return hasCommand ? (args[argument === "--" ? at + 1 : at] ?? null) : null;
    }
    if (argument.startsWith("--")) continue;
    if (argument.includes("i")) return null;
    if (argument.startsWith("-") && argument.includes("c")) hasCommand = true;
    if (/^[-+]\w*[oO]$/.test(argument)) at += 1;
  }
  return null;
}

/** Redirections by which nobody learns anything, and the note that Claude Code keeps of its working directory. */
const harmlessRedirections =
  /&>\s*\/dev\/null|\d?>\s*\/dev\/null|\d?>&[12]\b|\\?<\s*\/dev\/null|>\|?\s*\/tmp\/claude-[\w-]+-cwd\b/g;
const harmless = new Set([
  ...["", ":", "true", "false", "echo", "printf", "exit", "cd", "pwd", "wait", "export", "unset", "set"],
  ...["test", "[", "return", "shopt", "ulimit", "umask"],
]);
const keywords = new Set([
  ...["if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "select"],
  ...["function", "trap", "!", "time", "coproc", "{", "}"],
]);

/** Whether all that a command does after the child is of no use to anybody. In doubt it is of use. */
function onlyWaits(command: string, child: ProgramSeen): boolean {
  const text = command.replace(harmlessRedirections, " ");
  if (/[>`(){}]|<|\|(?!\|)(?<!\|\|)|(?<!&)&(?!&)/.test(text)) return false;
  const steps = text.split(/;|&&|\|\||\n/).map(wordsOf);
  if (steps.some(([first = ""]) => keywords.has(first))) return false;
  const running = steps.findIndex((words) => mayBe(words, child));
  if (running < 0) return false;
  return steps.slice(running + 1).every((words) => harmless.has(words[0] ?? "") || isAnotherRun(words));
}

/** Without quotes, assignments in front, and what only hands on to the rest. */
function wordsOf(step: string): string[] {
  const words = step
    .replace(/["'\\]/g, "")
    .trim()
    .split(/\s+/);
  let from = 0;
  while (/^(?:\w+=.*|eval|exec|command|builtin)$/.test(words[from] ?? "")) from += 1;
  return words.slice(from);
}

function mayBe(words: readonly string[], child: ProgramSeen): boolean {
  const name = lastComponent(words[0] ?? "");
  if (name === "") return false;
  if (name === child.executable || waitingScripts.has(name) || waiting.has(name)) return true;
  return isTest(words.slice(1)) || name === lastComponent((child.arguments[0] ?? "").split(" ")[0] ?? "");
}

/** One more test run, whose result goes where that of the first goes; `deploy.sh --test` is none. */
function isAnotherRun([first = "", ...rest]: readonly string[]): boolean {
  const name = lastComponent(first);
  if (!isNode(name) && name !== "tsx") return false;
  const command = parseNodeCommand([first, ...rest]);
  return command?.options.includes("--test") === true && !reportsElsewhere(command);
}

const isTest = (words: readonly string[]): boolean => words.includes("--test");

const lastComponent = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
