/** A service that is down and its endpoint that does not answer are one problem. */
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { detect } from "../../src/detect/detect.ts";
import { loadRules } from "../../src/detect/load.ts";
import { createFiles } from "../../src/system/files.ts";
import type { Endpoint } from "../../src/types/facts.ts";
import { serviceFact } from "../escalate/samples.ts";

const endpoint = (more: Partial<Endpoint>): Endpoint => ({
  name: "web",
  url: "http://127.0.0.1:9/",
  ok: false,
  status: null,
  latencyMilliseconds: null,
  error: "refused",
  service: "web",
  ...more,
});

async function look(endpoints: Endpoint[], services = [serviceFact()]) {
  const root = resolve(".");
  const loaded = loadRules(createFiles("/"), { rulesDir: `${root}/rules`, localRulesDir: `${root}/none` });
  if (!loaded.ok) throw new Error("the shipped rules do not load");
  let streaks = new Map();
  let findings: Awaited<ReturnType<typeof detect>>["findings"] = [];
  for (let cycle = 0; cycle < 3; cycle += 1) {
    const output = await detect({
      rules: loaded.set,
      facts: { service: services, endpoint: endpoints },
      streaks,
      problemOf: () => ({ occurrences24h: 1, openSeconds: 0 }),
      now: { wallMs: cycle * 30_000, uptimeSeconds: 1000 + cycle * 30, bootId: "b" },
      scheduled: true,
      maxGapSeconds: 3600,
    });
    streaks = new Map(output.streaks);
    findings = output.findings;
  }
  return findings.map(({ rule, type, subject, condition, key }) => ({ rule, type, subject, condition, key }));
}

it("with one key", async () => {
  const [down, unreachable, ...others] = await look([endpoint({})]);
  expect(others).toEqual([]);
  expect(down).toMatchObject({ rule: "service-down", type: "service", subject: "web", condition: "down" });
  expect(unreachable).toMatchObject({
    rule: "endpoint-unreachable",
    type: "service",
    subject: "web",
    condition: "down",
  });
  expect(unreachable?.key).toBe(down?.key);
});

it("and not that of an endpoint on its own, or of one that answers slowly", async () => {
  const up = [serviceFact({ activeState: "active", status: "up", down: false, downBecause: null })];
  const own = endpoint({ name: "site", service: null });
  const slow = endpoint({ ok: true, latencyMilliseconds: 5000 });
  expect(await look([own, slow], up)).toMatchObject([
    { rule: "endpoint-unreachable", type: "endpoint", subject: "site", condition: "unreachable" },
    { rule: "endpoint-slow", type: "endpoint", subject: "web", condition: "slow" },
  ]);
});
