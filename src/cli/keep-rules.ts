import { join } from "node:path";
import type { Command } from "commander";
import { keepRules } from "../detect/kept-rules.ts";
import { reach } from "../system/reach.ts";
import { UserError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import type { Context } from "./context.ts";

/** For install.sh: the program is the version to come. It prints the folder of the local rules, then a line for each step. */
export function keepRulesCommand(program: Command, context: Context): void {
  program
    .command("keep-rules", { hidden: true })
    .description("write what was changed in another version's folder of shipped rules as local rules")
    .argument("<program>", "folder of the version that is to be replaced")
    .argument("<into>", "an empty folder for what is to be added to the local rules")
    .option("--next <folder>", "rules of the version to come; of none, at a removal: those that were shipped")
    .action((other: string, into: string, { next }: { next?: string }) => {
      const { files, self } = context.system;
      const installed = join(other, "rules");
      const copy = join(other, "rules.shipped");
      const hasCopy = reach(files, copy).kind === "directory";
      const { rulesDir, localRulesDir } = foldersOf(context);
      const said = keepRules({
        files,
        installed,
        shipped: hasCopy ? copy : null,
        before: hasCopy ? new Set() : hashesIn(context),
        next: next ?? join(context.programDir, "rules"),
        putsBack: next === undefined,
        uid: self.uid,
        local: localRulesDir,
        into,
        inForce: [join(context.programDir, "rules"), installed].includes(rulesDir),
      });
      context.printRaw([localRulesDir, ...said].join("\n"));
    });
}

/** Broken settings are what install.sh names later, in its own words. */
function foldersOf(context: Context): Pick<Config, "rulesDir" | "localRulesDir"> {
  try {
    return context.config();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { rulesDir: join(context.programDir, "rules"), localRulesDir: "/etc/argus/rules.d" };
  }
}

function hashesIn({ system, programDir }: Context): ReadonlySet<string> {
  const lines = system.files.read(join(programDir, "install/rules-before.txt")).split("\n");
  return new Set(lines.filter((line) => /^[0-9a-f]{16}$/.test(line)));
}
