/** Removes what is old below the folders of the safelist. */
import * as z from "zod";
import type { CleanReport } from "../../types/clean.ts";
import { withoutLeap } from "../../types/moment.ts";
import { bytes } from "../../types/quantities.ts";
import type { Context, MachineAction } from "../action.ts";
import { cleanDisk } from "../clean/clean.ts";
import { firstInRequest, notPaused, offeredToModel, withinBudget } from "../questions.ts";
import { notSilenced } from "../silences.ts";

const NoTarget = z
  .object({ target: z.undefined({ error: "target must be left out" }).optional() })
  .transform(() => null);

export const cleanDiskAction: MachineAction<null, null, CleanReport> = {
  kind: "machine",
  type: "clean_disk",
  budget: "cleanings",
  targetSchema: NoTarget,
  gateSteps: [offeredToModel, notPaused, notSilenced, firstInRequest, withinBudget("cleanings")],
  nameOf: () => null,
  claimOf: () => "",
  forecast: async (_, context) => `would have ${inWords(await clean(context, true))}`,

  // What may go is asked of each entry, just before it goes.
  recheck: async () => ({ looks: [], seen: null }),

  async perform(_, __, context) {
    const report = await clean(context, false);
    for (const error of report.errors) context.note(`clean_disk: ${error}`);
    return { ok: !report.interrupted, detail: inWords(report), done: report, values: valuesOf(report) };
  },

  async verify(_, report) {
    // It ran, which is all that was asked of it; whether that helped is another matter.
    return { ok: true, verified: report.bytesReclaimed > 0, detail: "" };
  },
};

function clean({ system, policy, begun, stateDir, signal }: Context, dryRun: boolean): Promise<CleanReport> {
  const { clock } = system;
  // A clock that leaps ahead makes all of /tmp old at once.
  const steady = { ...system, clock: { ...clock, now: () => withoutLeap(begun, clock.now()) } };
  const { diskCleanMaxAgeDays: maxAgeDays, homes, logDir, keep } = policy;
  return cleanDisk(steady, { maxAgeDays, homes, logDir, keep: [...keep, stateDir], dryRun, signal });
}

function valuesOf(report: CleanReport): Record<string, unknown> {
  const { bytesReclaimed, units, entries, before, after, unseenProcesses } = report;
  return { bytesReclaimed, units, entries, before, after, unseenProcesses };
}

/** `freed 1.2 GB: / 93.1 % -> 81.0 %` */
function inWords(report: CleanReport): string {
  const disks = report.before.map(({ mount, usedPercent }) => {
    const after = report.after.find((each) => each.mount === mount)?.usedPercent ?? usedPercent;
    return `${mount} ${usedPercent.toFixed(1)} % -> ${after.toFixed(1)} %`;
  });
  const freed =
    report.units === 0
      ? "freed nothing, because nothing is old enough"
      : `freed ${bytes(report.bytesReclaimed)}`;
  return disks.length === 0 ? freed : `${freed}: ${disks.join(", ")}`;
}
