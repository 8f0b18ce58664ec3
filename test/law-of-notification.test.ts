/**
 * The law of notification: after every cycle each finding of severity warning or worse whose condition still holds has
 * been alerted, or is held back by the dedup window, a silence or a maintenance window, or has been healing for at most
 * 60 s. No reason for not acting makes it silent.
 *
 * The cycle is the real one, and so is the executor of alerts with its gate, its dedup window and its outbox. The far
 * end is the process that changes the machine: it answers over a link as a test wants, with every refusal there is.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Parts } from "../src/cycle.ts";
import { createExecutor } from "../src/execute/executor.ts";
import { isOpenAt } from "../src/execute/maintenance.ts";
import { writePause } from "../src/execute/pause.ts";
import { policyOf } from "../src/execute/policy.ts";
import { createRemoteExecutor } from "../src/execute/remote.ts";
import { changeSilences, newSilenceId } from "../src/execute/silences.ts";
import { type Link, LinkLost } from "../src/system/link/client.ts";
import { type ActionRecord, type RefusalReason, refusalReasons } from "../src/types/action.ts";
import type { Severity } from "../src/types/problem.ts";
import { serviceFact } from "./escalate/samples.ts";
import { type World, world } from "./support/world.ts";

const healingSeconds = 60;
/** Default of ARGUS_RESTART_SETTLE_SECONDS. */
const settleSeconds = 3;
const windowSeconds = 3600;
/** What flaps is told less often. */
const flappingWindows = 3;

/** What the process that changes the machine says of a restart, and what becomes of the service. */
type Answer =
  | { readonly kind: "refused"; readonly reason: RefusalReason }
  | { readonly kind: "failed" }
  | { readonly kind: "no effect" }
  /** systemd is still at it. */
  | { readonly kind: "starting" }
  /** It runs when somebody looks again, and for so many cycles more. */
  | { readonly kind: "works"; readonly cycles: number }
  | { readonly kind: "away" };

interface Trouble {
  readonly severity: Severity;
  readonly resolves: boolean;
  readonly actions: readonly ("restart_service" | "alert" | "log")[];
}

const nameOf = (index: number): string => `unit-${index}`;

const ruleOf = ({ severity, resolves, actions }: Trouble, index: number) => ({
  name: `rule-${index}`,
  description: "Holds while the service does not run",
  forEach: "service",
  conditions: {
    all: [
      { fact: "service", path: "name", operator: "equal", value: nameOf(index) },
      { fact: "service", path: "activeState", operator: "notEqual", value: "active" },
    ],
  },
  event: {
    type: "service",
    params: {
      condition: "down",
      severity,
      subject: "{{service.name}}",
      summary: "{{service.name}} does not run",
      actions: actions.map((type) =>
        type === "restart_service" ? { type, target: "{{service.name}}" } : { type },
      ),
      resolves,
    },
  },
});

interface Options {
  readonly troubles: readonly Trouble[];
  /** Of unit-0 alone, by the clock of the test, which begins at 22:40 UTC. */
  readonly maintenance?: { readonly from: string; readonly to: string };
}

