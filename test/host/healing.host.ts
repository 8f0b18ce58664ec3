/** Argus, built and laid down as on a server, against services of a real systemd. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrailCycle } from "../../src/types/trail.ts";
import { argusFor, layDown, succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "healing" });
  await layDown(host);
});
afterAll(async () => await host?.stop());

const sleeps = "ExecStart=/bin/sleep infinity";
const systemctl = async (...args: string[]) => await succeed(host, ["systemctl", ...args]);
const state = async (unit: string) => (await host.exec(["systemctl", "is-active", unit])).stdout;

async function service(name: string, what = sleeps, more = ""): Promise<void> {
  const text = `[Unit]\nDescription=${name}\n${more}\n[Service]\n${what}\n[Install]\nWantedBy=multi-user.target\n`;
  await host.unit(`${name}.service`, text);
  await systemctl("enable", "--now", name);
}

async function crash(name: string): Promise<void> {
  await systemctl("kill", "--signal=KILL", name);
  await host.waitFor(async () => (await state(name)) === "failed", 5_000, `${name} to have failed`);
}

/** What a cycle says of one unit: its findings, and what was done or refused. */
function about(cycle: TrailCycle, unit: string) {
  return {
    findings: cycle.findings
      .filter(({ subject }) => subject === unit)
      .map(({ rule, summary, resolved }) => ({ rule, summary, resolved })),
    actions: cycle.actions
      .filter(({ target }) => target === unit)
      .map(({ type, result, refusal, verified }) => ({ type, result, refusal, verified })),
  };
}
const restarted = { type: "restart_service", result: "success", refusal: null, verified: true };
const refused = (refusal: string) => ({
  type: "restart_service",
  result: "skipped",
  refusal,
  verified: null,
});
const nothing = { findings: [], actions: [] };
const may = (...units: string[]) => ({ services: units.map((unit) => ({ unit, restart: true })) });

