/** A person's word from afar, as the executor takes it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openApprovals } from "../../src/execute/approvals.ts";
import { obey } from "../../src/execute/orders.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { changeSilences } from "../../src/execute/silences.ts";
import type { Order } from "../../src/types/orders.ts";
import {
  alertOf,
  bench,
  endedByItself,
  failed,
  manualClock,
  only,
  recordedSystemd,
  restart,
  running,
} from "./support.ts";

const key = (number: number) => `service:${String(number).padStart(16, "0")}`;
const ann = { user: 7, name: "ann" };
const all = { users: [7, 8], may: ["approve", "silence", "pause"] } as const;

function server(answering: Policy["answering"] = { users: [...all.users], may: [...all.may] }) {
  const systemd = recordedSystemd();
  systemd.set("web.service", failed);
  systemd.afterRestart("web.service", running);
  systemd.journal(...endedByItself);
  const clock = manualClock();
  const approval = { rules: ["restart_service" as const], model: [], seconds: 3600 };
  const argus = bench({ path: systemd.path, system: { clock }, policy: { approval, answering } });
  const order = (wanted: object) => argus.executor.order({ by: ann, ...wanted });
  const asked = async () => String(only(await argus.run([restart("web")])).values["approval"]);
  return { argus, clock, order, asked, systemd };
}

describe("a yes or a no", () => {
  it("counts like that of the command line, under the name of who said it, and once", async () => {
    const { order, asked, argus, systemd } = server();
    const id = await asked();
    expect(order({ order: "approve", id, yes: true })).toEqual({
      done: true,
      text: `approved ${id}: restart_service web; the next cycle does it, if it is still called for`,
    });
    const done = only(await argus.run([restart("web")]));
    expect(done.result).toBe("success");
    expect(done.steps.find(({ step }) => step === "approval")?.detail).toContain("ann (Telegram 7)");
    expect(systemd.restarts()).toHaveLength(1);
    expect(order({ order: "approve", id, yes: true })).toEqual({
      done: false,
      text: `nothing waits under the id ${id} any more`,
    });
  });

  it("may be a no", async () => {
    const { order, asked, argus, systemd } = server();
    const id = await asked();
    expect(order({ order: "approve", id, yes: false }).text).toBe(
      `denied ${id}: restart_service web is not done, and nobody is asked about it again for a while`,
    );
    expect(only(await argus.run([restart("web")]))).toMatchObject({ refusal: "needs_approval" });
    expect(systemd.restarts()).toEqual([]);
  });

  it("is none for an id that leads out of the folder", () => {
    const { order, argus } = server();
    expect(order({ order: "approve", id: "../../pause", yes: true }).done).toBe(false);
    expect(argus.executor.view().pause).toBeNull();
  });
});

it("a silence holds messages about its problem back until its end, and can be ended before", async () => {
  const { order, argus, clock } = server();
  const alert = async () => only(await argus.run([alertOf(1, "web is down")])).refusal;
  const made = order({ order: "silence", key: key(1), seconds: 3600 });
  const [{ id, by } = { id: "", by: "" }] = argus.executor.view().silences;
  expect(made.text).toBe(
    `silenced ${key(1)} until 2026-11-20 23:40:00 UTC (/unsilence ${id}); the watching goes on`,
  );
  expect(by).toBe("ann (Telegram 7)");
  expect(await alert()).toBe("silenced");
  expect(order({ order: "unsilence", id: "zzzz" })).toEqual({
    done: false,
    text: "there is no silence zzzz",
  });
  expect(order({ order: "unsilence", id }).done).toBe(true);
  expect(await alert()).toBeNull();
  const held = {
    id: "root",
    match: { subject: "web" },
    since: "2026-11-20T22:00:00Z",
    until: "2026-11-21T22:00:00Z",
    reason: "a move",
    by: "root",
    actions: true,
  };
  changeSilences(
    argus.system.files,
    argus.stateDir,
    clock.now(),
    () => undefined,
    () => [held],
  );
  expect(order({ order: "unsilence", id: "root" })).toEqual({
    done: false,
    text: "root made it with --actions: argus silence remove root",
  });
  changeSilences(
    argus.system.files,
    argus.stateDir,
    clock.now(),
    () => undefined,
    () => [],
  );
  order({ order: "silence", key: key(2), seconds: 60 });
  clock.advance(61);
  expect(argus.executor.view().silences).toEqual([]);
});

it("a pause stops actions until its end or a word, and says who wanted it", async () => {
  const { order, argus, clock } = server();
  expect(order({ order: "resume" })).toEqual({ done: false, text: "Argus was not paused" });
  expect(order({ order: "pause", seconds: 600 }).text).toBe(
    "paused until 2026-11-20 22:50:00 UTC: no restarts, kills or cleaning; alerts and notes go on",
  );
  expect(argus.executor.view().pause).toMatchObject({ by: "ann (Telegram 7)", reason: "by Telegram" });
  expect(only(await argus.run([restart("web")])).refusal).toBe("paused");
  expect(order({ order: "resume" }).text).toBe(
    "resumed; it was paused since 2026-11-20 22:40:00 UTC (by Telegram)",
  );
  order({ order: "pause", seconds: null });
  clock.advance(86_400);
  expect(argus.executor.view().pause).toMatchObject({ until: null });
});

it("what was done stands in the trail with who asked, and so does what was refused", async () => {
  const { argus, order } = server();
  order({ order: "pause", seconds: null });
  order({ order: "pause", seconds: null, by: { user: 9, name: "eve\nroot" } });
  const reply = await argus.executor.execute(
    { cycle: "c", host: "h", dryRun: false, proposals: [alertOf(1, "web is down")] },
    new AbortController().signal,
  );
  expect(reply.notes).toEqual([
    "ann (Telegram 7): paused until /resume: no restarts, kills or cleaning; alerts and notes go on",
    "eve\\nroot (Telegram 9) may not pause here, and wanted to",
  ]);
});

describe("whose word counts", () => {
  const orders: Record<string, object> = {
    approve: { order: "approve", id: "abcd", yes: true },
    silence: { order: "silence", key: key(1), seconds: 60 },
    unsilence: { order: "unsilence", id: "abcd" },
    ack: {
      order: "ack",
      problem: { key: key(1), openedAt: "2026-11-20T22:00:00Z", severity: "warning", rules: [] },
    },
    unack: { order: "unack", key: key(1) },
    pause: { order: "pause", seconds: null },
    resume: { order: "resume" },
  };
  const kinds = {
    approve: "approve",
    silence: "silence",
    unsilence: "silence",
    ack: "silence",
    unack: "silence",
    pause: "pause",
    resume: "pause",
  };

  it.each(Object.keys(orders))("nobody's for %s without the setting, and no stranger's with it", (name) => {
    const refusal = { done: false, text: `you may not ${name} here: see telegram in argus.json` };
    expect(server(null).order({ ...orders[name] })).toEqual(refusal);
    expect(server().order({ ...orders[name], by: { user: 9, name: "ann" } })).toEqual(refusal);
  });

  it.each(Object.entries(kinds))("for %s only where they may %s", (name, kind) => {
    const others = all.may.filter((each) => each !== kind);
    expect(server({ users: [7], may: [...others] }).order({ ...orders[name] }).text).toMatch(/^you may not /);
    const may = [kind] as (typeof all.may)[number][];
    expect(server({ users: [7], may }).order({ ...orders[name] }).text).not.toMatch(/^you may not /);
  });

  const broken: [string, unknown][] = [
    ["no order", null],
    ["a kind that there is not", { order: "restart", by: ann }],
    ["nobody", { order: "resume" }],
    ["more than it may hold", { order: "resume", by: ann, sudo: true }],
    ["a time without end", { order: "silence", by: ann, key: key(1), seconds: 1e12 }],
    ["a key that is a path", { order: "silence", by: ann, key: "../x", seconds: 60 }],
    ["a number as a text", { order: "resume", by: { user: "7", name: "ann" } }],
  ];
  it.each(broken)("is not asked about %s", (_, raw) => {
    const { argus } = server();
    expect(argus.executor.order(raw)).toEqual({
      done: false,
      text: "that is no order that the executor knows",
    });
  });

  it("and whatever comes over the link, nothing is written for anybody else", () => {
    const users = fc.constantFrom(7, 8, 9, 0, -7, 7.5);
    const wanted = fc.oneof(
      fc.record({ order: fc.constantFrom("resume", "pause"), seconds: fc.option(fc.nat()) }),
      fc.record({ order: fc.constant("silence"), key: fc.constantFrom(key(1), "x"), seconds: fc.integer() }),
      fc.record({ order: fc.constant("approve"), id: fc.string(), yes: fc.boolean() }),
      fc.anything(),
    );
    const { argus } = server();
    const files: string[] = [];
    const watched = {
      ...argus.system.files,
      writeAtomic: (path: string) => void files.push(path),
      makeDirectory: () => undefined,
      remove: (path: string) => void files.push(path),
    };
    fc.assert(
      fc.property(wanted, users, (raw, user) => {
        files.length = 0;
        const order = typeof raw === "object" && raw !== null ? { ...raw, by: { user, name: "x" } } : raw;
        const desk = {
          files: watched,
          stateDir: argus.stateDir,
          approvals: openApprovals(watched, argus.stateDir, () => undefined),
          policy: { ...argus.policy, answering: { users: [7], may: [...all.may] } },
          now: manualClock().now(),
          note: () => undefined,
        };
        const { done } = obey(order as Order, desk);
        if (user !== 7) expect([done, files]).toEqual([false, []]);
      }),
      { numRuns: 500 },
    );
  });
});
