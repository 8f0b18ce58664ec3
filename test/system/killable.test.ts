import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";
import { alwaysProtected, type KillTarget, objectionToKill } from "../../src/system/killable.ts";
import { readKillTarget } from "../../src/system/unit-main.ts";
import { createTree, type MadeProcess, type Tree } from "../collect/tree.ts";

const policy = {
  killable: ["node", "sshd", "systemd-run", "mysqld"],
  protected: ["mysqld"],
  own: new Set([500, 400, 1]),
};
const target: KillTarget = {
  pid: 900,
  name: "node",
  executable: "node",
  state: "S",
  kernelThread: false,
  unit: "session-3.scope",
  unitMain: false,
  containerInit: false,
};

describe("objectionToKill", () => {
  it("has none to a program that the settings allow", () => {
    expect(objectionToKill(target, policy)).toBeNull();
  });

  it.each<[string, Partial<KillTarget>, string, string]>([
    ["process 1", { pid: 1 }, "protected_target", "it is process 1, from which all others come"],
    ["no process at all", { pid: 0 }, "protected_target", "it is process 1, from which all others come"],
    ["a kernel thread", { kernelThread: true }, "protected_target", "it is a thread of the kernel"],
    ["Argus itself", { pid: 500 }, "protected_target", "it is Argus itself or one of the processes above it"],
    ["an ancestor", { pid: 400 }, "protected_target", "it is Argus itself or one of the processes above it"],
    ["a zombie", { state: "Z" }, "target_gone", "it has ended already and waits for its parent to notice"],
    [
      "one that cannot be looked into",
      { executable: null },
      "protected_target",
      "its executable cannot be read",
    ],
    [
      "a protected program that the settings allow",
      { executable: "sshd" },
      "protected_target",
      "sshd is protected",
    ],
    [
      "one of a protected family",
      { executable: "systemd-run" },
      "protected_target",
      "systemd-run is protected",
    ],
    ["one that the settings protect", { executable: "mysqld" }, "protected_target", "mysqld is protected"],
    [
      "a script called like a protected one",
      { name: "supervisord" },
      "protected_target",
      "supervisord is protected",
    ],
    [
      "a unit's main process",
      { unit: "bot.service", unitMain: true },
      "protected_target",
      "it is, or may be, the main process of bot.service",
    ],
    [
      "the first of a container",
      { containerInit: true },
      "protected_target",
      "it is the first process of a container",
    ],
    [
      "any other program",
      { executable: "postgres" },
      "not_allowlisted",
      "the settings do not let Argus kill postgres (processes.killable)",
    ],
  ])("objects to %s", (_, what, reason, because) => {
    expect(objectionToKill({ ...target, ...what }, policy)).toEqual({ reason, because });
  });

  it("protects every program of its list, whatever the settings say", () => {
    for (const entry of alwaysProtected) {
      const executable = entry.replace("*", "anything");
      expect(objectionToKill({ ...target, executable }, { ...policy, killable: [executable] })?.reason).toBe(
        "protected_target",
      );
    }
  });
});

describe("readKillTarget", () => {
  let tree: Tree;
  beforeEach(() => {
    tree = createTree();
    tree.process({
      pid: 1,
      name: "systemd",
      parentPid: 0,
      cgroup: "/init.scope",
      executable: "/usr/lib/systemd/systemd",
    });
  });
  afterEach(() => tree.dispose());

  const service = "/system.slice/bot.service";
  function unitMain(pid: number, ...others: MadeProcess[]): boolean | undefined {
    for (const each of others) tree.process({ executable: "/usr/bin/node", cgroup: service, ...each });
    return readKillTarget(createFiles(tree.root), pid)?.unitMain;
  }

  it("takes the session leader that systemd started for the main process", () => {
    expect(unitMain(50, { pid: 50 })).toBe(true);
  });

  it("takes a classic daemon for it, which leads no session", () => {
    expect(unitMain(51, { pid: 51, sessionId: 50 })).toBe(true);
  });

  it("does not take what lost its parent for it, as long as the main process is there", () => {
    const main = { pid: 50, startTime: 1000 };
    expect(unitMain(60, main, { pid: 60, sessionId: 55, startTime: 2000 })).toBe(false);
    expect(unitMain(50)).toBe(true);
  });

  it("still takes the daemon for it when something younger leads a session", () => {
    const detached = { pid: 70, startTime: 3000 };
    expect(unitMain(51, { pid: 51, sessionId: 50, startTime: 2000 }, detached)).toBe(true);
  });

  it("does not take a child within the unit for it", () => {
    expect(unitMain(53, { pid: 51, sessionId: 50 }, { pid: 53, parentPid: 51, sessionId: 50 })).toBe(false);
    expect(unitMain(52, { pid: 50 }, { pid: 52, parentPid: 50, sessionId: 50 })).toBe(false);
  });

  it.each([
    ["a login", "/user.slice/user-1000.slice/session-3.scope"],
    ["the service that holds a user's units", "/user.slice/user-1000.slice/user@1000.service"],
    ["no unit", "/"],
  ])("knows no main process in %s", (_, cgroup) => {
    expect(unitMain(50, { pid: 50, cgroup })).toBe(false);
  });

  it("knows one in a user's own service", () => {
    const cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/bot.service";
    expect(unitMain(50, { pid: 50, cgroup })).toBe(true);
  });

  it("knows the first process of a container, and what is gone", () => {
    tree.process({ pid: 80, namespacePids: [80, 1], parentPid: 50 });
    expect(readKillTarget(createFiles(tree.root), 80)).toMatchObject({
      containerInit: true,
      executable: "sleep",
    });
    expect(readKillTarget(createFiles(tree.root), 81)).toBeNull();
  });
});
