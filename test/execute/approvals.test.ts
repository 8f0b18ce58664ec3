/** Actions that wait for a person's yes, through the executor over recorded programs and a manual clock. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openApprovals, writeDecision } from "../../src/execute/approvals.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { processStart } from "../../src/system/process-start.ts";
import {
  bench,
  endedByItself,
  failed,
  manualClock,
  only,
  proposal,
  recordedSystemd,
  restart,
  running,
} from "./support.ts";

const children: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function server(approval: Partial<Policy["approval"]> = { rules: ["restart_service"] }) {
  const systemd = recordedSystemd();
  systemd.set("web.service", failed);
  systemd.afterRestart("web.service", running);
  systemd.journal(...endedByItself);
  const clock = manualClock();
  const argus = bench({
    path: systemd.path,
    system: { clock },
    policy: { approval: { rules: [], model: [], seconds: 3600, ...approval } },
  });
  const ask = async (more: object = {}) => only(await argus.run([restart("web", { ...more })]));
  const decide = (id: unknown, yes: boolean) =>
    writeDecision(argus.system.files, argus.stateDir, String(id), {
      yes,
      by: "bob",
      at: "2026-11-20T22:41:00Z",
    });
  const waiting = () => argus.executor.view().approvals.map(({ id, state }) => `${id} ${state}`);
  return { systemd, clock, argus, ask, decide, waiting };
}

describe("an action that the policy lets wait for a person's yes", () => {
  it("is asked about once, with the commands that answer, and is not done", async () => {
    const { ask, systemd, waiting, clock } = server();
    const first = await ask();
    const id = first.values["approval"];
    expect(first).toMatchObject({
      result: "skipped",
      refusal: "needs_approval",
      verified: null,
      detail: `it waits for approval: argus approve ${id}, or argus deny ${id}, within 1 h`,
      values: { askedNow: true },
    });
    expect(first.steps.at(-1)?.step).toBe("approval");
    clock.advance(600);
    const second = await ask();
    expect(second.detail).toBe(
      `it waits for approval: argus approve ${id}, or argus deny ${id}, within 50 min`,
    );
    expect(second.values).toEqual({ approval: id });
    expect(waiting()).toEqual([`${id} pending`]);
    expect(systemd.calls()).toEqual([]);
  });

  it("is done after a yes, once: the next time somebody is asked again", async () => {
    const { ask, decide, systemd, waiting, clock } = server();
    const { values } = await ask();
    decide(values["approval"], true);
    const done = await ask();
    expect(done).toMatchObject({
      result: "success",
      verified: true,
      values: { approval: values["approval"] },
    });
    expect(done.steps.find(({ step }) => step === "approval")).toEqual({
      step: "approval",
      pass: true,
      detail: `bob approved ${values["approval"]} at 2026-11-20 22:41:00 UTC`,
    });
    expect(systemd.restarts()).toHaveLength(1);
    expect(waiting()).toEqual([]);
    systemd.set("web.service", failed);
    clock.advance(120);
    const again = await ask();
    expect(again).toMatchObject({ refusal: "needs_approval", values: { askedNow: true } });
    expect(again.values["approval"]).not.toBe(values["approval"]);
  });

  it("is not done after a no, and nobody is asked again until the question is over", async () => {
    const { ask, decide, systemd, clock } = server();
    const { values } = await ask();
    decide(values["approval"], false);
    clock.advance(1800);
    const denied = await ask();
    expect(denied).toMatchObject({
      refusal: "needs_approval",
      detail: `bob denied ${values["approval"]} at 2026-11-20 22:41:00 UTC; nobody is asked again for 30 min`,
    });
    clock.advance(1800);
    expect((await ask()).values).toMatchObject({ askedNow: true });
    expect(systemd.calls()).toEqual([]);
  });

  it("goes through gate and recheck again after the yes: what recovered by itself is left alone", async () => {
    const { ask, decide, systemd, waiting } = server();
    const { values } = await ask();
    decide(values["approval"], true);
    systemd.set("web.service", running);
    expect(await ask()).toMatchObject({ refusal: "not_needed" });
    expect(systemd.calls()).toEqual([]);
    // The yes was not used, and ends with its hour.
    expect(waiting()).toEqual([`${values["approval"]} approved`]);
  });

  it("is not done with a yes that came too late", async () => {
    const { ask, decide, systemd, clock } = server({ rules: ["restart_service"], seconds: 300 });
    const { values } = await ask();
    decide(values["approval"], true);
    clock.advance(300);
    const late = await ask();
    expect(late).toMatchObject({ refusal: "needs_approval", values: { askedNow: true } });
    expect(late.values["approval"]).not.toBe(values["approval"]);
    expect(systemd.calls()).toEqual([]);
  });

  it("is not done with a yes from before a reboot", async () => {
    const { ask, decide, systemd, clock } = server();
    const { values } = await ask();
    decide(values["approval"], true);
    clock.reboot();
    clock.advance(200);
    expect(await ask()).toMatchObject({ refusal: "needs_approval", values: { askedNow: true } });
    expect(systemd.calls()).toEqual([]);
  });

  it("is not asked about when the gate says no anyway", async () => {
    const { argus, waiting } = server();
    expect(only(await argus.run([restart("sshd")]))).toMatchObject({ refusal: "not_allowlisted" });
    expect(waiting()).toEqual([]);
  });

  it("is only announced by a dry run", async () => {
    const { argus, waiting } = server();
    expect(only(await argus.run([restart("web")], { dryRun: true }))).toMatchObject({
      refusal: "needs_approval",
      detail: "it would wait for approval (argus approve)",
    });
    expect(waiting()).toEqual([]);
  });

  it("keeps its question and its answer over a restart of Argus", async () => {
    const { argus, ask, decide, systemd } = server();
    const { values } = await ask();
    argus.restartArgus();
    expect((await ask()).values).toEqual({ approval: values["approval"] });
    decide(values["approval"], true);
    argus.restartArgus();
    expect(await ask()).toMatchObject({ result: "success" });
    expect(systemd.restarts()).toHaveLength(1);
  });

  it("does not take a word for a yes that it cannot understand", async () => {
    const { argus, ask, systemd } = server();
    const { values } = await ask();
    mkdirSync(join(argus.stateDir, "approvals"), { recursive: true });
    for (const text of [
      "",
      "yes",
      "{}",
      '{"version":1,"yes":"true","by":"eve","at":""}',
      '{"version":2,"yes":true,"by":"eve","at":""}',
    ]) {
      writeFileSync(join(argus.stateDir, "approvals", `${values["approval"]}.json`), text);
      expect(await ask(), text).toMatchObject({ refusal: "needs_approval" });
    }
    expect(systemd.calls()).toEqual([]);
  });

  it("is no reason to ask without end", async () => {
    const { argus, waiting } = server({ rules: ["kill_pid"] });
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    children.push(child);
    const pid = child.pid ?? 0;
    const expectation = { startTime: processStart(argus.system.files, pid) };
    for (let index = 0; index < 60; index += 1)
      await argus.run([
        proposal("kill_pid", {
          target: pid,
          expect: expectation,
          problem: `process:${String(index).padStart(16, "0")}`,
          problemType: "process",
        }),
      ]);
    expect(waiting()).toHaveLength(50);
  });
});

describe("a yes", () => {
  it("is for one problem, and for the very process that was asked about", async () => {
    const { argus } = server();
    const approvals = openApprovals(argus.system.files, argus.stateDir, () => {});
    const now = argus.system.clock.now();
    const task = (more: object) =>
      ({ proposal: proposal("kill_pid", { target: 7, expect: { startTime: 1 }, ...more }) }) as never;
    const asked = approvals.ask(task({}), 60, now);
    expect(approvals.find(task({ reason: "in other words" }), now)?.id).toBe(asked?.id);
    for (const other of [
      { target: 8 },
      { expect: { startTime: 2 } },
      { problem: "service:0000000000000002" },
      { type: "kill_tmux" },
    ])
      expect(approvals.find(task(other), now), JSON.stringify(other)).toBeNull();
  });

  it("is used up before the action begins: what cannot be noted is not done", async () => {
    const { argus, ask, decide, systemd } = server();
    const { values } = await ask();
    decide(values["approval"], true);
    const { writeAtomic } = argus.system.files;
    const full = (path: string, text: string) => {
      if (path.endsWith("approvals.json")) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      writeAtomic(path, text);
    };
    Object.assign(argus.system.files, { writeAtomic: full });
    expect(await ask()).toMatchObject({ result: "failure" });
    expect(systemd.restarts()).toEqual([]);
  });

  it("leaves no file of its question behind", async () => {
    const { argus, ask, decide } = server();
    const { values } = await ask();
    decide(values["approval"], true);
    const path = join(argus.stateDir, "approvals", `${values["approval"]}.json`);
    expect(existsSync(path)).toBe(true);
    await ask();
    expect(existsSync(path)).toBe(false);
    expect(JSON.parse(readFileSync(join(argus.stateDir, "approvals.json"), "utf8"))).toEqual({
      version: 1,
      questions: [],
    });
  });
});

describe("who asks", () => {
  const cases = [
    { list: "rules", source: "rule:test", waits: true },
    { list: "rules", source: "llm:haiku", waits: false },
    { list: "rules", source: "operator", waits: false },
    { list: "model", source: "llm:haiku", waits: true },
    { list: "model", source: "rule:test", waits: false },
    { list: "model", source: "self", waits: false },
  ] as const;
  it.each(cases)("$source, when $list must wait: $waits", async ({ list, source, waits }) => {
    const { argus } = server({ [list]: ["restart_service"] });
    const [record] = await argus.run([restart("web", { source })], {
      candidates: { restart_service: ["web"] },
    });
    expect(record?.refusal).toBe(waits ? "needs_approval" : null);
  });
});
