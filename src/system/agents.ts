/** Coding agents: the programs whose helpers are left over when they end. Pure. */
import { isNode, parseNodeCommand } from "./node-options.ts";

export interface ProgramSeen {
  /** The kernel's name of it (comm). */
  readonly name: string;
  readonly executable: string | null;
  readonly arguments: readonly string[];
}

const agentNames = ["claude", "codex"];

/** The agent's name; null when it is none. Agents come as a binary of their own and as a script that node or bun runs. */
export function agentName({ name, executable, arguments: args }: ProgramSeen): string | null {
  for (const agent of agentNames) if (executable === agent || name === agent) return agent;
  // Installed natively, the binary is called after its version, and only its first argument says what it is.
  const first = lastComponent(args[0] ?? "");
  if (agentNames.includes(first)) return first;
  if (executable === null) return null;
  if (/^codex-(?:x86_64|aarch64)-/.test(executable)) return "codex";
  if (!isNode(executable) && executable !== "bun") return null;
  const script = (isNode(executable) ? parseNodeCommand(args)?.script : args[1]) ?? "";
  if (/\/@anthropic-ai\/claude-code\//.test(script)) return "claude";
  if (/\/@openai\/codex\//.test(script)) return "codex";
  return agentNames.find((agent) => lastComponent(script).replace(/\.[cm]?js$/, "") === agent) ?? null;
}

const lastComponent = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
