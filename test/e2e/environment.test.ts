/** Variables of a process's environment that are none: Argus does its work, and says so until they are put right. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { argus, ended, until, unwrapped } from "./argus.ts";

const interval = 'environment: ARGUS_INTERVAL is "abc", but must be a whole number from 1 to 86400 (seconds)';
const instead = "what argus.env says, or the default, counts instead";

it("the daemon starts with the value of argus.env in place of the environment's, and its alert says so", async () => {
  const watch = argus({ ARGUS_INTERVAL: "abc" });
  writeFileSync(join(watch.dir, "argus.env"), "ARGUS_INTERVAL=1\n");
  const daemon = watch.start("run");
  await until("three cycles", () => (daemon.output().match(/"msg":"cycle"/g) ?? []).length >= 3);
  expect(daemon.output()).toContain(JSON.stringify(`${interval}; ${instead}`).slice(1, -1));
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
  const { findings } = watch.once();
  expect(findings.find(({ rule }) => rule === "argus-settings-broken")?.summary).toContain(
    `${interval}; ${instead}`,
  );
});

it("each command works, and one line says what does not count", () => {
  const watch = argus({ ARGUS_INTERVAL: "abc", ARGUS_PING_URL: "nowhere" });
  watch.run("run", "--once");
  for (const args of [
    ["run", "--once"],
    ["problems"],
    ["stats"],
    ["pause"],
    ["resume"],
    ["silence", "list"],
  ]) {
    const { status, stderr } = watch.run(...args);
    expect([args, status, unwrapped(stderr)]).toEqual([
      args,
      0,
      expect.stringMatching(
        /^argus: environment: ARGUS_\w+ is .* \(and 1 more: argus check\); what argus\.env says/,
      ),
    ]);
  }
  expect(unwrapped(watch.run("status").stdout)).toContain("The settings cannot be used: environment: ARGUS_");
  for (const [command, status] of [["check", 2] as const, ["doctor", 1] as const]) {
    const run = watch.run(command);
    expect([command, run.status]).toEqual([command, status]);
    expect(unwrapped(run.stdout)).toContain(interval);
  }
});

it.each([
  ["ARGUS_MODE", "wach"],
  ["ARGUS_DRY_RUN", "ture"],
])("an unclear %s is read as the wish that Argus only watches", (name, value) => {
  const watch = argus({ [name]: value });
  writeFileSync(join(watch.dir, "argus.env"), "ARGUS_MODE=act\n");
  const { mode, broken } = JSON.parse(watch.run("status", "--json").stdout);
  expect(mode).toBe("watch");
  expect(broken.settings.inForce).toBe("Argus only watches instead");
  const text = unwrapped(watch.run("mode").stdout);
  expect(text).toContain(`Mode: watch-only (because ${name} in the environment is unclear)`);
  expect(unwrapped(watch.run("doctor").stdout)).toContain(`because ${name} in the environment is unclear`);
});

it("good files are kept meanwhile, and one that breaks too is said beside it", () => {
  const watch = argus({ ARGUS_INTERVAL: "abc" });
  watch.settings({ budgets: { killsPerHour: 7 } });
  watch.once();
  writeFileSync(join(watch.dir, "argus.json"), "{");
  const { broken } = JSON.parse(watch.run("status", "--json").stdout);
  expect(broken.settings).toEqual({
    faults: [expect.stringContaining("argus.json:1: is not valid JSON"), interval],
    inForce: expect.stringMatching(
      /^the settings of \S+ \S+ UTC stay in force until that is fixed, and what argus\.env says, or the default, counts instead$/,
    ),
  });
  expect(watch.run("check", "--quick")).toMatchObject({ status: 2 });
});

it("a reload takes up the files, though the environment is as it was", async () => {
  const watch = argus({ ARGUS_INTERVAL: "abc" });
  expect(watch.run("check", "--quick")).toMatchObject({
    status: 0,
    stderr: `argus: ${interval}; ${instead}\n`,
  });
  const daemon = watch.start("run");
  await until("the first cycle", () => daemon.output().includes('"msg":"cycle"'));
  watch.settings({ services: [] });
  daemon.kill("SIGHUP");
  await until("the reload", () => (daemon.output().match(/"msg":"cycle"/g) ?? []).length >= 2);
  expect(daemon.output().match(/environment: ARGUS_INTERVAL is/g)?.length).toBeGreaterThanOrEqual(2);
  daemon.kill("SIGTERM");
  expect(await ended(daemon)).toBe(0);
});
