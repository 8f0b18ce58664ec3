import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CollectorName, collectorNames, createCollector } from "../../src/collect/collect.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import type { Self } from "../../src/types/facts.ts";
import { Snapshot } from "../../src/types/snapshot.ts";
import { createPrograms, type Programs } from "./programs.ts";
import { configWith, createTree, systemOn, type Tree } from "./tree.ts";

const self: Self = {
  cycles: 0,
  failuresInARow: 0,
  interrupted: false,
  lastDurationMilliseconds: null,
  lastError: null,
  brokenRuleFiles: 0,
  brokenRuleDetail: null,
  settingsInForce: true,
  settingsFault: null,
  executorAnswers: true,
  executorError: null,
  failedCollectors: [],
  failedCollectorDetail: null,
  writes: true,
  unwrittenSince: null,
  unwrittenDetail: null,
  failingChannels: [],
  failingChannelDetail: null,
};
let programs: Programs;
let tree: Tree;
beforeEach(() => {
  programs = createPrograms();
  tree = createTree();
  tree.write(
    "/proc/meminfo",
    "MemTotal: 1000 kB\nMemAvailable: 900 kB\nSwapTotal: 100 kB\nSwapFree: 50 kB\n",
  );
  tree.write("/proc/vmstat", "pswpin 0\npswpout 0\n");
  tree.write("/proc/loadavg", "0.10 0.20 0.30 1/1 1\n");
  tree.write("/proc/uptime", "100000.0 1\n");
  tree.write("/proc/sys/kernel/hostname", "made\n");
  tree.write("/sys/devices/system/cpu/online", "0\n");
  tree.write("/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda rw\n");
  tree.process({
    pid: 1,
    name: "systemd",
    parentPid: 0,
    rssPages: 10,
    executable: "/usr/lib/systemd/systemd",
  });
  tree.process({ pid: 50, parentPid: 7, rssPages: 100, executable: "/usr/bin/node", swapKilobytes: 4 });
  tree.process({ pid: 51, parentPid: 7, rssPages: 50, executable: null, name: "secret", swapKilobytes: 40 });
});
afterEach(() => {
  programs.dispose();
  tree.dispose();
});

/** The limit of the endpoints passes at once; all other time is real. */
function impatient(system: System): System {
  const { clock } = system;
  return {
    ...system,
    clock: { ...clock, sleep: (ms, signal) => clock.sleep(ms === 40_000 ? 100 : ms, signal) },
  };
}
const only = (...names: CollectorName[]) => new Set(names);
const statusOf = ({ collectors }: Snapshot) =>
  Object.fromEntries(collectors.map(({ name, status }) => [name, status]));

describe("a snapshot", () => {
  it("of this machine holds what the schema says, and a sentence for each collector", async () => {
    const snapshot = await createCollector(createSystem(), configWith()).collect(self);
    expect(Snapshot.parse(snapshot)).toEqual(snapshot);
    expect(snapshot.collectors.map(({ name }) => name)).toEqual([...collectorNames]);
    expect(snapshot.takenAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const { host, disks, processes, self: own, endpoints } = statusOf(snapshot);
    expect({ host, disks, processes, own, endpoints }).toEqual({
      host: "ok",
      disks: "ok",
      processes: "ok",
      own: "ok",
      endpoints: "ok",
    });
    for (const { detail, duration_ms } of snapshot.collectors) {
      expect(detail).toMatch(/^\S.*[^\s.]$/);
      expect(duration_ms).toBeGreaterThanOrEqual(0);
    }
  });

  it("is cut from the same cloth in the next cycle", async () => {
    const collector = createCollector(createSystem(), configWith());
    await collector.collect(self);
    const snapshot = await collector.collect({ ...self, cycles: 1 });
    expect(Snapshot.parse(snapshot).facts.self?.cycles).toBe(1);
  });

  it("tells which process takes most memory and most swap", async () => {
    const { facts } = await createCollector(systemOn(tree).system, configWith()).collect(self, only("host"));
    const about = { ageSeconds: 99_990, unit: null, container: null };
    expect(facts.memory?.hog).toEqual({
      ...about,
      name: "node",
      pid: 50,
      killable: true,
      rssBytes: 409_600,
      percent: 40,
    });
    expect(facts.swap?.hog).toEqual({
      ...about,
      name: "secret",
      pid: 51,
      killable: false,
      swapBytes: 40_960,
    });
  });

  it("holds only what was asked for, and what that cannot do without", async () => {
    const collector = createCollector(systemOn(tree).system, configWith());
    const names = async (...asked: CollectorName[]) => {
      const { collectors, facts } = await collector.collect(self, only(...asked));
      return [collectors.map(({ name }) => name), Object.keys(facts).sort()];
    };
    expect(await names("disks")).toEqual([["disks"], ["disk"]]);
    expect(await names("self", "endpoints")).toEqual([
      ["endpoints", "self"],
      ["endpoint", "self"],
    ]);
    expect(await names("host")).toEqual([
      ["host", "processes"],
      ["host", "load", "memory", "process", "swap"],
    ]);
    expect(await names()).toEqual([[], []]);
  });
});

describe("a collector that fails", () => {
  it("costs itself, and its facts are left out", async () => {
    tree.remove("/proc/loadavg");
    const snapshot = await createCollector(systemOn(tree).system, configWith()).collect(self);
    expect(statusOf(snapshot)).toMatchObject({ host: "failed", disks: "ok", processes: "ok", self: "ok" });
    expect(Object.keys(snapshot.facts)).not.toEqual(expect.arrayContaining(["host"]));
    expect(Object.keys(snapshot.facts)).not.toEqual(expect.arrayContaining(["memory"]));
    expect(snapshot.collectors[0]?.detail).toMatch(
      /^ENOENT: no such file or directory, open '.*\/proc\/loadavg'$/,
    );
  });

  it("leaves the hogs unknown when it is that of the processes", async () => {
    const { system } = systemOn(tree);
    const list = (path: string) =>
      path === "/proc" ? expect.fail("the list of processes") : system.files.list(path);
    const broken = { ...system, files: { ...system.files, list } };
    const snapshot = await createCollector(broken, configWith()).collect(self);
    expect(statusOf(snapshot)).toMatchObject({ host: "ok", processes: "failed" });
    expect(snapshot.facts.memory?.hog).toBeNull();
    expect("process" in snapshot.facts).toBe(false);
  });

  it("by a mistake of its own says where", async () => {
    const { system } = systemOn(tree);
    const statfs = () => {
      throw new TypeError("cannot read undefined");
    };
    const stat = () => {
      throw new TypeError("cannot read undefined");
    };
    const broken = { ...system, files: { ...system.files, statfs, stat } };
    const snapshot = await createCollector(broken, configWith()).collect(self, only("sessions"));
    expect(snapshot.collectors[0]?.detail).toMatch(
      /^a bug in Argus: TypeError: cannot read undefined at .*collect\.test\.ts:\d+:\d+\)?$/,
    );
  });
});

