/** What a person does not want to hear of for a while, and what reaches them all the same. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createExecutor } from "../../src/execute/executor.ts";
import { changeSilences, covers, readSilences, type Silence } from "../../src/execute/silences.ts";
import type { Proposal } from "../../src/types/action.ts";
import {
  alertOf,
  bench,
  endedByItself,
  failed,
  logOf,
  manualClock,
  only,
  proposal,
  recordedSystemd,
  restart,
  running,
} from "./support.ts";

const silence = (more: Partial<Silence> = {}): Silence => ({
  id: "ab23",
  match: { subject: "web" },
  since: "2026-11-20T22:40:00.000Z",
  until: "2026-11-20T23:40:00.000Z",
  reason: "moving it",
  by: "bob",
  actions: false,
  ...more,
});

function server(...silences: Silence[]) {
  const systemd = recordedSystemd();
  systemd.set("web.service", failed);
  systemd.afterRestart("web.service", running);
  systemd.journal(...endedByItself);
  const clock = manualClock();
  const argus = bench({ path: systemd.path, system: { clock } });
  changeSilences(
    argus.system.files,
    argus.stateDir,
    clock.now(),
    () => {},
    () => silences,
  );
  return { argus, clock, systemd };
}

describe("a silence", () => {
  it("holds messages back, says so, and neither notes nor actions", async () => {
    const { argus } = server(silence());
    const [told, noted, done] = await argus.run([
      alertOf(1, "web is down"),
      logOf(1, "noted"),
      restart("web"),
    ]);
    expect(told).toMatchObject({
      result: "suppressed",
      refusal: "silenced",
      detail: "bob silenced it until 2026-11-20 23:40:00 UTC (ab23): moving it",
    });
    expect(noted?.result).toBe("success");
    expect(done).toMatchObject({ result: "success", refusal: null });
    expect(argus.outbox()).toEqual([]);
  });

  it("that stops actions as well does so, but not what a person asks for", async () => {
    const { argus, systemd } = server(silence({ actions: true }));
    expect(only(await argus.run([restart("web")]))).toMatchObject({
      result: "suppressed",
      refusal: "silenced",
    });
    expect(systemd.restarts()).toEqual([]);
    const byHand = { source: "operator", problem: "disk:0000000000000001", problemType: "disk" };
    const cleaning = await argus.run([proposal("clean_disk", byHand)]);
    expect(only(cleaning).refusal).toBeNull();
  });

  it("names a service with or without the end of its unit's name", async () => {
    const { argus } = server(silence({ match: { subject: "web.service" } }));
    expect(only(await argus.run([alertOf(1, "web is down")])).refusal).toBe("silenced");
  });

  it("ends by itself, and what is still there is told then", async () => {
    const { argus, clock } = server(silence());
    expect(only(await argus.run([alertOf(1, "web is down")])).refusal).toBe("silenced");
    clock.advance(3600);
    expect(argus.executor.view().silences).toEqual([]);
    expect(only(await argus.run([alertOf(1, "web is down")])).result).toBe("success");
  });

  it("is not broken by a rise in severity, which is told when it ends though the window is not over", async () => {
    const { argus, clock } = server(silence({ until: "2026-11-20T22:50:00.000Z" }));
    clock.advance(-600);
    changeSilences(
      argus.system.files,
      argus.stateDir,
      clock.now(),
      () => {},
      () => [],
    );
    await argus.run([alertOf(1, "web is slow", { severity: "warning" })]);
    changeSilences(
      argus.system.files,
      argus.stateDir,
      clock.now(),
      () => {},
      () => [silence({ until: "2026-11-20T22:50:00.000Z" })],
    );
    const worse = async () => only(await argus.run([alertOf(1, "web is down", { severity: "critical" })]));
    expect((await worse()).refusal).toBe("silenced");
    clock.advance(1200);
    expect((await worse()).result).toBe("success");
  });

  it("never holds back the end of what was announced before it", async () => {
    const { argus } = server();
    await argus.run([alertOf(1, "web is down")]);
    changeSilences(
      argus.system.files,
      argus.stateDir,
      argus.system.clock.now(),
      () => {},
      () => [silence({ match: { type: "service" } })],
    );
    expect(only(await argus.run([alertOf(1, "web is down")])).refusal).toBe("silenced");
    expect(only(await argus.run([alertOf(1, "web is up", { recovery: true })])).result).toBe("success");
  });

  it.each([
    ["", "is empty"],
    ["{", "is not valid JSON"],
    ['{"version":2,"silences":[]}', "has an unknown shape or version (version: "],
    [
      '{"version":1,"silences":[{"id":"ab23","match":{}}]}',
      "has an unknown shape or version (silences.0.match: ",
    ],
  ])(
    "from a file that cannot be understood (%j) holds nothing back, and that is said once",
    async (text, why) => {
      const { argus } = server();
      const path = join(argus.stateDir, "silences.json");
      writeFileSync(path, text);
      expect(only(await argus.run([alertOf(1, "web is down")])).result).toBe("success");
      await argus.run([alertOf(2, "api is down")]);
      expect(argus.notes).toHaveLength(1);
      expect(argus.notes[0]?.startsWith(`${path} ${why}`)).toBe(true);
      expect(argus.notes[0]).toContain(`it was set aside as ${path}.corrupt-1`);
      expect(readFileSync(`${path}.corrupt-1`, "utf8")).toBe(text);
    },
  );

  it("whose file cannot be read holds nothing back, and that is said", async () => {
    const { argus } = server();
    const { files } = argus.system;
    const path = join(argus.stateDir, "silences.json");
    const stat: typeof files.stat = (asked) => {
      if (asked === path) throw new Error("EIO: i/o error, lstat");
      return files.stat(asked);
    };
    const executor = createExecutor(
      { ...argus.system, files: { ...files, stat } },
      argus.policy,
      argus.stateDir,
    );
    const request = { cycle: "c1", host: "landmass", dryRun: false };
    const { actions, notes } = await executor.execute(
      { ...request, proposals: [alertOf(1, "web is down")] },
      new AbortController().signal,
    );
    expect(actions[0]?.result).toBe("success");
    expect(notes).toEqual([`${path} could not be read, so nothing is silenced: EIO: i/o error, lstat`]);
  });

  it("is taken from the request where the executor of words cannot read it itself", async () => {
    const { argus } = server();
    expect(only(await argus.run([alertOf(1, "web is down")], { silences: [silence()] })).refusal).toBe(
      "silenced",
    );
  });
});

describe("what a silence covers", () => {
  const given = proposal("alert", { message: "x", source: "rule:disk-full" }) as unknown as Proposal;
  const parts = { rule: "disk-full", key: given.problem, subject: given.subject, type: given.problemType };
  const others = { rule: "other", key: "service:ffffffffffffffff", subject: "api", type: "disk" as const };
  it("is what fits all that it names", () => {
    const names = fc.subarray(["rule", "key", "subject", "type"] as const, { minLength: 1 });
    fc.assert(
      fc.property(names, fc.subarray(["rule", "key", "subject", "type"] as const), (named, wrong) => {
        const match = Object.fromEntries(
          named.map((name) => [name, (wrong.includes(name) ? others : parts)[name]]),
        );
        expect(covers({ match }, given)).toBe(!named.some((name) => wrong.includes(name)));
      }),
    );
  });

  it("forgets those that ended when the file is written", () => {
    const { argus, clock } = server(silence(), silence({ id: "cd45", until: "2026-11-21T00:00:00.000Z" }));
    clock.advance(3600);
    changeSilences(
      argus.system.files,
      argus.stateDir,
      clock.now(),
      () => {},
      (all) => [...all],
    );
    clock.setWall(-7200);
    expect(
      readSilences(argus.system.files, argus.stateDir, clock.now(), () => {}).map(({ id }) => id),
    ).toEqual(["cd45"]);
  });
});