/** A machine on which each of these services is down, and an executor that answers as it is told. */
function machine({ troubles, maintenance }: Options) {
  const settings = {
    services: troubles.map((_, index) => ({ unit: nameOf(index), restart: true })),
    tickets: { enabled: false },
    ...(maintenance === undefined
      ? {}
      : { maintenance: [{ name: "window", ...maintenance, subjects: [nameOf(0)] }] }),
  };
  const its = world({ settings, rules: troubles.map(ruleOf) });
  const executorDir = join(its.dir, "executor");
  its.system.files.makeDirectory(executorDir);
  const policy = policyOf(its.config);
  const memory = createExecutor(its.system, policy, executorDir);
  const states = troubles.map(() => "failed");
  const upFor = troubles.map(() => 0);
  let answers: readonly Answer[] = [];
  let isAway = false;
  /** Since when a remedy that was applied may still heal it; null: nothing was applied. */
  const healingSince: (number | null)[] = troubles.map(() => null);

  function perform(raw: { type: string; target?: string; source: string; problem: string }): ActionRecord {
    const index = Number(String(raw.target).replace("unit-", ""));
    const answer = answers[index] ?? { kind: "failed" };
    const record = (more: Partial<ActionRecord>): ActionRecord => ({
      type: raw.type,
      target: raw.target ?? null,
      source: raw.source,
      problem: raw.problem,
      result: "success",
      refusal: null,
      verified: null,
      steps: [],
      detail: "as the test wants it",
      message: null,
      duration_ms: 0,
      values: {},
      ...more,
    });
    const heals = () => {
      healingSince[index] ??= its.clock.elapsed();
    };
    switch (answer.kind) {
      case "refused": {
        // These say that somebody is at it already, and nothing against the remedy before.
        if (!["not_needed", "target_gone", "duplicate"].includes(answer.reason)) healingSince[index] = null;
        const isQuiet = answer.reason === "duplicate" || answer.reason === "silenced";
        return record({ result: isQuiet ? "suppressed" : "skipped", refusal: answer.reason });
      }
      case "starting":
        states[index] = "activating";
        heals();
        return record({ values: { starting: true } });
      case "works":
        states[index] = "active";
        upFor[index] = answer.cycles;
        // Until it has stayed up for the settle time.
        heals();
        return record({ verified: true });
      case "no effect":
        healingSince[index] = null;
        return record({ verified: false });
      default:
        healingSince[index] = null;
        return record({ verified: false, result: "failure" });
    }
  }

  const link: Link = {
    async ask(method, params) {
      if (isAway) throw new LinkLost("connection refused", false);
      if (method === "view") return JSON.parse(JSON.stringify(memory.view()));
      if (method !== "execute") return null;
      const { proposals } = params as { proposals: Parameters<typeof perform>[0][] };
      return { actions: proposals.map(perform), notes: [] };
    },
    close: () => undefined,
  };
  const words = () => createRemoteExecutor(createExecutor(its.system, policy, its.stateDir), link);
  let executor = words();
  const facts = () => ({
    service: states.map((activeState, index) =>
      serviceFact({
        name: nameOf(index),
        activeState,
        subState: activeState === "failed" ? "failed" : "start",
        status: activeState === "active" ? "up" : activeState === "failed" ? "down" : "starting",
        down: activeState === "failed",
      }),
    ),
  });
  const collector: Parts["collector"] = {
    collect: async (self) => {
      const { uptimeSeconds, bootId } = its.clock.now();
      const host = { name: "landmass", bootId, uptimeSeconds, cores: 4 };
      return { takenAt: "", collectors: [], facts: { host, self, ...facts() } };
    },
  };

  /** One cycle with these answers; what runs long enough is down again before it. Time passes afterwards. */
  async function cycle(given: readonly Answer[], seconds: number): Promise<string[]> {
    answers = given;
    isAway = given.some(({ kind }) => kind === "away");
    for (const [index, state] of states.entries()) {
      if (state === "activating" && given[index]?.kind !== "starting") states[index] = "failed";
      if (state === "active") {
        upFor[index] = (upFor[index] ?? 0) - 1;
        if ((upFor[index] ?? 0) < 0) states[index] = "failed";
        else if (its.clock.elapsed() - (healingSince[index] ?? Infinity) >= settleSeconds)
          healingSince[index] = null;
      }
    }
    await its.look(facts(), 0, { executor, collector });
    const wrong = faults();
    its.clock.advance(seconds);
    return wrong;
  }

  /** What healed is judged anew: nobody saw what became of it meanwhile. */
  function restart(): void {
    its.restart();
    executor = words();
    healingSince.fill(null);
  }

  function faults(): string[] {
    const now = its.clock.now();
    return troubles.flatMap((trouble, index): string[] => {
      const name = nameOf(index);
      if (trouble.severity === "info" || states[index] === "active") return [];
      const firing = notesOf(its).filter(({ subject, state }) => subject === name && state === "firing");
      const lastMs = firing.at(-1)?.atMs;
      const flaps = firing.some(({ text }) => /comes and goes|flapping/i.test(text));
      const window = flaps ? flappingWindows * windowSeconds : windowSeconds;
      if (lastMs !== undefined && (now.wallMs - lastMs) / 1000 < window) return [];
      const silences = memory.view().silences;
      if (silences.some(({ match }) => match.subject === name)) return [];
      if (maintenance !== undefined && index === 0 && isOpen(maintenance, now)) return [];
      const since = healingSince[index] ?? null;
      if (since !== null && its.clock.elapsed() - since <= healingSeconds) return [];
      return [`${name} (${JSON.stringify(trouble)}) is down and nobody was told at ${its.clock.elapsed()} s`];
    });
  }

  return {
    its,
    cycle,
    restart,
    reboot() {
      its.clock.reboot();
      restart();
    },
    pause(seconds: number) {
      const now = its.clock.now().wallMs;
      const until = new Date(now + seconds * 1000).toISOString();
      const since = new Date(now).toISOString();
      writePause(its.system.files, executorDir, { until, reason: "", since }, () => {});
    },
    silence(index: number, seconds: number) {
      const now = its.clock.now();
      const iso = (ms: number) => new Date(ms).toISOString();
      changeSilences(
        its.system.files,
        executorDir,
        now,
        () => {},
        (all) => [
          ...all,
          {
            id: newSilenceId(all),
            match: { subject: nameOf(index) },
            since: iso(now.wallMs),
            until: iso(now.wallMs + seconds * 1000),
            reason: "",
            by: "ann",
            actions: false,
          },
        ],
      );
    },
  };
}

