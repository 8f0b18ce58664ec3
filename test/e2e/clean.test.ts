/** `argus clean` by hand in the records. Paused, so that the test cleans nothing on whose machine it runs. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TrailCycle } from "../../src/types/trail.ts";
import { argus } from "./argus.ts";

const entriesOf = (path: string): TrailCycle[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => TrailCycle.parse(JSON.parse(line)));

test("a cleaning by hand stands in decision log, problem history and stats, once each", () => {
  const watch = argus({ SUDO_USER: "bob" });
  watch.once();
  watch.run("pause", "--reason", "the test");
  for (const _ of [1, 2]) {
    const clean = watch.run("clean");
    expect([clean.status, clean.stderr]).toEqual([1, "argus: nothing was cleaned\n"]);
  }
  const byHand = entriesOf(watch.state("trail.jsonl")).filter(({ cycle }) => cycle.trigger === "command");
  const asked = {
    type: "clean_disk",
    source: "operator",
    refusal: "paused",
    values: { reason: "asked for by bob" },
  };
  expect(byHand).toMatchObject([{ actions: [asked] }, { actions: [asked] }]);
  expect(new Set(byHand.map(({ cycle }) => cycle.id)).size).toBe(2);
  const lines = watch.registry().filter(({ source }) => source === "operator");
  const line = { type: "disk", action_taken: "clean_disk", action_result: "skipped", reason: "paused" };
  expect(lines).toMatchObject([line, line]);

  watch.once();
  expect(entriesOf(watch.state("trail.jsonl")).filter(({ cycle }) => cycle.trigger === "command")).toEqual(
    byHand,
  );
  expect(JSON.parse(watch.run("stats", "--json").stdout)).toMatchObject({
    cycles: { total: 2, byTrigger: { once: 2 } },
    actions: expect.arrayContaining([
      expect.objectContaining({ action: "clean_disk", source: "operator", asked: 2, refused: { paused: 2 } }),
    ]),
  });
  // What was looked at last is still the last cycle.
  expect(watch.run("status").stdout).not.toContain(byHand[1]?.cycle.id ?? "?");
  const explained = watch.run("explain", byHand[0]?.cycle.id ?? "").stdout;
  expect(explained).toContain("A person asked for it on the command line; nothing was looked for.");
  expect(explained).toContain("bob");
  expect(explained).toMatch(/refused +pause/);
});
