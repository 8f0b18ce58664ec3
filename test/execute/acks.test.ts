/** What a person has seen and works on: no repeats, and everything that is news all the same. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { changeAcks, withAck } from "../../src/execute/acks.ts";
import type { Ack } from "../../src/types/ack.ts";
import { alertOf, bench, manualClock, only } from "./support.ts";

const opened = "2026-11-20T22:40:00Z";
const key = "service:0000000000000001";
const ack = (more: Partial<Ack> = {}): Ack => ({
  key,
  openedAt: opened,
  severity: "warning",
  rules: ["test"],
  by: "ann",
  at: "2026-11-20T22:41:00Z",
  note: "the disk is ordered",
  ...more,
});
const down = (more: Record<string, unknown> = {}) =>
  alertOf(1, "web is slow", { severity: "warning", since: opened, ...more });

/** Opened and announced as the clock begins; `later` is after the window. */
async function announced() {
  const clock = manualClock();
  clock.setWall((Date.parse(opened) - clock.now().wallMs) / 1000);
  const argus = bench({ system: { clock } });
  const say = async (proposal: Record<string, unknown>) => only(await argus.run([proposal]));
  const acknowledge = (made = ack()) =>
    changeAcks(
      argus.system.files,
      argus.stateDir,
      () => {},
      (acks) => withAck(acks, made),
    );
  expect((await say(down())).result).toBe("success");
  const later = () => clock.advance(argus.policy.dedupWindowSeconds + 1);
  return { argus, clock, say, acknowledge, later };
}

describe("an acknowledged problem", () => {
  it("is not told again after the window, and the refusal says who and when", async () => {
    const { say, acknowledge, later } = await announced();
    later();
    acknowledge();
    expect(await say(down())).toMatchObject({
      result: "suppressed",
      refusal: "duplicate",
      detail: "ann acknowledged it at 2026-11-20T22:41:00Z, and it is as it was then: the disk is ordered",
    });
  });

  it("is told again once it is taken back", async () => {
    const { say, acknowledge, later, argus } = await announced();
    later();
    acknowledge();
    changeAcks(
      argus.system.files,
      argus.stateDir,
      () => {},
      () => [],
    );
    expect((await say(down())).refusal).toBeNull();
  });

  it.each([
    ["has become worse", { severity: "critical" }],
    ["is found by another rule as well", { source: "rule:another" }],
    ["began anew", { since: "2026-11-21T10:00:00Z" }],
    ["asks a person to decide", { question: true }],
    ["has ended", { recovery: true }],
  ])("is told when it %s", async (_, more) => {
    const { say, acknowledge, later } = await announced();
    later();
    acknowledge();
    expect((await say(down())).refusal).toBe("duplicate");
    expect((await say(down(more))).refusal).toBeNull();
  });

  it("is told for the first time all the same, also after an outage before whose end nobody heard of", async () => {
    const { say, acknowledge, later } = await announced();
    later();
    const next = "2026-11-21T12:00:00Z";
    acknowledge(ack({ openedAt: next }));
    expect((await say(down({ since: next }))).refusal).toBeNull();
    const other = alertOf(2, "api is down", { since: next });
    acknowledge(ack({ key: "service:0000000000000002", openedAt: next, severity: "critical" }));
    expect((await say(other)).refusal).toBeNull();
  });

  it("is not told by the model's words about it either", async () => {
    const { say, acknowledge, later } = await announced();
    later();
    acknowledge();
    const { since: _, ...words } = down({ source: "llm:model" });
    expect((await say(words)).refusal).toBe("duplicate");
  });

  it("is forgotten with its outage, and not one that was acknowledged since", async () => {
    const { argus, acknowledge } = await announced();
    acknowledge();
    acknowledge(ack({ key: "service:0000000000000002" }));
    argus.executor.forgetAcks([{ key, openedAt: opened }]);
    expect(argus.executor.view().acks.map((each) => each.key)).toEqual(["service:0000000000000002"]);
    acknowledge(ack({ openedAt: "2026-11-21T12:00:00Z" }));
    argus.executor.forgetAcks([{ key, openedAt: opened }]);
    expect(argus.executor.view().acks).toHaveLength(2);
  });
});

it("a file that cannot be understood is set aside, said, and holds nothing back", async () => {
  const { argus, say, later, acknowledge } = await announced();
  later();
  acknowledge();
  writeFileSync(join(argus.stateDir, "acks.json"), '{"version":1,"acks":[{}]}');
  expect((await say(down())).refusal).toBeNull();
  expect(argus.notes.join()).toContain("acks.json has an unknown shape or version");
  expect(readFileSync(join(argus.stateDir, "acks.json.corrupt-1"), "utf8")).toContain('"acks":[{}]');
});

describe("from Telegram", () => {
  const problem = { key, openedAt: opened, severity: "warning" as const, rules: ["test"] };
  const by = { user: 7, name: "ann" };
  const asked = async (may: ("approve" | "silence" | "pause")[]) => {
    const clock = manualClock();
    const argus = bench({ system: { clock }, policy: { answering: { users: [7], may } } });
    return { argus, order: (wanted: object) => argus.executor.order({ by, ...wanted }) };
  };

  it("who may silence may acknowledge, and take it back", async () => {
    const { argus, order } = await asked(["silence"]);
    expect(order({ order: "ack", problem })).toEqual({
      done: true,
      text: `acknowledged ${key}: it is not told again until it changes or ends (/unack ${key})`,
    });
    expect(argus.executor.view().acks).toMatchObject([{ key, openedAt: opened, by: "ann (Telegram 7)" }]);
    expect(order({ order: "unack", key }).done).toBe(true);
    expect(argus.executor.view().acks).toEqual([]);
    expect(order({ order: "unack", key }).done).toBe(false);
  });

  it("others may not", async () => {
    const { argus, order } = await asked(["approve"]);
    expect(order({ order: "ack", problem }).done).toBe(false);
    expect(argus.executor.view().acks).toEqual([]);
  });
});
