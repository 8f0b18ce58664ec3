/** A collector that fails cycle after cycle, and services that come and go, through the whole cycle to the messages. */
import { expect, it } from "vitest";
import type { Parts } from "../src/cycle.ts";
import type { Service } from "../src/types/facts.ts";
import { serviceFact } from "./escalate/samples.ts";
import { world } from "./support/world.ts";

const quiet = { tickets: { enabled: false } };

it("a collector that failed in three cycles is a problem, alerted once, and over when it answers", async () => {
  const its = world({ settings: quiet });
  const report = (status: "ok" | "failed") => ({
    name: "services",
    status,
    duration_ms: 5000,
    detail: status === "ok" ? "" : "systemctl did not answer within 5 s",
  });
  const seeing = (status: "ok" | "failed"): Partial<Parts> => ({
    collector: {
      collect: async (self) => ({ takenAt: "", collectors: [report(status)], facts: { self } }),
    },
  });
  const rules = async (status: "ok" | "failed") =>
    (await its.look({}, 30, seeing(status))).findings.map(({ rule }) => rule);
  expect(await rules("failed")).toEqual([]);
  expect(await rules("failed")).toEqual([]);
  its.restart();
  expect(await rules("failed")).toEqual(["argus-no-data"]);
  expect(await rules("failed")).toEqual(["argus-no-data"]);
  expect(
    its.messages().map(({ text }) => text.includes("services (3 cycles): systemctl did not answer")),
  ).toEqual([true]);
  for (let cycle = 0; cycle < 2; cycle += 1) expect(await rules("ok")).toEqual([]);
  expect(its.messages()).toHaveLength(2);
});

const web = (more: Partial<Service>) => ({ service: [serviceFact({ restartable: false, ...more })] });
const up = { activeState: "active", status: "up", down: false, downBecause: null };

it("nothing is called resolved before it is up, and has stayed up for the settle time", async () => {
  const its = world({ settings: quiet });
  await its.look(web({}), 30);
  expect(its.messages()).toHaveLength(1);
  const starting = { activeState: "activating", status: "starting", down: false, downBecause: null };
  for (let cycle = 0; cycle < 5; cycle += 1) await its.look(web(starting), 30);
  expect(its.messages()).toHaveLength(1);
  expect((await its.look(web(up), 2)).problems.resolved).toEqual([]);
  await its.look(web({}), 2);
  expect((await its.look(web(up), 2)).problems.resolved).toEqual([]);
  expect((await its.look(web(up), 1)).problems.resolved).toEqual([]);
  expect((await its.look(web(up), 1)).problems.resolved).toHaveLength(1);
  expect(its.messages()).toHaveLength(2);
});

it.each<[string, ReturnType<typeof web> | { service: Service[] }]>([
  [
    "a person stopped it",
    web({ activeState: "inactive", status: "stopped", down: false, stoppedByOperator: true }),
  ],
  ["argus.json does not name it any more", { service: [] }],
])("it is closed, not resolved, when %s", async (_, facts) => {
  const its = world({ settings: quiet });
  const { problems } = await its.look(web({}), 30);
  const over = await its.look(facts, 30);
  expect(over.problems).toMatchObject({ resolved: problems.opened, closed: problems.opened });
  await its.look(facts, 30);
  expect(its.messages().map(({ text }) => text.split(" ")[1])).toEqual(["CRITICAL", "CLOSED"]);
});

const endpoint = {
  name: "site",
  url: "http://127.0.0.1:9/",
  status: null,
  latencyMilliseconds: 4,
  service: null,
};

it("an endpoint that nobody probes any more is closed, not resolved", async () => {
  const its = world({ settings: quiet });
  const silent = { endpoint: [{ ...endpoint, ok: false, error: "refused" }] };
  for (let cycle = 0; cycle < 2; cycle += 1) await its.look(silent, 30);
  expect(its.messages()).toHaveLength(1);
  expect((await its.look({ endpoint: [] }, 30)).problems.closed).toHaveLength(1);
  expect(its.messages().map(({ text }) => text.split(" ")[1])).toEqual(["CRITICAL", "CLOSED"]);
});

it("one that answers again is resolved", async () => {
  const its = world({ settings: quiet });
  for (let cycle = 0; cycle < 2; cycle += 1)
    await its.look({ endpoint: [{ ...endpoint, ok: false, error: "refused" }] }, 30);
  for (let cycle = 0; cycle < 2; cycle += 1)
    await its.look({ endpoint: [{ ...endpoint, ok: true, error: null }] }, 30);
  expect(its.messages().map(({ text }) => text.split(" ")[1])).toEqual(["CRITICAL", "RESOLVED"]);
});
