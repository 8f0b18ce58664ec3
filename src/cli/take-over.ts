import { join } from "node:path";
import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { takeOver } from "../system/first-argus/take-over.ts";
import { printable } from "../system/printable.ts";
import { UserError } from "../types/errors.ts";
import type { Context } from "./context.ts";

interface Options {
  readonly settings: string;
  readonly state: string;
  readonly executor: string;
  readonly logs: string;
  readonly into?: string;
  readonly env: readonly string[];
  readonly home: string;
}

/** For install.sh --from. It prints a line for each step and each note, or `done` when all was taken over already. */
export function takeOverCommand(program: Command, context: Context): void {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  program
    .command("take-over", { hidden: true })
    .description("say what of the first Argus goes where, and copy it into a folder")
    .argument("<folder>", "of the first Argus")
    .requiredOption("--settings <folder>", "where argus.env stands")
    .requiredOption("--state <folder>", "of the daemon")
    .requiredOption("--executor <folder>", "of the executor")
    .requiredOption("--logs <folder>", "of the daemon")
    .requiredOption("--home <folder>", "of the owner of the folder")
    .option("--env <file>", "where its argus.env may lie as well", collect, [])
    .option("--into <folder>", "copy it there")
    .action((dir: string, { into, env, home, ...target }: Options) => {
      const { files } = context.system;
      const taken = takeOver({
        dir,
        home,
        envFiles: env,
        target,
        present: files.tryRead(join(target.settings, "argus.env")),
        example: files.read(join(context.programDir, "argus.env.example")),
        isThere: (path) => files.stat(path) !== null,
        into: into ?? null,
      });
      if (taken === null) return context.printRaw("done");
      if (taken.env !== null) refuseFaults(context, join(target.settings, "argus.json"), taken.env);
      const lines = [
        ...taken.steps.map((step) => `step ${step}`),
        ...taken.notes.map((note) => `note ${note}`),
      ];
      context.printRaw(lines.map((line) => printable(line)).join("\n"));
    });
}

/** What Argus could not read is said of the file in which it can be set right: the new one is not there yet. */
function refuseFaults(
  { system, programDir }: Context,
  file: string,
  { text, path }: { readonly text: string; readonly path: string },
): void {
  const instead = { file, settings: "{}", env: text };
  const { faults } = readConfig({ system, env: {}, workingDir: "/", programDir, instead });
  const [first, ...others] = faults
    .filter(({ line }) => line > 0)
    .map(({ line, message }) => `${path}:${line - 1}: ${message}`);
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` (and ${others.length} more like it)`;
  throw new UserError(`${first}${more}; change it there, and run this again`);
}
