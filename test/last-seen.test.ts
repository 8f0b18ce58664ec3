/** What `argus status` says of the last cycle's look when that was not kept, or is not how things are any more. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { statusData } from "../src/cli/status.ts";
import { statusReport } from "../src/report/status.ts";
import { createStyle } from "../src/report/style.ts";
import type { Self } from "../src/types/facts.ts";
import { serviceFact } from "./escalate/samples.ts";
import { type World, world } from "./support/world.ts";

const settings = { tickets: { enabled: false }, services: [{ unit: "web" }] };
const up = {
  service: [
    serviceFact({
      name: "web",
      watched: true,
      activeState: "active",
      status: "up",
      down: false,
      downBecause: null,
    }),
  ],
};
const text = (its: World) =>
  statusReport(statusData(its.system, its.config), createStyle({ env: {}, isTerminal: false, columns: 100 }))
    .replace(/\n *\| /g, " ")
    .replace(/\s+/g, " ");

describe("a snapshot that was not kept", () => {
  const full = (its: World) => {
    const { files } = its.system;
    const statfs: typeof files.statfs = async (path) => ({
      ...(await files.statfs(path)),
      availableBytes: 99_000_000,
    });
    return { system: { ...its.system, files: { ...files, statfs } } };
  };

  it("with less than 100 MB free is said of each service, and all is not well", async () => {
    const its = world({ settings });
    await its.look(up, 30, full(its));
    expect(text(its)).toContain("web unknown the last cycle's snapshot was not kept: less than 100 MB free");
    expect(text(its)).toContain(`- less than 100 MB are free for ${its.stateDir}: history is not written`);
    expect(text(its)).not.toContain("All well");
  });

  it("does not make the one before it the last cycle's", async () => {
    const its = world({ settings });
    await its.look(up, 30);
    expect(text(its)).toContain("up: web");
    await its.look(up, 30, full(its));
    expect(text(its)).not.toContain("up: web");
    expect(text(its)).toContain("web unknown");
    await its.look(up, 30);
    expect(text(its)).toContain("up: web");
    expect(text(its)).toContain("All well.");
  });
});

describe("settings that the last cycle found broken", () => {
  const broken = async () => {
    const its = world({ settings });
    const path = its.config.settingsFile;
    const collect = async (self: Self) => ({
      takenAt: new Date().toISOString(),
      collectors: [],
      facts: { ...up, self: { ...self, settingsFault: `${path}:3: is not valid JSON; what was stays` } },
    });
    await its.look(up, 30, { collector: { collect } });
    return { its, path };
  };

  it("are said first, and all is not well", async () => {
    const { its } = await broken();
    expect(text(its)).toMatch(/The settings cannot be used: .*that is what the last cycle saw/);
    expect(text(its)).not.toContain("All well");
  });

  it("and repaired since are said to be in force soon, and not to be broken", async () => {
    const { its, path } = await broken();
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(path, JSON.stringify(settings));
    const said = text(its);
    expect(said).toContain("The settings are fixed meanwhile; in force from the next cycle");
    expect(said).not.toContain("cannot be used");
  });

  it("and changed since are not called fixed where they are still broken", async () => {
    const { its, path } = await broken();
    await new Promise((resolve) => setTimeout(resolve, 20));
    chmodSync(path, 0o600);
    const config = { ...its.config, executorSocket: join(its.dir, "socket"), executorStateDir: its.stateDir };
    const { broken: said } = statusData(its.system, config);
    expect(said?.settings?.inForce).toBe("that is what the last cycle saw");
  });
});
