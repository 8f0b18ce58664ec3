/** Removes what is old below the folders of the safelist that lie on one file system. */
import { normalize } from "node:path";
import * as z from "zod";
import { homesOf } from "../../system/homes.ts";
import type { Mount } from "../../system/mounts.ts";
import { ownMounts } from "../../system/proc-bytes.ts";
import { safelist } from "../../system/safelist.ts";
import { type CleanReport, nothingCleanable } from "../../types/clean.ts";
import { withoutLeap } from "../../types/moment.ts";
import type { Context, MachineAction, Rechecked } from "../action.ts";
import { cleanDisk } from "../clean/clean.ts";
import type { CleaningOf } from "../clean/manifest.ts";
import { fileSystemAt, foldersOn } from "../clean/on-mount.ts";
import { ofCleaning, valuesOf } from "../clean/outcome.ts";
import { firstInRequest, notPaused, offeredToModel, withinBudget } from "../questions.ts";
import { notSilenced } from "../silences.ts";

const mountPoint = "target must be the mount point of a file system, such as /";

/** A mount. Only whoever asks by hand may leave it out, and means all of them. */
const Target = z
  .object({
    source: z.string(),
    target: z
      .string({ error: mountPoint })
      .regex(/^\/[^\p{Cc}]*$/u, mountPoint)
      .refine((path) => normalize(path) === path && (path === "/" || !path.endsWith("/")), mountPoint)
      .optional(),
  })
  .refine(({ source, target }) => target !== undefined || source === "operator", {
    error: "target is missing; it names the mount point whose disk is to be cleaned",
  })
  .transform(({ target }) => target ?? null);

/** null: all that the safelist has. */
type Seen = { readonly fileSystem: Mount | null };

export const cleanDiskAction: MachineAction<string | null, Seen, CleanReport> = {
  kind: "machine",
  type: "clean_disk",
  budget: "cleanings",
  targetSchema: Target,
  gateSteps: [offeredToModel, notPaused, notSilenced, firstInRequest, withinBudget("cleanings")],
  nameOf: (target) => target,
  claimOf: (target) => target ?? "",
  async forecast({ target }, context) {
    const fileSystem = target === null ? null : fileSystemAt(context.system.files, target);
    return `would have ${ofCleaning(await clean(context, fileSystem)).detail}`;
  },

  /** What may go is asked of each entry, just before it goes; here, whether the disk has anything that may. */
  async recheck({ target }, { system, policy }): Promise<Rechecked<Seen>> {
    if (target === null) return { looks: [], seen: { fileSystem: null } };
    const { files } = system;
    const fileSystem = fileSystemAt(files, target);
    if (fileSystem === null) {
      const detail =
        ownMounts(files) === null ? "/proc does not show what is mounted" : `nothing is mounted at ${target}`;
      return {
        looks: [{ step: "mount", answer: { pass: false, reason: "target_gone", detail } }],
        seen: null,
      };
    }
    const isMounted = {
      step: "mount",
      answer: { pass: true, detail: `${target} is a ${fileSystem.type}` },
    } as const;
    const all = safelist(homesOf(system, policy.homes), policy.logDir);
    const on = foldersOn(files, all, fileSystem, ownMounts(files) ?? []);
    if (on.length === 0) {
      const answer = { pass: false, reason: "not_allowlisted", detail: nothingCleanable(target) } as const;
      return { looks: [isMounted, { step: "safelist", answer }], seen: null };
    }
    const detail = `on it lie ${on.map(({ path }) => path).join(", ")}`;
    return { looks: [isMounted, { step: "safelist", answer: { pass: true, detail } }], seen: { fileSystem } };
  },

  async perform({ target, proposal }, { fileSystem }, context) {
    const { cycle, stateDir } = context;
    const { source, problem } = proposal;
    const report = await clean(context, fileSystem, { stateDir, cycle, source, problem, target });
    for (const error of report.errors) context.note(`clean_disk: ${error}`);
    return { ...ofCleaning(report), done: report, values: valuesOf(report) };
  },

  /** Whether that helped is another matter: the rule is judged again. */
  verify: async () => ({ ok: true, verified: true, detail: "" }),
};

function clean(
  { system, policy, begun, stateDir, signal }: Context,
  fileSystem: Mount | null,
  of?: CleaningOf,
): Promise<CleanReport> {
  const { clock } = system;
  // A clock that leaps ahead makes all of /tmp old at once.
  const steady = { ...system, clock: { ...clock, now: () => withoutLeap(begun, clock.now()) } };
  const { diskCleanMaxAgeDays: maxAgeDays, logDir, keep } = policy;
  const homes = homesOf(system, policy.homes);
  return cleanDisk(steady, {
    maxAgeDays,
    homes,
    logDir,
    keep: [...keep, stateDir],
    fileSystem,
    ...(of === undefined ? {} : { of }),
    dryRun: of === undefined,
    signal,
  });
}
