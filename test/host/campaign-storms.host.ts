/** The fault campaign, storms: much that fails together, against Argus as it is installed. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}${String(index).padStart(2, "0")}`);
const ours = numbered("ours", 50);
const others = numbered("others", 50);
const limit = 20;
const settings = (restartsPerHour: number) => ({
  services: [
    { unit: "shop", restart: true, requires: ["database"] },
    ...["database", "left", "right", ...ours].map((unit) => ({ unit, restart: true })),
  ],
  budgets: { restartsPerHour },
});
const env = { ARGUS_RESTART_SETTLE_SECONDS: 0 };

beforeAll(async () => {
  host = await bootHost({ name: "storms" });
  const needs = (name: string) => `Requires=${name}.service\nAfter=${name}.service`;
  await is.services(host, [
    { name: "database" },
    { name: "shop" },
    { name: "left", more: needs("right") },
    { name: "right", more: "Requires=left.service" },
    ...[...ours, ...others].map((name) => ({ name })),
  ]);
  await is.systemctl(host, "start", "database", "shop", "left", "right", ...ours, ...others);
  await is.installArgus(host, { settings: settings(limit), env });
});
afterAll(async () => await host?.stop());

async function states(names: readonly string[]): Promise<string[]> {
  return (await host.exec(["systemctl", "is-active", ...names])).stdout.split("\n");
}
const activeOf = async (names: readonly string[]) =>
  (await states(names)).filter((state) => state === "active").length;
const restartsOf = (names: readonly string[]) =>
  is
    .actions(host, "restart_service")
    .filter(({ target, result }) => names.includes(String(target)) && result === "success");
/** How often people were told of each unit; a message with many problems names them all by their keys. */
function timesTold(names: readonly string[]): number[] {
  const keys = new Map(is.registry(host).map(({ subject, key }) => [subject, key]));
  const told = is.alerts(host).flatMap(({ notes = [] }) => notes.map(({ problem }) => problem));
  return names.map((name) => told.filter((key) => key === keys.get(name)).length);
}
const once = (names: readonly string[]) => names.map(() => 1);

describe("two units that depend on each other and are both down", () => {
  it.each([
    { by: "the settings", units: ["shop", "database"], restarts: 2 },
    // Starting the one starts the other: it is not started a second time.
    { by: "systemd", units: ["left", "right"], restarts: 1 },
  ])("by $by: both run again, without a message to anybody", async ({ units, restarts }) => {
    await is.crash(host, ...units);
    await host.waitFor(async () => (await activeOf(units)) === 2, 15_000, "both");
    await is.moreCycles(host, 2);
    expect(await activeOf(units)).toBe(2);
    expect(restartsOf(units)).toHaveLength(restarts);
    expect(timesTold(units)).toEqual([0, 0]);
  });
});

describe("50 units that fail together", () => {
  it("are restarted up to the hour's budget, and people hear of the others, of each once", async () => {
    const spent = restartsOf(["shop", "database", "left", "right"]).length;
    await is.crash(host, ...ours);
    await host.waitFor(() => restartsOf(ours).length === limit - spent, 20_000, "the budget to be spent");
    const now = await states(ours);
    const down = ours.filter((_, index) => now[index] !== "active");
    expect(down).toHaveLength(50 - (limit - spent));
    await host.waitFor(() => timesTold(down).every((times) => times > 0), 15_000, "a word about each");
    await is.moreCycles(host, 3);
    expect(await states(ours)).toEqual(now);
    expect(timesTold(down)).toEqual(once(down));
    // A message has room for some; each part names those of its own.
    expect(is.alerts(host).length).toBeLessThanOrEqual(6);
    const { text } = await is.explained(host, down[0] ?? "");
    expect(text).toMatch(/refused restart_service ours\d\d \(budget_exhausted\): 20 of 20 restarts/);
  });

  it("are all up again once the budget allows it", async () => {
    await is.configure(host, { settings: settings(100), env });
    await is.systemctl(host, "reload", "argus");
    await host.waitFor(() => restartsOf(ours).length === 50, 20_000, "all 50");
    expect(await activeOf(ours)).toBe(50);
  });

  it("and that nobody told Argus about are all named in a few messages, and none is touched", async () => {
    const before = is.alerts(host).length;
    await is.crash(host, ...others);
    await host.waitFor(() => timesTold(others).every((times) => times > 0), 15_000, "a word about each");
    await is.moreCycles(host, 2);
    expect(await activeOf(others)).toBe(0);
    expect(timesTold(others)).toEqual(once(others));
    const messages = is.alerts(host).slice(before);
    expect(messages.length).toBeLessThanOrEqual(4);
    const text = messages.map((message) => message.text).join("\n");
    for (const name of others) expect(text).toContain(`${name} failed`);
  });
});
