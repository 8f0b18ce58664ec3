import { expect, test } from "vitest";
import { describeClean } from "../../../src/execute/clean/describe.ts";
import { createTally } from "../../../src/execute/clean/tally.ts";
import { type CleanReport, keptReasons, rootStates } from "../../../src/types/clean.ts";

function report(over: Partial<CleanReport> = {}): CleanReport {
  return {
    dryRun: true,
    maxAgeDays: 7,
    roots: [],
    ...createTally().totals(),
    before: [],
    after: [],
    unseenProcesses: 0,
    interrupted: false,
    ...over,
  };
}

test("a cleaning with nothing to say says nothing", () => {
  expect(describeClean(report())).toEqual({
    removed: [],
    notListed: 0,
    kept: [],
    keptExamples: [],
    disks: [],
    passedOver: [],
    notes: [],
  });
});

test("every reason and every state has words of its own", () => {
  const tally = createTally();
  for (const reason of keptReasons) tally.kept(`/tmp/${reason}`, reason);
  tally.kept("/tmp/another", "in_use");
  const roots = rootStates.map((state) => ({ path: `/${state}`, state }));
  const { kept, keptExamples, passedOver } = describeClean(report({ ...tally.totals(), roots }));
  expect(kept[0]).toEqual({ count: 2, why: "in use by a process, a mount or the kernel" });
  expect(new Set(kept.map(({ why }) => why)).size).toBe(keptReasons.length);
  expect(keptExamples.map(({ path }) => path)).not.toContain("/tmp/young");
  expect(keptExamples).toContainEqual({ path: "/tmp/sticky", why: "marked to be kept by its sticky bit" });
  expect(passedOver.map(({ path }) => path)).toEqual(["/not_a_folder", "/network", "/locked", "/unreadable"]);
});

test("what a person should know besides", () => {
  const notes = (over: Partial<CleanReport>) => describeClean(report(over)).notes;
  const unseen = (processes: string) =>
    `Argus may not look into ${processes}, so it leaves what belongs to other users; as root, with CAP_SYS_PTRACE, it cleans more`;
  expect(notes({ unseenProcesses: 1 })).toEqual([unseen("1 process")]);
  expect(
    notes({ unseenProcesses: 12, interrupted: true, errors: ["/tmp/x could not be removed (EPERM)"] }),
  ).toEqual([
    "the cleaning was stopped before its end",
    "/tmp/x could not be removed (EPERM)",
    unseen("12 processes"),
  ]);
});
