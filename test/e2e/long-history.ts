/** Every command over a problem history and a decision log of a year, with the memory that it took. */
import { existsSync } from "node:fs";
import { expect } from "vitest";
import { writeLongHistory } from "../support/long-history.ts";
import { argus } from "./argus.ts";

/** The unit has 256 MB for all that the daemon does. */
const mostMegabytes = 150;
const hook =
  'process.on("exit", () => process.stderr.write("kilobytes=" + process.resourceUsage().maxRSS + "\\n"))';

/** Some that ended later on, when their turn came. */
const leftOut = /^argus: \S+ holds more problems than Argus keeps in memory: up to \d+ are left out.*\n/;

/** @returns the most that each command took, in MB. */
export function commandsOver(megabytes: number, units: number): Record<string, number> {
  const watch = argus({ NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` });
  const open = writeLongHistory(watch.state(""), { bytes: megabytes * 1e6, units, nowMs: Date.now() });
  const took: Record<string, number> = {};
  const isMoreThanFits = units > 20_000;
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = watch.run(...args);
    const said = stderr.replace(/kilobytes=\d+\n$/, "").replace(isMoreThanFits ? leftOut : /^$/, "");
    expect([args, status, said]).toEqual([args, 0, ""]);
    took[args.join(" ")] = Math.round(Number(/kilobytes=(\d+)/.exec(stderr)?.[1]) / 1000);
    return stdout;
  };
  const openNow = (): string[] =>
    JSON.parse(run("problems", "--open", "--json")).map(({ key }: { key: string }) => key);
  const [key = ""] = open;

  expect(openNow().sort()).toEqual([...open].sort());
  run("stats", "--since", "366d");
  run("problems");
  run("problems", "--json");
  run("explain");
  run("explain", key);
  run("status");
  run("summary");
  run("ack", key);
  expect(existsSync(watch.state("problems.jsonl.1"))).toBe(false);
  run("run", "--once");
  // Nobody has looked at these units: as far as anybody knows they are down still, and the rotation forgot none.
  expect(existsSync(watch.state("problems.jsonl.1"))).toBe(true);
  expect(existsSync(watch.state("trail.jsonl.1"))).toBe(true);
  expect(openNow().sort()).toEqual([...open].sort());
  expect(JSON.parse(run("stats", "--since", "366d", "--json")).problems.opened).toBeGreaterThan(
    Math.min(units, 50_000),
  );
  // Across the rotated file.
  expect(run("explain", key)).toContain("opened: unit-");
  for (const [command, megabytes] of Object.entries(took))
    expect([command, megabytes < mostMegabytes ? "fits" : megabytes]).toEqual([command, "fits"]);
  return took;
}
