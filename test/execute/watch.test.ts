/** While the mode is watch: everything is decided and spoken, and nothing is done on the machine. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeDecision } from "../../src/execute/approvals.ts";
import { createExecutor } from "../../src/execute/executor.ts";
import { writePause } from "../../src/execute/pause.ts";
import type { Policy } from "../../src/execute/policy.ts";
import { home, makeMachine } from "./clean/machine.ts";
import { modelMachine, orphanPids, socket } from "./model-machine.ts";
import {
  alertOf,
  bench,
  endedByItself,
  failed,
  manualClock,
  only,
  policy,
  proposal,
  recordedSystemd,
  restart,
  running,
  temporaryFolder,
} from "./support.ts";

function server(more: Partial<Policy> = {}) {
  const systemd = recordedSystemd();
  systemd.set("web.service", failed);
  systemd.afterRestart("web.service", running);
  systemd.journal(...endedByItself);
  const argus = bench({
    path: systemd.path,
    system: { clock: manualClock() },
    policy: { mode: "watch", ...more },
  });
  const act = () => argus.executor.replacePolicy({ ...argus.policy, mode: "act" });
  return { systemd, argus, act };
}

describe("an action while Argus only watches", () => {
  it("is refused after everything else was asked, with what it would have done", async () => {
    const { argus, systemd, act } = server();
    const refused = only(await argus.run([restart("web")]));
    expect(refused).toMatchObject({
      result: "skipped",
      refusal: "watch_only",
      verified: null,
      detail: "would run systemctl restart web",
    });
    const asked = refused.steps.map(({ step }) => step);
    act();
    const done = only(await argus.run([restart("web")]));
    expect(asked).toEqual([...done.steps.map(({ step }) => step), "mode"]);
    expect(refused.steps.at(-1)).toEqual({
      step: "mode",
      pass: false,
      detail: "Argus only watches: ARGUS_MODE is watch",
    });
    expect(done).toMatchObject({ result: "success", verified: true });
    expect(systemd.restarts()).toHaveLength(1);
  });

  it("counts against no budget and no delay", async () => {
    const { argus, act } = server({ budgets: { ...policy.budgets, restarts: 1 } });
    for (let cycle = 0; cycle < 5; cycle += 1)
      expect(only(await argus.run([restart("web")])).refusal).toBe("watch_only");
    expect(argus.executor.view()).toMatchObject({ mode: "watch", backoffs: [] });
    act();
    expect(only(await argus.run([restart("web")])).result).toBe("success");
    expect(argus.executor.view()).toMatchObject({ mode: "act", backoffs: [{ unit: "web", attempts: 1 }] });
  });

  it("shows within a cycle where the budget would have ended", async () => {
    const { argus, systemd } = server({ budgets: { ...policy.budgets, restarts: 1 } });
    systemd.set("api.service", failed);
    systemd.set("db.service", running);
    const refusals = (await argus.run([restart("web"), restart("api")])).map(({ refusal }) => refusal);
    expect(refusals).toEqual(["watch_only", "budget_exhausted"]);
  });

  it("is refused for what else stands in its way, where something does", async () => {
    const { argus } = server();
    expect(only(await argus.run([restart("sshd")])).refusal).toBe("not_allowlisted");
    writePause(
      argus.system.files,
      argus.stateDir,
      { until: null, reason: "", since: "2026-11-20T22:40:00Z" },
      () => {},
    );
    expect(only(await argus.run([restart("web")])).refusal).toBe("paused");
  });

  it("is spoken about as ever", async () => {
    const { argus } = server();
    const [, told] = await argus.run([restart("web"), alertOf(1, "web is down")]);
    expect(told?.result).toBe("success");
    expect(argus.outbox().map(({ text }) => text)).toEqual([expect.stringContaining("web is down")]);
  });

  it("is nothing that an approval is asked for", async () => {
    const { argus, act } = server({ approval: { rules: ["restart_service"], model: [], seconds: 3600 } });
    const refused = only(await argus.run([restart("web")]));
    expect([refused.refusal, refused.detail]).toEqual([
      "watch_only",
      "would run systemctl restart web, once a person approves it",
    ]);
    expect(argus.executor.view().approvals).toEqual([]);
    act();
    const id = String(only(await argus.run([restart("web")])).values["approval"]);
    expect(id).toMatch(/^\w{4}$/);

    // An approval from before does not make it act either, and is not used up.
    argus.executor.replacePolicy(argus.policy);
    writeDecision(argus.system.files, argus.stateDir, id, {
      yes: true,
      by: "bob",
      at: "2026-11-20T22:41:00Z",
    });
    const after = only(await argus.run([restart("web")]));
    expect([after.refusal, after.detail, after.values["approval"]]).toEqual([
      "watch_only",
      "would run systemctl restart web",
      id,
    ]);
    expect(argus.executor.view().approvals).toMatchObject([{ id, state: "approved" }]);
  });

  it("is done when a person asks for it on the command line", async () => {
    const { argus, systemd } = server();
    const cleaned = only(await argus.run([proposal("clean_disk", { source: "operator" })]));
    expect(cleaned.refusal).toBeNull();
    expect(only(await argus.run([restart("web", { source: "operator" })])).result).toBe("success");
    expect(systemd.restarts()).toHaveLength(1);
  });

  it("is forecast anew every half hour, because the forecast of a cleaning is a walk through all of it", async () => {
    const machine = makeMachine();
    machine.file(`${home}/.cache/pip/wheel`, "x".repeat(300_000));
    let passed = 0;
    let walks = 0;
    const { clock, files } = machine.system;
    const argus = bench({
      system: {
        ...machine.system,
        clock: {
          ...clock,
          now: () => ({ ...clock.now(), uptimeSeconds: clock.now().uptimeSeconds + passed }),
        },
        files: {
          ...files,
          statfs: (path) => {
            walks += 1;
            return files.statfs(path);
          },
        },
      },
      policy: { mode: "watch", homes: [home], logDir: "/var/lib/argus/logs", keep: [] },
    });
    const clean = async () => only(await argus.run([proposal("clean_disk", { target: "/" })]));
    const first = await clean();
    expect(first).toMatchObject({
      refusal: "watch_only",
      detail: expect.stringMatching(/^would have freed 30/),
    });
    const once = walks;
    expect(once).toBeGreaterThan(0);
    passed = 1700;
    expect((await clean()).detail).toBe(first.detail);
    expect(walks).toBe(once);
    passed = 1900;
    expect((await clean()).refusal).toBe("watch_only");
    expect(walks).toBeGreaterThan(once);
    expect(machine.exists(`${home}/.cache/pip/wheel`)).toBe(true);
  });

  it("is, of all, the cleaning alone where ARGUS_DISK_CLEAN_DRY_RUN is set, whoever asks for it", async () => {
    const machine = makeMachine();
    machine.file(`${home}/.cache/pip/wheel`, "x".repeat(300_000));
    const run = async (cleanDryRun: boolean, source: string) => {
      const dirs = { homes: [home], logDir: "/var/lib/argus/logs", keep: [] };
      const argus = bench({ system: machine.system, policy: { mode: "act", cleanDryRun, ...dirs } });
      return only(await argus.run([proposal("clean_disk", { target: "/", source })]));
    };
    for (const source of ["rule:disk-full", "operator"]) {
      expect(await run(true, source)).toMatchObject({
        ...{ result: "skipped", refusal: "watch_only", values: { cleanDryRun: true } },
        detail: expect.stringMatching(/^would have freed 30.*\(ARGUS_DISK_CLEAN_DRY_RUN is set\)$/),
      });
      expect(machine.exists(`${home}/.cache/pip/wheel`)).toBe(true);
    }
    expect(await run(false, "rule:disk-full")).toMatchObject({ result: "success" });
    expect(machine.exists(`${home}/.cache/pip/wheel`)).toBe(false);
    const { argus, systemd } = server({ mode: "act", cleanDryRun: true });
    expect(only(await argus.run([restart("web")])).result).toBe("success");
    expect(systemd.restarts()).toHaveLength(1);
  });

  it("is answered, when it is approved from afar, with what becomes of it: nothing", async () => {
    const { argus, act } = server({
      approval: { rules: ["restart_service"], model: [], seconds: 3600 },
      answering: { users: [7], may: ["approve"] },
    });
    act();
    const id = String(only(await argus.run([restart("web")])).values["approval"]);
    argus.executor.replacePolicy(argus.policy);
    expect(argus.executor.order({ order: "approve", by: { user: 7, name: "ann" }, id, yes: true })).toEqual({
      done: true,
      text: `approved ${id}: restart_service web is not done, because Argus only watches; argus mode act lets it act`,
    });
  });
});

const machineAction = fc.oneof(
  fc.constantFrom("web", "api", "db", "sshd").map((target) => ({ type: "restart_service", target })),
  fc
    .constantFrom(...orphanPids, 60, 61)
    .chain((target) =>
      fc.constantFrom(0, 5).map((off) => ({ type: "kill_pid", target, off }) as Record<string, unknown>),
    ),
  fc
    .constantFrom("one", "two", "three")
    .map((target) => ({ type: "kill_tmux", target, expect: { socket } }) as Record<string, unknown>),
  fc.constantFrom("/", "/tmp").map((target) => ({ type: "clean_disk", target })),
  fc.constant({ type: "hand_off", incident: "what happened" }),
);
const asked = fc
  .tuple(machineAction, fc.constantFrom("rule:a", "llm:m", "llm:hand-off", "self"))
  .map(([action, source]) => ({ ...action, source }));

it("whatever a rule, the model, an agent or Argus itself proposes, nothing is done", async () => {
  const refusals = new Set<unknown>();
  const cycle = fc.record({
    proposals: fc.array(asked, { minLength: 1, maxLength: 8 }),
    dryRun: fc.boolean(),
    restarts: fc.boolean(),
    seconds: fc.integer({ min: 0, max: 4000 }),
  });
  const lives = async (cycles: (typeof cycle extends fc.Arbitrary<infer T> ? T : never)[]) => {
    const machine = modelMachine();
    const stateDir = temporaryFolder();
    const its: Policy = {
      ...policy,
      mode: "watch",
      killable: ["node"],
      tmuxSockets: [socket],
      observationsFile: join(stateDir, "observations.md"),
      modelMayPropose: [...policy.modelMayPropose, "hand_off"],
    };
    let executor = createExecutor(machine.system, its, stateDir);
    for (const unit of ["web", "api"]) machine.units.set(`${unit}.service`, "failed");
    for (const pid of orphanPids) machine.spawnOrphan(pid, false);
    for (const name of ["one", "two", "three"]) machine.sessions.add(name);
    for (const [index, { proposals, dryRun, restarts, seconds }] of cycles.entries()) {
      const made = proposals.map(({ off, ...each }: Record<string, unknown>) =>
        proposal(String(each["type"]), {
          ...each,
          ...(off === undefined
            ? {}
            : { expect: { startTime: machine.startTimeOf(Number(each["target"])) + Number(off) } }),
        }),
      );
      const candidates = {
        restart_service: ["web", "api", "sshd"],
        kill_pid: machine.pids(),
        kill_tmux: [...machine.sessions],
        clean_disk: ["/", "/tmp"],
      };
      const request = { cycle: `c${index}`, host: "h", dryRun, proposals: made, candidates };
      const { actions } = await executor.execute(request, new AbortController().signal);
      for (const { result, refusal } of actions) {
        expect(result).not.toBe("success");
        expect(result).not.toBe("failure");
        refusals.add(refusal);
      }
      machine.clock.advance(seconds);
      if (restarts) executor = createExecutor(machine.system, its, stateDir);
    }
    expect(machine.effects).toEqual([]);
    expect(executor.view()).toMatchObject({ approvals: [], backoffs: [], handOffs: [] });
    rmSync(stateDir, { recursive: true, force: true });
  };
  await fc.assert(fc.asyncProperty(fc.array(cycle, { minLength: 1, maxLength: 6 }), lives), { numRuns: 150 });
  // Other refusals alone would pass all of the above.
  expect(refusals).toContain("watch_only");
}, 60_000);