const isOpen = (window: { from: string; to: string }, now: { wallMs: number }): boolean =>
  isOpenAt(
    { ...window, days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], timeZone: "UTC" },
    { wallMs: now.wallMs, uptimeSeconds: 0, bootId: "" },
  );

function notesOf(its: World) {
  if (!existsSync(join(its.stateDir, "outbox"))) return [];
  return its
    .messages()
    .flatMap(({ text, notes = [] }) =>
      notes.map(({ subject, state, at }) => ({ subject, state, text, atMs: Date.parse(at) })),
    );
}

const restartable: Trouble = { severity: "critical", resolves: true, actions: ["restart_service"] };

describe("a service that stays down is alerted in the very cycle in which its restart", () => {
  // Of a dry run nobody is told by intention.
  it.each(refusalReasons.filter((reason) => reason !== "dry_run"))(
    "is refused because of %s",
    async (reason) => {
      const { cycle } = machine({ troubles: [restartable] });
      expect(await cycle([{ kind: "refused", reason }], 30)).toEqual([]);
    },
  );

  it.each(["failed", "no effect", "away"] as const)("is answered with: %s", async (kind) => {
    const { cycle } = machine({ troubles: [restartable] });
    expect(await cycle([{ kind }], 30)).toEqual([]);
  });
});