describe("a collector that hangs", () => {
  it("costs its own time, is not started again meanwhile, and comes back when it has got its answer", async () => {
    const { system } = systemOn(tree);
    const waiting: (() => void)[] = [];
    let hangs = true;
    const request: System["http"]["request"] = () =>
      hangs
        ? new Promise((_, reject) => waiting.push(() => reject(new Error("late"))))
        : Promise.reject(new Error("connection refused"));
    const stubborn = impatient({ ...system, http: { ...system.http, request } });
    const collector = createCollector(
      stubborn,
      configWith({ endpoints: [{ name: "x", url: "http://127.0.0.1:1/" }] }),
    );
    const first = await collector.collect(self);
    expect(statusOf(first)).toMatchObject({
      endpoints: "failed",
      host: "ok",
      disks: "ok",
      processes: "ok",
      self: "ok",
    });
    expect(first.collectors.find(({ name }) => name === "endpoints")?.detail).toBe(
      "gave no answer within 40 s",
    );
    expect("endpoint" in first.facts).toBe(false);

    const second = await collector.collect(self, only("endpoints"));
    expect(second.collectors[0]).toMatchObject({
      status: "failed",
      detail: "still waiting for the answer of 0 s ago",
    });
    expect(waiting).toHaveLength(1);

    hangs = false;
    for (const end of waiting) end();
    await new Promise((go) => setTimeout(go, 5));
    const third = await collector.collect(self, only("endpoints"));
    expect(third.facts.endpoint).toMatchObject([{ name: "x", ok: false, error: "connection refused" }]);
  });

  it("because systemctl does, costs the services and blinds what needs them", async () => {
    tree.write("/run/systemd/system/keep", "");
    programs.write("systemctl", "sleep 600 & sleep 600");
    const server: Server = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const { system } = systemOn(tree, { path: programs.path });
      const config = configWith({
        services: [{ unit: "web", endpoint: { url } }],
        endpoints: [{ name: "own", url }],
      });
      const snapshot = await createCollector(system, config).collect(self);
      const detail = (wanted: string) => snapshot.collectors.find(({ name }) => name === wanted)?.detail;
      expect(statusOf(snapshot)).toMatchObject({
        host: "ok",
        disks: "ok",
        processes: "ok",
        services: "failed",
        endpoints: "failed",
      });
      expect(detail("services")).toBe("systemctl did not answer within 5 s");
      expect(detail("endpoints")).toBe(
        "it is not known which services are installed here: systemctl did not answer within 5 s",
      );
    } finally {
      server.close();
    }
  });
});

it("asks systemctl once, for the services and for their endpoints", async () => {
  tree.write("/run/systemd/system/keep", "");
  programs.write(
    "systemctl",
    `echo "$*" >> ${programs.folder}/asked; printf 'Id=web.service\\nNames=web.service\\nLoadState=not-found\\nActiveState=inactive\\n'`,
  );
  const { system } = systemOn(tree, { path: programs.path });
  const config = configWith({ services: [{ unit: "web", endpoint: { url: "tcp://127.0.0.1:1" } }] });
  const { facts } = await createCollector(system, config).collect(self, only("services", "endpoints"));
  expect(facts).toMatchObject({ service: [{ name: "web", installed: false }], endpoint: [] });
  expect(readFileSync(join(programs.folder, "asked"), "utf8").trim().split("\n")).toHaveLength(1);
});
