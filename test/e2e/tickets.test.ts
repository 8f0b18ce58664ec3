/** Tickets through the built program, with a program that behaves as bd does on its path. */
import { chownSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fakeBeads } from "../support/beads.ts";
import { argus, ended, temporaryDir, until, unwrapped } from "./argus.ts";

const leaks = {
  name: "leaks",
  description: "Holds on every machine",
  conditions: { all: [{ fact: "host", path: "cores", operator: "greaterThan", value: 0 }] },
  event: {
    type: "check",
    params: { condition: "leaks", severity: "warning", subject: "the roof", summary: "the roof leaks" },
  },
};

function installed() {
  const beads = fakeBeads(temporaryDir("beads"));
  const its = argus({ PATH: `${beads.path}:${process.env.PATH}` });
  its.rule("leaks.json", { rules: [leaks] });
  return { its, beads };
}

describe("argus run --once", () => {
  it("files one ticket, however often it is run, names it wherever it reports, and closes it at the end", () => {
    const { its, beads } = installed();
    for (let run = 0; run < 3; run += 1) its.once();
    expect(beads.issues()).toMatchObject([
      { id: "bd-1", title: "[argus] check: the roof leaks", labels: ["argus"], status: "open" },
    ]);
    expect(its.registry().findLast(({ event }) => event === "ticket")).toMatchObject({ bead_id: "bd-1" });
    const [key = ""] = /check:[0-9a-f]{16}/.exec(its.run("status").stdout) ?? [];
    expect(its.run("status").stdout).toMatch(/\(ticket\s+bd-1\)/);
    expect(its.run("status").stdout).toContain("Tickets     1 open");
    expect(its.run("explain", key).stdout).toContain("ticket bd-1 is open for it");
    expect(its.run("explain").stdout).toContain("ticket bd-1");
    expect(its.run("problems").stdout).toMatch(/\(ticket\s+bd-1\)/);
    expect(its.run("doctor").stdout).toMatch(/tickets\s+bd files them in the folder[^;]*; 1 open/s);
    its.rule("leaks.json", { rules: [] });
    its.once();
    expect(beads.issues()).toMatchObject([{ status: "closed" }]);
  });

  it("files none in a dry run, and says that it would", () => {
    const { its, beads } = installed();
    const cycle = its.once("--dry-run");
    expect(cycle.actions).toContainEqual(
      expect.objectContaining({
        type: "file_bead",
        refusal: "dry_run",
        detail: "would file a ticket: [argus] check: the roof leaks",
      }),
    );
    expect(beads.calls("create")).toEqual([]);
  });

  it("ends in time beside a tool that hangs, and doctor says what is wrong with one that fails", () => {
    const { its, beads } = installed();
    beads.is("list", "hangs");
    its.once();
    expect(unwrapped(its.run("status").stdout)).toMatch(
      /Tickets 0 open; 1 not filed yet; bd list: no answer/,
    );
    beads.is("list", "fails");
    const doctor = unwrapped(its.run("doctor").stdout);
    expect(doctor).toMatch(/broken tickets bd list: no answer within \d+ s .* -> run `bd init` in a folder/);
  });

  it("is not asked by root's doctor where another user files them", ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can be another user");
    const { its, beads } = installed();
    its.once();
    const before = beads.calls("list").length;
    rmSync(its.state("ticket-requests"), { recursive: true });
    for (const name of ["", "tickets.json"]) chownSync(its.state(name), 12_345, 12_345);
    expect(unwrapped(its.run("doctor").stdout)).toMatch(/tickets bd files them in the folder[^;]*; 1 open/);
    expect(beads.calls("list")).toHaveLength(before);
  });

  it("goes on without a tool, and doctor says how to get one", () => {
    const { its } = installed();
    its.settings({ tickets: { tool: "/nowhere/br" } });
    const cycle = its.once();
    expect(cycle.notes).toContain(
      "no tickets are filed: there is no /nowhere/br here; argus doctor says how to get them",
    );
    expect(its.once().notes.join()).not.toContain("ticket");
    expect(unwrapped(its.run("doctor").stdout)).toMatch(
      /limited tickets there is no \/nowhere\/br here: .* -> install beads \(bd or br\)/,
    );
  });
});

describe("the daemon", () => {
  it("goes on with its cycles while the tool hangs, and ends when it is asked to", async () => {
    const { its, beads } = installed();
    beads.is("list", "hangs");
    const daemon = its.start("run");
    await until("the first call of the tool", () => beads.calls("list").length > 0);
    const cycles = () => daemon.output().split('"msg":"cycle"').length - 1;
    const before = cycles();
    daemon.kill("SIGUSR1");
    await until("a cycle beside it", () => cycles() > before);
    daemon.kill("SIGTERM");
    expect(await ended(daemon)).toBe(0);
    expect(beads.calls("create")).toEqual([]);
  });
});
