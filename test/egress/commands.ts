/** Every command as the program's own help lists them, called in this process with all that a person may type. */
import { resolve } from "node:path";
import { main } from "../../src/cli/main.ts";

export interface Called {
  readonly argv: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
}

export async function call(
  argv: readonly string[],
  env: Record<string, string>,
  cwd: string,
): Promise<Called> {
  const out: string[] = [];
  const err: string[] = [];
  const [stdout, stderr] = [process.stdout.write, process.stderr.write];
  const into = (parts: string[]) => (text: string | Uint8Array, taken?: () => void) => {
    parts.push(typeof text === "string" ? text : Buffer.from(text).toString("utf8"));
    // Long lists are printed piece by piece, each when the one before is taken.
    if (taken !== undefined) queueMicrotask(taken);
    return true;
  };
  process.stdout.write = into(out) as typeof process.stdout.write;
  process.stderr.write = into(err) as typeof process.stderr.write;
  try {
    await main({ argv: ["node", "argus", ...argv], env, workingDir: cwd, programDir: resolve(".") });
  } finally {
    process.stdout.write = stdout;
    process.stderr.write = stderr;
  }
  return { argv, stdout: out.join(""), stderr: err.join("") };
}

interface Usage {
  readonly path: readonly string[];
  readonly arguments: number;
  readonly flags: readonly string[];
  readonly valued: readonly string[];
}

/** @param ask `--help` of a command. */
export async function usages(ask: (path: readonly string[]) => Promise<string>): Promise<Usage[]> {
  const found: Usage[] = [];
  const look = async (path: readonly string[]): Promise<void> => {
    const help = await ask(path);
    const inner = [...(help.split("\nCommands:\n")[1] ?? "").matchAll(/^ {2}([a-z]+)(?: |$)/gm)]
      .flatMap(([, name]) => name ?? [])
      .filter((name) => name !== "help");
    const options = [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)( <[^>]+>)?/gm)];
    const of = (hasValue: boolean) =>
      options.flatMap(([, name, value]) =>
        name !== undefined && (value !== undefined) === hasValue ? name : [],
      );
    const [, usage = ""] = /^Usage: argus ([^\n]*)/m.exec(help) ?? [];
    found.push({
      path,
      arguments: (usage.replace("[options]", "").match(/[<[][^\]>]+[\]>]/g) ?? []).length,
      flags: of(false).filter((name) => name !== "--help" && name !== "--version"),
      valued: of(true),
    });
    for (const name of inner) await look([...path, name]);
  };
  await look([]);
  return found;
}

/** What is wanted besides, so that a command does something at all, and nothing for ever. */
const wanted: Readonly<Record<string, readonly string[]>> = {
  run: ["--once"],
  notify: ["--test"],
  "silence add": ["--for", "1h", "--type", "disk"],
};
/** It reads standard input, and has a test of its own. */
const left = new Set(["agent"]);

/** @param texts what is typed where something is to be typed. */
export function invocations(all: readonly Usage[], texts: readonly string[]): string[][] {
  return all.flatMap(({ path, arguments: count, flags, valued }) => {
    const name = path.join(" ");
    if (left.has(name)) return [];
    const head = [...path, ...(wanted[name] ?? [])];
    const json = flags.includes("--json") ? ["--json"] : [];
    const typed =
      count === 0
        ? []
        : texts.flatMap((text) => [
            [...head, text],
            [...head, text, ...json],
          ]);
    return [
      head,
      [...head, ...json],
      ...typed,
      ...flags.filter((flag) => !head.includes(flag) && flag !== "--json").map((flag) => [...head, flag]),
      ...valued.flatMap((option) => texts.map((text) => [...head, option, text, ...json])),
      [...head, `--${texts[0]}`],
      [...head, "--help"],
    ];
  });
}
