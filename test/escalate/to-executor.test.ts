/** From the model's reply to the machine: the executor takes what was offered, and nothing that was not. */
import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Handled } from "../../src/escalate/alerts.ts";
import { alertProposals } from "../../src/escalate/alerts.ts";
import { createEscalation } from "../../src/escalate/escalation.ts";
import { createExecutor } from "../../src/execute/executor.ts";
import { policyOf } from "../../src/execute/policy.ts";
import { createFiles } from "../../src/system/files.ts";
import { readProcessIdentity } from "../../src/system/proc.ts";
import type { Facts } from "../../src/types/snapshot.ts";
import { action, type ModelServer, reply, says, startModelServer } from "./model-server.ts";
import { type Bench, bench, handled, processFact, serviceFact, snapshot } from "./samples.ts";

let server: ModelServer;
let its: Bench;
let child: ChildProcess;
beforeEach(async () => {
  server = await startModelServer();
  its = bench(server.url);
  child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
});
afterEach(async () => {
  child.kill("SIGKILL");
  await server.close();
  its.remove();
});

const stop = new AbortController().signal;

async function consultAndExecute(found: readonly Handled[], facts: Facts, dryRun: boolean) {
  const config = its.config();
  const escalation = createEscalation(its.system, config, () => undefined);
  const context = { cycle: "c1", host: "landmass", problems: [], recent: [], signal: stop };
  const consultation = await escalation.ask({ ...context, snapshot: snapshot(facts), handled: found });
  const executor = createExecutor(its.system, policyOf(config), config.stateDir);
  const request = { cycle: "c1", host: "landmass", dryRun, candidates: consultation.candidates };
  const proposals = [...consultation.proposals, ...alertProposals(found, { problems: new Map(), nowMs: 0 })];
  const { actions } = await executor.execute({ ...request, proposals }, stop);
  return { consultation, actions };
}

const memory = handled({
  type: "memory",
  subject: "landmass",
  condition: "full",
  summary: "memory is 95 % used",
});

describe("a proposal of the model", () => {
  it("ends the very process that was offered, when the executor agrees", async () => {
    const pid = child.pid ?? 0;
    const identity = readProcessIdentity(createFiles("/"), pid);
    const kill = action({
      type: "kill_pid",
      target: pid,
      problem: memory.finding.key,
      reason: "it holds 1 of 2 GB",
    });
    server.will(says(reply({ actions: [kill] })));
    const ended = new Promise((resolve) => child.once("exit", (_, signal) => resolve(signal)));
    const facts = { process: [processFact({ pid, startTime: identity?.startTime ?? 0 })] };
    const { actions } = await consultAndExecute([memory], facts, false);
    expect(actions[0]).toMatchObject({
      type: "kill_pid",
      target: pid,
      source: "llm:claude-haiku-5-5",
      result: "success",
      refusal: null,
      verified: true,
    });
    expect(await ended).toBe("SIGTERM");
  });

  it("leaves a process alone that took over the pid since it was offered", async () => {
    const pid = child.pid ?? 0;
    server.will(
      says(reply({ actions: [action({ type: "kill_pid", target: pid, problem: memory.finding.key })] })),
    );
    const facts = { process: [processFact({ pid, startTime: 1 })] };
    const { actions } = await consultAndExecute([memory], facts, false);
    expect(actions[0]).toMatchObject({ type: "kill_pid", result: "skipped", refusal: "identity_changed" });
    expect(child.exitCode).toBeNull();
  });

  it("names a unit as the executor's gate knows it", async () => {
    server.will(
      says(
        reply({
          actions: [action({ type: "restart_service", target: "web", problem: handled().finding.key })],
        }),
      ),
    );
    const { actions } = await consultAndExecute([handled()], { service: [serviceFact()] }, true);
    const steps = Object.fromEntries((actions[0]?.steps ?? []).map(({ step, detail }) => [step, detail]));
    expect(steps["candidate"]).toBe("web was offered to the model");
  });

  it("tells people in the model's words, and the finding does not tell them again", async () => {
    server.will(says(reply({ actions: [action({ message: "pid 7 leaks", problem: memory.finding.key })] })));
    const { actions } = await consultAndExecute([memory], {}, false);
    expect(actions.map(({ source, result, refusal }) => ({ source, result, refusal }))).toEqual([
      { source: "llm:claude-haiku-5-5", result: "success", refusal: null },
      { source: "rule:unit-failed", result: "suppressed", refusal: "duplicate" },
    ]);
    expect(actions[0]?.message).toBe("memory is 95 % used\nThe model: pid 7 leaks");
  });

  it("leaves the finding to alert by itself when the model says nothing, or does not answer", async () => {
    for (const behaviour of [says(reply({})), says("nonsense")]) {
      its.remove();
      its = bench(server.url);
      server.will(behaviour);
      const { actions } = await consultAndExecute([memory], {}, false);
      expect(actions.map(({ type, source, result }) => ({ type, source, result }))).toEqual([
        { type: "alert", source: "rule:unit-failed", result: "success" },
      ]);
    }
  });
});
