/** What a unit may have of memory and of processes, as `systemctl show` says it on a host with both controllers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCollector } from "../../src/collect/collect.ts";
import type { Service } from "../../src/types/facts.ts";
import { createPrograms, type Programs } from "./programs.ts";
import { configWith, createTree, type MadeSystem, systemOn, type Tree } from "./tree.ts";

let programs: Programs;
let tree: Tree;
let made: MadeSystem;
beforeEach(() => {
  programs = createPrograms();
  tree = createTree();
  tree.write("/run/systemd/system/keep", "");
  made = systemOn(tree, { path: programs.path });
});
afterEach(() => {
  programs.dispose();
  tree.dispose();
});

const self = {
  cycles: 0,
  failuresInARow: 0,
  interrupted: false,
  lastDurationMilliseconds: null,
  lastError: null,
  brokenRuleFiles: 0,
  brokenRuleDetail: null,
  settingsInForce: true,
  settingsFault: null,
  writes: true,
  unwrittenSince: null,
  unwrittenDetail: null,
  executorAnswers: true,
  executorError: null,
  failedCollectors: [],
  failedCollectorDetail: null,
  failingChannels: [],
  failingChannelDetail: null,
};

async function shown(...more: string[]): Promise<Service | undefined> {
  const plain = ["Id=web.service", "Names=web.service", "LoadState=loaded", "Type=simple"];
  programs.write("systemctl", `cat <<'END'\n${[...plain, ...more].join("\n")}\nEND`);
  programs.write("journalctl", "exit 0");
  const collector = createCollector(made.system, configWith({ services: [{ unit: "web" }] }));
  const { facts } = await collector.collect(self, new Set(["services"]));
  return facts.service?.[0];
}

const runs = ["ActiveState=active", "SubState=running", "ControlGroup=/system.slice/web.service"];
const fell = ["ActiveState=failed", "SubState=failed", "Result=oom-kill", "ControlGroup="];

describe("processes and threads of a unit", () => {
  it("are a share of what it may have", async () => {
    expect(await shown(...runs, "TasksCurrent=19", "TasksMax=20")).toMatchObject({
      tasks: 19,
      tasksMax: 20,
      tasksUsedPercent: 95,
    });
  });

  it.each([["infinity"], ["18446744073709551615"]])("have room without a limit (%s)", async (max) => {
    expect(await shown(...runs, "TasksCurrent=1900", `TasksMax=${max}`)).toMatchObject({
      tasks: 1900,
      tasksMax: null,
      tasksUsedPercent: 0,
    });
  });

  it("are unknown where nobody counts, and never taken for none", async () => {
    expect(await shown(...runs, "TasksCurrent=[not set]", "TasksMax=20")).toMatchObject({
      tasks: null,
      tasksUsedPercent: null,
    });
  });

  it("are none while it does not run", async () => {
    expect(await shown(...fell, "TasksCurrent=[not set]", "TasksMax=20")).toMatchObject({
      tasksUsedPercent: 0,
    });
  });
});

describe("a unit that was ended because memory was short", () => {
  it("says how much it may have", async () => {
    expect((await shown(...fell, "MemoryMax=41943040"))?.hints).toContain(
      "the kernel ended a process of it because memory was short: it may have 41.9 MB (MemoryMax=)",
    );
  });

  it("blames no limit that it does not have", async () => {
    expect((await shown(...fell, "MemoryMax=infinity"))?.hints).toContain(
      "the kernel ended a process of it because memory was short, and it has no limit of its own (MemoryMax=)",
    );
  });

  it("is not spoken of as long as nothing of the kind happened", async () => {
    expect((await shown(...runs, "Result=success", "MemoryMax=41943040"))?.hints).toEqual([]);
  });
});
