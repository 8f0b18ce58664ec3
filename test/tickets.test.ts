/** From what a cycle finds to what stands in the tracker, against programs that behave as bd and br do. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { statusData } from "../src/cli/status.ts";
import { changeSilences } from "../src/execute/silences.ts";
import { explainProblem } from "../src/report/explain-problem.ts";
import { problemsReport } from "../src/report/problems.ts";
import { statusReport } from "../src/report/status.ts";
import { createStyle } from "../src/report/style.ts";
import type { HandOffRun } from "../src/types/hand-off.ts";
import type { RegistryRecord } from "../src/types/problem.ts";
import type { Facts } from "../src/types/snapshot.ts";
import { action, reply, says, startModelServer } from "./escalate/model-server.ts";
import { serviceFact } from "./escalate/samples.ts";
import { endedByItself, failed, recordedSystemd } from "./execute/support.ts";
import { type Beads, fakeBeads } from "./support/beads.ts";
import { folder, type Wishes, type World, world } from "./support/world.ts";
import { madeUpSecret } from "./system/made-up-secrets.ts";

function server(wishes: Wishes = {}, tool: "bd" | "br" = "bd"): { its: World; beads: Beads } {
  const dir = folder();
  const beads = fakeBeads(dir, tool, tool === "br" ? "counted" : "envelope");
  return { beads, its: world({ dir, ...wishes, path: [beads.path, wishes.path ?? ""].join(":") }) };
}

async function looks(its: World, facts: Facts, cycles = 1, seconds = 30) {
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    await its.look(facts, seconds);
    await its.settle();
  }
}

/** Not one that Argus may restart. */
const down = (result = "exit-code"): Facts => ({
  service: [serviceFact({ name: "app", watched: false, restartable: false, result })],
});
const up: Facts = {
  service: [
    serviceFact({
      name: "app",
      watched: false,
      restartable: false,
      activeState: "active",
      result: "success",
    }),
  ],
};
const records = (its: World): RegistryRecord[] =>
  readFileSync(join(its.stateDir, "problems.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const onlyKey = (its: World): string => [...its.parts().registry.problems().keys()][0] ?? "";
const open = (beads: Beads) => beads.issues().filter(({ status }) => status === "open");

/** A rule that holds whatever is seen, in place of the shipped ones. */
const holds = (params: object) => ({
  name: "leaky",
  description: "Holds while there is a disk",
  forEach: "disk",
  conditions: { all: [{ fact: "disk", path: "usedPercent", operator: "greaterThan", value: 0 }] },
  event: {
    type: "disk",
    params: {
      condition: "leaky",
      severity: "warning",
      subject: "{{disk.mount}}",
      summary: "it leaks",
      ...params,
    },
  },
});
const disk = {
  disk: [
    {
      mount: "/",
      device: "/dev/vda1",
      type: "ext4",
      usedPercent: 50,
      availableBytes: 1e9,
      inodesUsedPercent: 5,
      fullInHours: null,
    },
  ],
} as unknown as Facts;

describe.each(["bd", "br"] as const)("with %s", (tool) => {
  it("a problem without a remedy has one ticket, which is closed when it is over, and the record names it", async () => {
    const { its, beads } = server({}, tool);
    await looks(its, down(), 4);
    const id = `${tool}-1`;
    expect(beads.issues()).toMatchObject([
      { id, status: "open", labels: ["argus"], issue_type: "bug", priority: 2 },
    ]);
    const [{ title = "", description = "" } = {}] = beads.issues();
    expect(title).toMatch(/^\[argus\] service: app failed \(exit-code\)$/);
    expect(description.split("\n").slice(0, 3)).toEqual([
      `Problem key: ${onlyKey(its)}`,
      "Host: landmass",
      "Severity: warning",
    ]);
    expect(description).toContain("Why a ticket: No automatic remedy has resolved it.");
    expect(description).toContain("Seen: service.activeState = ");
    expect(records(its).find(({ event }) => event === "ticket")).toMatchObject({
      bead_id: id,
      action_taken: `file_bead:${id}`,
      reason: "filed",
    });
    await looks(its, up, 3);
    expect(beads.issues()).toMatchObject([
      { status: "closed", close_reason: expect.stringMatching(/^Argus saw the problem resolved at 2026-/) },
    ]);
    expect(records(its).at(-1)).toMatchObject({ event: "ticket", bead_id: id, reason: "closed" });
    expect(its.parts().registry.problems().get(onlyKey(its))?.beadId).toBeNull();
  });

  it("an open ticket is found again when the state of Argus was lost, also one that somebody works on", async () => {
    const { its, beads } = server({}, tool);
    await looks(its, down(), 2);
    for (const status of ["open", "in_progress", "blocked"]) {
      beads.change((issues) => {
        for (const issue of issues) issue.status = status;
      });
      for (const name of ["tickets.json", "problems.jsonl", "ticket-requests"])
        rmSync(join(its.stateDir, name), { recursive: true, force: true });
      its.restart();
      await looks(its, down(), 3);
      expect(beads.issues()).toHaveLength(1);
    }
    expect(records(its).find(({ event }) => event === "ticket")).toMatchObject({ reason: "reused" });
    await looks(its, up, 3);
    expect(beads.issues()).toMatchObject([{ status: "closed" }]);
  });

  it("a failing tracker is asked again, ever more rarely, and nothing is lost", async () => {
    const { its, beads } = server({}, tool);
    beads.is("*", "fails");
    await its.look(down(), 30);
    expect(await its.settle()).toMatchObject({
      done: [],
      trouble: `${tool} list: ${tool === "bd" ? "Error: " : ""}database is locked`,
    });
    await looks(its, down(), 240);
    // Two hours: at once, after 1, 2, 4 ... minutes, then once an hour.
    expect(beads.calls().length).toBeLessThanOrEqual(9);
    its.restart();
    beads.is("*", "works");
    await looks(its, down(), 120);
    expect(beads.issues()).toHaveLength(1);
  });
});

describe("a ticket", () => {
  it("that was made although the answer never came is found, and none is made a second time", async () => {
    const { its, beads } = server();
    beads.is("create", "does it and hangs");
    await its.look(down(), 30);
    const news = await its.settle(2000);
    expect(news?.trouble).toMatch(/^bd create: no answer within \d s$/);
    beads.is("create", "works");
    await looks(its, down(), 4);
    expect(beads.issues()).toHaveLength(1);
    expect(records(its).find(({ event }) => event === "ticket")).toMatchObject({ bead_id: "bd-1" });
  });

  it("that a person closed stays closed as long as the outage lasts", async () => {
    const { its, beads } = server();
    await looks(its, down(), 2);
    beads.change((issues) => {
      for (const issue of issues) issue.status = "closed";
    });
    await looks(its, down(), 300);
    expect(beads.issues()).toHaveLength(1);
  });

  it("is not closed where the settings say so, and is used again for the next outage", async () => {
    const { its, beads } = server({ settings: { tickets: { closeResolved: false } } });
    for (let outage = 0; outage < 2; outage += 1) {
      await looks(its, down(), 2);
      await looks(its, up, 4, 3600);
    }
    expect(beads.issues()).toMatchObject([{ status: "open" }]);
    expect(beads.calls("close")).toEqual([]);
  });

  it("is not asked for by a dry run, nor where none are wanted", async () => {
    for (const wishes of [{ env: { ARGUS_DRY_RUN: "1" } }, { settings: { tickets: { enabled: false } } }]) {
      const { its, beads } = server(wishes);
      await looks(its, down(), 3);
      expect(beads.calls()).toEqual([]);
      expect(existsSync(join(its.stateDir, "ticket-requests"))).toBe(false);
    }
  });

  it("waits for the end of a silence", async () => {
    const { its, beads } = server();
    changeSilences(
      its.system.files,
      its.stateDir,
      its.clock.now(),
      () => {},
      () => [
        {
          id: "ab23",
          match: { subject: "app" },
          since: "2026-11-20T22:40:00.000Z",
          until: "2026-11-20T23:40:00.000Z",
          reason: "",
          by: "bob",
          actions: false,
        },
      ],
    );
    await looks(its, down(), 119);
    expect(beads.issues()).toEqual([]);
    await looks(its, down(), 4);
    expect(beads.issues()).toHaveLength(1);
  });

  it("holds no secret", async () => {
    const secret = madeUpSecret("github", 3);
    const { its, beads } = server({
      rules: [
        holds({ summary: `it leaks ${secret}`, actions: [{ type: "file_bead", message: `see ${secret}` }] }),
      ],
    });
    await looks(its, disk, 2);
    const text = JSON.stringify([beads.issues(), beads.calls()]);
    expect(text).toContain("The rule leaky asks for it: see ");
    expect(text).not.toContain(secret);
  });

  it("is filed about what was noted three times within the window of the settings, not before", async () => {
    const rule = holds({ severity: "info", actions: [{ type: "log", message: "noted" }], resolves: true });
    const { its, beads } = server({ rules: [rule] });
    await looks(its, disk, 2);
    expect(beads.issues()).toEqual([]);
    await looks(its, disk, 5);
    expect(beads.issues()).toHaveLength(1);
    expect(beads.issues()[0]?.description).toContain("It was noted 3 times within 1 d.");
    const rare = server({ rules: [rule], env: { ARGUS_BEAD_REPEAT_WINDOW_SECONDS: "600" } });
    await looks(rare.its, disk, 10, 301);
    expect(rare.beads.issues()).toEqual([]);
  });
});

describe("without a tool", () => {
  it("nothing is asked for, which is said once, also after a restart, and it goes on when there is one", async () => {
    const { its, beads } = server();
    beads.remove();
    const notes: string[] = [];
    for (let cycle = 0; cycle < 6; cycle += 1) {
      const done = await its.look(down(), 30);
      await its.settle();
      notes.push(...done.notes.filter((note) => note.includes("ticket")));
      expect(done.actions.filter(({ type }) => type === "file_bead")).toEqual([]);
      if (cycle === 2) its.restart();
    }
    expect(notes).toEqual([
      "no tickets are filed: there is no bd or br here; argus doctor says how to get them",
    ]);
    expect(statusData(its.system, its.config).tickets).toMatchObject({ missing: "bd or br" });
    beads.install();
    await looks(its, down(), 2);
    expect(beads.issues()).toHaveLength(1);
    expect(statusData(its.system, its.config).tickets).toMatchObject({ missing: null, open: 1 });
  });

  it("the other one of the two is taken", async () => {
    const { its } = server({}, "br");
    await looks(its, down(), 1);
    expect(its.parts().registry.problems().get(onlyKey(its))?.beadId).toBe("br-1");
  });
});

describe("a slow tracker", () => {
  it("keeps no cycle waiting: cycles go on while it is asked", async () => {
    const { its, beads } = server();
    beads.is("list", "hangs");
    await its.look(down(), 30);
    const settling = its.settle(3000);
    let isSettled = false;
    void settling.then(() => {
      isSettled = true;
    });
    for (let cycle = 0; cycle < 5; cycle += 1) await its.look(down(), 30);
    expect(isSettled).toBe(false);
    // Another one does not wait either.
    expect(await its.settle()).toBeNull();
    expect((await settling)?.trouble).toMatch(/^bd list: no answer within \d s$/);
  });
});

describe("a service that fails again after each restart", () => {
  it("for 24 hours is one ticket, which says that the attempts are used up or failed", async () => {
    const systemd = recordedSystemd();
    systemd.set("app.service", failed);
    systemd.restartFails("app.service", "Job for app.service failed.");
    systemd.journal(...endedByItself);
    const { its, beads } = server({
      path: systemd.path,
      settings: { services: [{ unit: "app", restart: true }] },
    });
    const facts: Facts = { service: [serviceFact({ name: "app" })] };
    await looks(its, facts, 2880);
    expect(systemd.restarts().length).toBeGreaterThan(20);
    expect(beads.issues()).toHaveLength(1);
    expect(beads.issues()[0]).toMatchObject({ priority: 0, status: "open" });
    expect(beads.issues()[0]?.description).toMatch(/Why a ticket: restart_service app failed: /);
  }, 240_000);
});

describe("one check that fails for three days, in 60 wordings of the model", () => {
  it("is one problem with one ticket", async () => {
    const model = await startModelServer();
    try {
      const mayPropose = ["file_bead", "alert", "log"];
      const { its, beads } = server({
        settings: { model: { mayPropose } },
        rules: [holds({})],
        env: { ANTHROPIC_API_KEY: "sk-test", ANTHROPIC_BASE_URL: model.url, ARGUS_INTERVAL: "900" },
      });
      let wordings = 0;
      model.will((response, received) => {
        const problem = onlyKey(its);
        wordings += 1;
        const words = `Wording ${wordings}: the disk ${"very ".repeat(wordings % 7)}surely leaks (${wordings * 37} drops)`;
        const actions = mayPropose.map((type) => action({ type, problem, message: words }));
        says(reply({ assessment: words, actions }))(response, received);
      });
      await looks(its, disk, 3 * 24 * 4, 900);
      expect(wordings).toBeGreaterThanOrEqual(60);
      expect(its.parts().registry.problems().size).toBe(1);
      expect(beads.issues()).toHaveLength(1);
      expect(beads.issues()[0]?.description).toContain("The model asks for it: Wording 1:");
    } finally {
      await model.close();
    }
  }, 240_000);
});

describe("what a coding agent reports", () => {
  const agentRun = (its: World): HandOffRun => ({
    id: "20261120224100-0001",
    problem: onlyKey(its),
    startedAt: new Date(its.clock.now().wallMs).toISOString(),
    state: "ended",
    result: {
      exitCode: 0,
      timedOut: false,
      seconds: 60,
      output: reply({ assessment: "The port is taken by nginx.", observations: ["Two units want port 80."] }),
      errors: "",
    },
  });
  const withRun = (its: World, run: HandOffRun) => {
    const { executor } = its.parts();
    return {
      executor: { ...executor, view: async () => ({ ...(await executor.view()), handOffs: [run] }) },
    };
  };

  it("is added to the ticket that stands, and what a person wrote there stays", async () => {
    const { its, beads } = server();
    await looks(its, down(), 2);
    beads.change(([issue]) => {
      if (issue !== undefined) issue.description += "\nI look at it. Alice";
    });
    await its.look(down(), 30, withRun(its, agentRun(its)));
    await its.settle();
    expect(beads.issues()).toHaveLength(1);
    const description = beads.issues()[0]?.description ?? "";
    expect(description).toMatch(/^Problem key: /);
    expect(description).toMatch(
      /\nI look at it\. Alice\n\n> Coding agent \(20261120224100-0001\): answered: .*\n> The port is taken by nginx\.\n> Observed: Two units want port 80\.$/,
    );
    expect(records(its).at(-1)).toMatchObject({ event: "ticket", reason: "updated", bead_id: "bd-1" });
    // Told once.
    await its.look(down(), 30, withRun(its, agentRun(its)));
    await its.settle();
    expect(beads.calls("update")).toHaveLength(1);
  });

  it("stands in a ticket that is filed later", async () => {
    const { its, beads } = server();
    await its.look(down(), 30);
    rmSync(join(its.stateDir, "ticket-requests"), { recursive: true });
    const run = agentRun(its);
    await its.look(down(), 30, withRun(its, run));
    rmSync(join(its.stateDir, "ticket-requests"), { recursive: true });
    await its.look(down(), 30, withRun(its, run));
    await its.settle();
    expect(beads.issues()[0]?.description).toMatch(/\n\n> Coding agent .*\n> The port is taken by nginx\./);
  });
});

describe("people see the ticket", () => {
  it("in status, problems and explain", async () => {
    const { its, beads } = server();
    await looks(its, down(), 2);
    const style = createStyle({ env: {}, isTerminal: false, columns: 100 });
    const status = () =>
      statusReport(statusData(its.system, its.config), style)
        .replace(/\n *\| /g, " ")
        .replace(/\s+/g, " ");
    expect(status()).toContain("(ticket bd-1)");
    expect(status()).toContain("Tickets 1 open");
    const problem = its.parts().registry.problems().get(onlyKey(its)) ?? null;
    expect(problemsReport(problem === null ? [] : [problem], "2026-11-20T22:50:00Z", style)).toContain(
      "(ticket bd-1)",
    );
    expect(explainProblem(onlyKey(its), problem, [], "2026-11-20T22:50:00Z", style)).toContain(
      "ticket bd-1 is open for it",
    );
    const cycle = await its.look(down(), 30);
    expect(cycle.findings[0]?.ticket).toBe("bd-1");
    beads.is("close", "fails");
    await looks(its, up, 2);
    expect(status()).toContain("Tickets 1 open; bd close: Error: database is locked (since ");
    expect(open(beads)).toHaveLength(1);
  });
});
