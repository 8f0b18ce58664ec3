/** The exit to the terminal, for every command: what a report, a sentence, an error or commander prints goes through here. */
import { randomBytes } from "node:crypto";
import { terminalText } from "../report/style.ts";
import { displayWidth } from "../report/text.ts";
import { fileError } from "../system/file-error.ts";
import { printable, printableLines, quotedBlock } from "../system/printable.ts";

export interface Terminal {
  /** See Style: known to this process alone, so that no other text can bring a colour along. */
  readonly ink: string;
  out(text: string): void;
  /** For what is too long to wait in memory until it is read. @returns false: nobody reads any more. */
  outWhole(text: string): Promise<boolean>;
  err(text: string): void;
}

export function openTerminal(): Terminal {
  process.stdout.on("error", outputLost);
  process.stderr.on("error", () => undefined);
  const ink = `\u001b${randomBytes(8).toString("hex")}`;
  return {
    ink,
    out: (text) => void process.stdout.write(terminalText(text, { ink })),
    outWhole: (text) =>
      new Promise((resolve) => {
        process.stdout.write(terminalText(text, { ink }), (error) => resolve(error == null));
      }),
    err: (text) => void process.stderr.write(printableLines(text)),
  };
}

/**
 * A sentence for a terminal, broken between words; what goes on is set in by two columns, so that no word of somebody
 * else's begins a line. A word that is longer than a line stays whole, to be copied.
 * @param columns undefined: no terminal, and one line.
 */
export function wrapWords(sentence: string, columns: number | undefined): string {
  if (columns === undefined) return sentence;
  let used = 0;
  return sentence
    .split(" ")
    .map((word, index) => {
      const width = displayWidth(word);
      const fits = index === 0 || used + 1 + width <= columns;
      used = index === 0 ? width : fits ? used + 1 + width : 2 + width;
      return index === 0 ? word : `${fits ? " " : "\n  "}${word}`;
    })
    .join("");
}

/** null, or so many as it has: none is narrower than can be read. */
export const columnsOf = ({ isTTY, columns }: { isTTY?: boolean; columns?: number }): number | undefined =>
  isTTY ? Math.max(40, columns || 80) : undefined;

let saidThatOutputIsLost = false;

/** What is under way goes on, and a daemon keeps its log: only nobody reads this any more, or it finds no space. */
function outputLost(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE" || saidThatOutputIsLost) return;
  saidThatOutputIsLost = true;
  const { message } = fileError("write", "standard output", error);
  process.stderr.write(printableLines(`argus: ${message}\n`));
  process.once("exit", () => {
    process.exitCode ||= 1;
  });
}

/** commander may add what it takes the word for, on a line of its own. */
const suggestion = /\n\(Did you mean [^\n]{1,1000}\?\)$/;

/** commander repeats what was typed, which may hold lines of its own. */
export function usageError(text: string): string {
  const said = text.replace(/\n$/, "");
  const meant = suggestion.exec(said)?.[0] ?? "";
  return `${printable(said.slice(0, said.length - meant.length))}${meant}\n`;
}

/** A mistake of this program, for whoever is to find it: the message in it may be anybody's. */
export const bugLines = (error: unknown): string[] => [
  "a bug, please report it:",
  ...quotedBlock(error instanceof Error ? (error.stack ?? error.message) : String(error)),
];

/** As Node would end the process, but with what it says made harmless. */
export function crash(error: unknown): never {
  process.stderr.write(printableLines(`argus: ${bugLines(error).join("\n")}\n`));
  process.exit(1);
}