describe("a service that Argus may restart", () => {
  it("is restarted after kill -9, but not again within 60 s", async () => {
    await service("crashing");
    const argus = argusFor(host, "crashing", { settings: may("crashing") });
    await crash("crashing");
    const first = await argus.cycle();
    expect(about(first, "crashing")).toEqual({
      findings: [{ rule: "service-down", summary: "crashing is failed (signal)", resolved: true }],
      actions: [restarted],
    });
    expect(first.cycle.model).toMatchObject({ asked: false, why: "every_finding_resolved" });
    expect(await state("crashing")).toBe("active");

    await crash("crashing");
    const second = await argus.cycle();
    expect(about(second, "crashing").actions).toEqual([refused("backoff")]);
    expect(await state("crashing")).toBe("failed");
    const explanation = await argus.command("explain");
    expect(explanation).toContain("crashing is failed (signal)");
    expect(explanation).toMatch(/backoff +attempt 1 of 3 was \d+ s ago; the next is allowed in \d+ s/);
  });

  it("is given up after the third restart", async () => {
    await service("hopeless");
    const argus = argusFor(host, "hopeless", {
      settings: may("hopeless"),
      env: {
        ARGUS_RESTART_SETTLE_SECONDS: "0",
        ARGUS_RESTART_BACKOFF_SECOND_DELAY: "1",
        ARGUS_RESTART_BACKOFF_THIRD_DELAY: "1",
      },
    });
    for (const attempt of [1, 2, 3]) {
      await crash("hopeless");
      let answer = about(await argus.cycle(), "hopeless").actions;
      // The delay of one second.
      await host.waitFor(
        async () => {
          if (answer[0]?.refusal === "backoff") answer = about(await argus.cycle(), "hopeless").actions;
          return answer[0]?.refusal !== "backoff";
        },
        5_000,
        `attempt ${attempt}`,
      );
      expect(answer).toEqual([restarted]);
    }
    await crash("hopeless");
    const cycle = await argus.cycle();
    expect(about(cycle, "hopeless").actions).toEqual([refused("cooldown")]);
    expect(about(cycle, "hopeless").findings).toMatchObject([{ resolved: false }]);
    expect(await state("hopeless")).toBe("failed");
  });

  it("is started again when it ended by itself, cleanly", async () => {
    await service("leaving", "ExecStart=/bin/sh -c 'test -e /run/stay && exec sleep infinity; exit 0'");
    const argus = argusFor(host, "leaving", { settings: may("leaving") });
    expect(await state("leaving")).toBe("inactive");
    host.write("/run/stay", "");
    expect(about(await argus.cycle(), "leaving")).toEqual({
      findings: [{ rule: "service-down", summary: "leaving is inactive (success)", resolved: true }],
      actions: [restarted],
    });
    expect(await state("leaving")).toBe("active");
  });

  // systemd keeps the result of the run before: its start limit alone does not show in it.
  it.each([
    { name: "given-up", ends: "exit 1", restart: "always", result: "exit-code" },
    { name: "limited", ends: "exit 0", restart: "no", result: "start-limit-hit" },
  ])("is started although systemd refuses to, with the result $result", async (given) => {
    const { name, ends, restart, result } = given;
    const what = `ExecStart=/bin/sh -c 'test -e /run/${name} && exec sleep infinity; ${ends}'`;
    const often = "StartLimitBurst=1\nStartLimitIntervalSec=3600";
    await service(name, `${what}\nRestart=${restart}\nRestartSec=0`, often);
    await host.waitFor(async () => (await state(name)) !== "active", 5_000, `${name} to have ended`);
    await host.exec(["systemctl", "start", name]);
    expect(await systemctl("show", "--value", "--property=Result", name)).toBe(result);
    host.write(`/run/${name}`, "");
    const argus = argusFor(host, name, { settings: may(name) });
    expect(about(await argus.cycle(), name).actions).toEqual([restarted]);
  });

  it("counts as unresolved when it dies again at once", async () => {
    await service("broken", "ExecStart=/bin/sh -c 'sleep 0.2; exit 3'");
    await host.waitFor(async () => (await state("broken")) === "failed", 5_000, "broken to have failed");
    const argus = argusFor(host, "broken", { settings: may("broken") });
    const cycle = await argus.cycle();
    expect(about(cycle, "broken")).toEqual({
      findings: [{ rule: "service-down", summary: "broken is failed (exit-code)", resolved: false }],
      actions: [{ type: "restart_service", result: "failure", refusal: null, verified: false }],
    });
    expect(cycle.cycle.model.why).toBe("no_key");
  });

  it("waits for what it requires", async () => {
    await service("database");
    await service("shop");
    const settings = {
      services: [{ unit: "shop", restart: true, requires: ["database"] }, { unit: "database" }],
    };
    const argus = argusFor(host, "shop", { settings });
    await systemctl("stop", "database");
    await crash("shop");
    expect(about(await argus.cycle(), "shop").actions).toEqual([refused("not_allowlisted")]);
    await systemctl("start", "database");
    expect(about(await argus.cycle(), "shop").actions).toEqual([restarted]);
  });

  it("is only looked at in a dry run", async () => {
    await service("rehearsed");
    const argus = argusFor(host, "rehearsed", { settings: may("rehearsed") });
    await crash("rehearsed");
    expect(about(await argus.cycle(["--dry-run"]), "rehearsed").actions).toEqual([refused("dry_run")]);
    expect(await state("rehearsed")).toBe("failed");
    // A dry run is no attempt.
    expect(about(await argus.cycle(), "rehearsed").actions).toEqual([restarted]);
  });
});