describe("a service that stays down", () => {
  it("and heals for more than a minute is alerted", async () => {
    const { cycle, its } = machine({ troubles: [restartable] });
    expect(await cycle([{ kind: "starting" }], 30)).toEqual([]);
    expect(notesOf(its)).toEqual([]);
    expect(await cycle([{ kind: "starting" }], 31)).toEqual([]);
    expect(await cycle([{ kind: "starting" }], 30)).toEqual([]);
    expect(notesOf(its)).toHaveLength(1);
  });

  it.each([true, false])(
    "is alerted while Argus is paused (its rule knows a remedy: %s)",
    async (resolves) => {
      const { cycle, pause } = machine({ troubles: [{ ...restartable, resolves }] });
      pause(3600);
      expect(await cycle([{ kind: "refused", reason: "paused" }], 30)).toEqual([]);
    },
  );

  it.each([true, false])(
    "is alerted within the boot grace (its rule knows a remedy: %s)",
    async (resolves) => {
      const { cycle, its } = machine({ troubles: [{ ...restartable, resolves }] });
      its.clock.reboot();
      its.clock.advance(10);
      expect(await cycle([{ kind: "refused", reason: "boot_grace" }], 30)).toEqual([]);
    },
  );

  it("is alerted when the silence about it is over", async () => {
    const { cycle, silence, its } = machine({ troubles: [restartable] });
    silence(0, 60);
    expect(await cycle([{ kind: "failed" }], 61)).toEqual([]);
    expect(notesOf(its)).toEqual([]);
    expect(await cycle([{ kind: "failed" }], 30)).toEqual([]);
    expect(notesOf(its)).toHaveLength(1);
  });

  it("is alerted when the maintenance window is over", async () => {
    const { cycle, its } = machine({ troubles: [restartable], maintenance: { from: "22:00", to: "22:41" } });
    expect(await cycle([{ kind: "failed" }], 61)).toEqual([]);
    expect(notesOf(its)).toEqual([]);
    expect(await cycle([{ kind: "failed" }], 30)).toEqual([]);
    expect(notesOf(its)).toHaveLength(1);
  });

  it("is alerted anew when the dedup window is over, and not before", async () => {
    const { cycle, its } = machine({ troubles: [restartable] });
    expect(await cycle([{ kind: "failed" }], windowSeconds - 1)).toEqual([]);
    expect(await cycle([{ kind: "failed" }], 1)).toEqual([]);
    expect(notesOf(its)).toHaveLength(1);
    expect(await cycle([{ kind: "failed" }], 1)).toEqual([]);
    expect(notesOf(its)).toHaveLength(2);
  });

  it.each(["warning", "critical"] as const)(
    "is alerted, although its rule only notes it (%s)",
    async (severity) => {
      const { cycle } = machine({ troubles: [{ severity, resolves: true, actions: ["log"] }] });
      expect(await cycle([], 30)).toEqual([]);
    },
  );
});

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({
    kind: fc.constant("refused" as const),
    reason: fc.constantFrom(...refusalReasons.filter((reason) => reason !== "dry_run")),
  }),
  fc.record({ kind: fc.constantFrom("failed" as const, "no effect" as const, "starting" as const) }),
  fc.record({ kind: fc.constant("works" as const), cycles: fc.integer({ min: 0, max: 3 }) }),
);
const trouble: fc.Arbitrary<Trouble> = fc.record({
  severity: fc.constantFrom("critical" as const, "warning" as const, "info" as const),
  resolves: fc.boolean(),
  actions: fc.constantFrom<Trouble["actions"]>(
    ["restart_service"],
    ["restart_service", "alert"],
    ["restart_service", "log"],
    ["alert"],
    ["log"],
    [],
  ),
});
const step = fc.record({
  answers: fc.array(answer, { minLength: 3, maxLength: 3 }),
  seconds: fc.constantFrom(1, 5, 29, 30, 61, 120, 599, 3599, 3601),
  before: fc.constantFrom("nothing", "nothing", "nothing", "reboot", "pause", "silence", "away", "restart"),
});

it("holds after every cycle, whatever is found, whatever is refused, and in whatever state Argus is", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(trouble, { minLength: 1, maxLength: 3 }),
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      async (troubles, steps, hasWindow) => {
        const maintenance = { from: "22:45", to: "23:50" };
        const one = machine({ troubles, ...(hasWindow ? { maintenance } : {}) });
        for (const { answers, seconds, before } of steps) {
          if (before === "reboot") one.reboot();
          if (before === "pause") one.pause(300);
          if (before === "silence") one.silence(0, 300);
          if (before === "restart") one.restart();
          const given = before === "away" ? [{ kind: "away" } as const] : answers;
          expect(await one.cycle(given, seconds)).toEqual([]);
        }
      },
    ),
    { numRuns: 60 },
  );
}, 240_000);
