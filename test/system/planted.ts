/** Secrets to be looked for again: samples of the corpora, and whether a piece of one is left. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { simpleCommands } from "../../src/system/redact/words.ts";
import { fillIn } from "./made-up-secrets.ts";

const folder = join(import.meta.dirname, "../fixtures/redact");

/** The samples of a corpus, without its comments. */
export const linesOf = (name: string): string[] =>
  readFileSync(join(folder, name), "utf8")
    .split("\n")
    .slice(1)
    .filter((line) => line !== "" && !line.startsWith("# --"));

/** Whether a piece that is long enough to be of use is still there. */
export function remains(secret: string, text: string): boolean {
  const length = Math.min(secret.length, 8);
  for (let at = 0; at + length <= secret.length; at += 1)
    if (text.includes(secret.slice(at, at + length))) return true;
  return false;
}

export interface PlantedCommand {
  readonly template: string;
  readonly text: string;
  readonly arguments: readonly string[];
  readonly secrets: readonly string[];
}

/** Command lines as processes have them: those that one program is given, with its arguments apart. */
export function plantedCommands(seed: number): PlantedCommand[] {
  return linesOf("command-lines.txt").flatMap((template) => {
    const { text, secrets } = fillIn(template, seed);
    const commands = simpleCommands(text);
    const [command] = commands;
    if (commands.length !== 1 || command === undefined || text.includes("<<<")) return [];
    return [{ template, text, secrets, arguments: command.words.map((word) => word.text) }];
  });
}