describe("what people decided", () => {
  // The shipped rule does not even fire. One that somebody wrote without that condition meets the executor's own look.
  const hasty = {
    name: "service-down",
    description: "Restarts whatever is down",
    forEach: "service",
    conditions: {
      all: [
        { fact: "service", path: "restartable", operator: "equal", value: true },
        { fact: "service", path: "activeState", operator: "in", value: ["failed", "inactive"] },
      ],
    },
    event: {
      type: "service",
      params: {
        condition: "down",
        severity: "critical",
        subject: "{{service.name}}",
        summary: "{{service.name}} is down",
        actions: [{ type: "restart_service", target: "{{service.name}}" }],
        resolves: true,
      },
    },
  };
  const cases = [
    { name: "stopped", what: "systemctl stop", act: (unit: string) => systemctl("stop", unit) },
    {
      name: "masked",
      what: "systemctl mask, then a crash",
      act: async (unit: string) => {
        // As packages have it: a file in /etc cannot be masked.
        await succeed(host, ["mv", `/etc/systemd/system/${unit}.service`, "/usr/lib/systemd/system/"]);
        await systemctl("mask", unit);
        await crash(unit);
      },
    },
  ];

  it.each(cases)("is left alone: $what", async ({ name, act }) => {
    await service(name);
    await act(name);
    const before = await state(name);
    const shipped = argusFor(host, name, { settings: may(name) });
    expect(about(await shipped.cycle(), name)).toMatchObject({
      findings: [{ rule: "service-stopped", resolved: false }],
      actions: [],
    });
    const local = argusFor(host, `${name}-hasty`, { settings: may(name), rules: [hasty] });
    expect(about(await local.cycle(), name).actions).toEqual([refused("operator_stopped")]);
    expect(await state(name)).toBe(before);
  });

  it("a disabled unit that crashed is started again: that says nothing about a stop", async () => {
    await service("disabled");
    await systemctl("disable", "disabled");
    await crash("disabled");
    const argus = argusFor(host, "disabled", { settings: may("disabled") });
    expect(about(await argus.cycle(), "disabled").actions).toEqual([restarted]);
    expect(await state("disabled")).toBe("active");
  });
});

describe("what Argus was not told to restart", () => {
  it("a watched service is reported, not restarted", async () => {
    await service("watched");
    await crash("watched");
    const argus = argusFor(host, "watched", { settings: { services: [{ unit: "watched" }] } });
    const cycle = await argus.cycle();
    expect(about(cycle, "watched")).toMatchObject({
      findings: [{ rule: "service-down-hands-off", resolved: false }],
      actions: [],
    });
    expect(await state("watched")).toBe("failed");
  });

  it("any other failed unit is reported, unresolved", async () => {
    await service("unlisted");
    await crash("unlisted");
    const argus = argusFor(host, "unlisted", { settings: {} });
    expect(about(await argus.cycle(), "unlisted")).toEqual({
      findings: [{ rule: "unit-failed", summary: "unlisted failed (signal)", resolved: false }],
      actions: [],
    });
    expect(await state("unlisted")).toBe("failed");
  });

  it("a unit that is not installed is absent, and its endpoint is not probed", async () => {
    const endpoint = (port: number) => ({ url: `tcp://127.0.0.1:${port}`, timeoutMilliseconds: 500 });
    await service("here");
    const settings = {
      services: [
        { unit: "elsewhere", restart: true, endpoint: endpoint(9) },
        { unit: "here", restart: true, endpoint: endpoint(10) },
      ],
    };
    const argus = argusFor(host, "absent", { settings });
    await argus.cycle();
    const cycle = await argus.cycle();
    expect(about(cycle, "elsewhere")).toEqual(nothing);
    // The same endpoint of a unit that is installed is one that does not answer.
    expect(about(cycle, "here").findings).toMatchObject([{ rule: "endpoint-unreachable" }]);
    const detail = (name: string) => cycle.collectors.find((each) => each.name === name)?.detail;
    expect(detail("services")).toContain("not installed here: elsewhere");
    expect(detail("endpoints")).toContain("not probed, since not installed here: elsewhere");
    expect(await argus.command("status")).toMatch(/Not here +elsewhere/);
    expect(await argus.command("doctor")).toMatch(/limited +units +.*installed here; not elsewhere/);
  });
});
