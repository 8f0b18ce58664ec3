/** Giving a problem to a coding agent: who may be started, when, with what, and never by a word of the request. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { HandOffPolicy } from "../../src/execute/policy.ts";
import { accountFault } from "../../src/execute/unprivileged.ts";
import { createFiles } from "../../src/system/files.ts";
import { maxReplyBytes } from "../../src/system/link/frames.ts";
import type { Files } from "../../src/system/system.ts";
import { maxResultBytes } from "../../src/types/hand-off.ts";
import { bench, manualClock, only, proposal, temporaryFolder } from "./support.ts";

const passwd = `root:x:0:0:root:/root:/bin/bash
agent:x:1005:1005::/home/agent:/bin/bash
toor:x:0:0::/root:/bin/sh
deploy:x:1006:998::/home/deploy:/bin/bash
carol:x:1007:1007::/home/carol:/bin/bash
argus:x:999:999::/var/lib/argus:/usr/sbin/nologin
remote:x:1009:1009::/var/lib/remote:/bin/sh
odd:x:1010:1010::/srv/a b %n:/bin/sh
watch:x:999:1008::/var/lib/watch:/bin/sh
`;
const group = "root:x:0:\nagent:x:1005:\ndocker:x:998:\nsudo:x:27:bob,carol\ncarol:x:1007:\n";
const handOff: HandOffPolicy = {
  command: ["claude", "-p"],
  user: "agent",
  directory: "/srv/agent",
  environmentFile: null,
  perDay: 2,
  timeoutMinutes: 15,
};

interface Machine {
  readonly uid?: number;
  readonly booted?: boolean;
  /** Of systemd-run; null: it was cut off. */
  readonly exitCode?: number | null;
}

function server(more: Partial<HandOffPolicy> = {}, { uid = 0, booted = true, exitCode = 0 }: Machine = {}) {
  const real = createFiles("/");
  const plain = { sizeBytes: 0, modifiedMs: 0, changedMs: 0, inode: 1, uid: 0, gid: 0, mode: 0o755 };
  const folders = booted ? ["/run/systemd/system", "/srv/agent"] : ["/srv/agent"];
  const files: Files = {
    ...real,
    tryRead: (path) => (path === "/etc/passwd" ? passwd : path === "/etc/group" ? group : real.tryRead(path)),
    stat: (path) =>
      folders.includes(path)
        ? { ...plain, kind: "directory" }
        : path === "/etc/agent.env"
          ? { ...plain, kind: "file" }
          : real.stat(path),
  };
  const clock = manualClock();
  const runs: string[][] = [];
  const argus = bench({
    policy: { handOff: { ...handOff, ...more } },
    system: {
      clock,
      files,
      self: { pid: 1, parentPid: 0, uid, gid: 0, home: "/root" },
      run: async (program, args) => {
        runs.push([program, ...args]);
        return {
          exitCode,
          stdout: "",
          stderr: exitCode === 0 ? "" : "Failed to start\nmore",
          timedOut: exitCode === null,
          missing: false,
        };
      },
    },
  });
  const ask = async (given: Record<string, unknown> = {}) =>
    only(await argus.run([proposal("hand_off", { source: "self", incident: "what happened", ...given })]));
  const finish = (id: unknown, result: object) =>
    writeFileSync(join(argus.stateDir, "hand-offs", String(id), "result.json"), JSON.stringify(result));
  return { argus, clock, runs, ask, finish };
}
const done = { exitCode: 0, timedOut: false, seconds: 7, output: "well", errors: "" };

describe("a hand-off", () => {
  it("is a transient unit of systemd, as the user of the settings, boxed in and limited in time", async () => {
    const { ask, runs, argus } = server({ environmentFile: "/etc/agent.env" });
    const record = await ask();
    const id = record.values["handOff"];
    expect(record).toMatchObject({
      result: "success",
      verified: null,
      detail: `argus-hand-off-${id} is at work as agent, for 15 min at most`,
    });
    const folder = join(argus.stateDir, "hand-offs", String(id));
    expect(readFileSync(join(folder, "incident.json"), "utf8")).toBe("what happened");
    expect(statSync(join(folder, "incident.json")).mode & 0o777).toBe(0o600);
    const [call = []] = runs;
    expect(call[0]).toBe("systemd-run");
    for (const word of [
      `--unit=argus-hand-off-${id}`,
      "--uid=agent",
      "--working-directory=/srv/agent",
      `--property=StandardInput=file:${folder}/incident.json`,
      `--property=StandardOutput=truncate:${folder}/result.json`,
      "--property=RuntimeMaxSec=915",
      "--property=EnvironmentFile=/etc/agent.env",
      "--property=NoNewPrivileges=yes",
      "--property=InaccessiblePaths=-/etc/argus",
      "--property=InaccessiblePaths=-/run/argus-executor.sock",
      "--property=InaccessiblePaths=-/run/argus-executor",
    ])
      expect(call).toContain(word);
    expect(call.slice(call.indexOf("--") + 1)).toEqual([
      ...["/usr/bin/node", "/opt/argus/dist/main.js"],
      ...["agent", "--seconds", "900", "--", "claude", "-p"],
    ]);
  });

  it.each([
    ["agent", "/srv/agent -/home/agent"],
    ["remote", "/srv/agent -/var/lib/remote"],
    ["odd", "/srv/agent"],
  ])("may write the folder of the settings and the home that %s has", async (user, paths) => {
    const { ask, runs } = server({ user });
    await ask();
    expect(runs[0]).toContain(`--property=ReadWritePaths=${paths}`);
  });

  it("leaves nothing behind when its day is over", async () => {
    const { ask, finish, clock, argus } = server();
    finish((await ask()).values["handOff"], done);
    clock.advance(86_400);
    const second = await ask();
    expect(readdirSync(join(argus.stateDir, "hand-offs"))).toEqual([second.values["handOff"]]);
    rmSync(join(argus.stateDir, "hand-offs"), { recursive: true });
    clock.advance(86_400);
    expect((await ask()).result).toBe("success");
  });

  it("is not begun while Argus only watches, and the record says to what it would have been", async () => {
    const { argus, runs, ask } = server();
    argus.executor.replacePolicy({ ...argus.policy, mode: "watch" });
    expect(await ask()).toMatchObject({
      refusal: "watch_only",
      detail: "would hand service:0000000000000001 to the coding agent",
    });
    expect(runs).toEqual([]);
    expect(argus.executor.view().handOffs).toEqual([]);
  });

  it("is one at a time, until it leaves its result or its time is up", async () => {
    const { ask, finish, clock, argus } = server({ perDay: 9 });
    const first = await ask();
    expect(argus.executor.view().handOffs).toMatchObject([{ state: "running", result: null }]);
    expect(await ask()).toMatchObject({
      refusal: "budget_exhausted",
      detail: `one at a time: ${first.values["handOff"]} is still at work on service:0000000000000001`,
    });
    finish(first.values["handOff"], done);
    expect(argus.executor.view().handOffs).toMatchObject([{ state: "ended", result: { output: "well" } }]);
    expect((await ask()).refusal).toBeNull();
    clock.advance(900 + 31);
    expect(argus.executor.view().handOffs.map(({ state }) => state)).toEqual(["ended", "ended"]);
    expect((await ask()).refusal).toBeNull();
  });

  it("is allowed so many times in 24 hours, whatever becomes of the wall clock and of Argus", async () => {
    const { ask, finish, clock, argus } = server();
    for (const _ of [1, 2]) finish((await ask()).values["handOff"], done);
    clock.setWall(5 * 86_400);
    argus.restartArgus();
    expect(await ask()).toMatchObject({
      refusal: "budget_exhausted",
      detail: "2 of 2 hand-offs were used in the last 24 hours",
    });
    clock.advance(86_400);
    expect((await ask()).refusal).toBeNull();
  });

  it("counts when it cannot be started, says why, and keeps no other one waiting", async () => {
    const { ask, argus } = server({}, { exitCode: 1 });
    const record = await ask();
    expect(record).toMatchObject({
      result: "failure",
      detail: `systemd-run argus-hand-off-${record.values["handOff"]} failed: Failed to start`,
    });
    expect(argus.executor.view().handOffs).toMatchObject([
      { state: "ended", result: { exitCode: null, errors: "Failed to start" } },
    ]);
    expect((await ask()).result).toBe("failure");
    expect(await ask()).toMatchObject({ refusal: "budget_exhausted" });
  });

  const refused: [string, Partial<HandOffPolicy>, Machine, string][] = [
    ["root", { user: "root" }, {}, "handOff.user: root is root"],
    ["another name of root", { user: "toor" }, {}, "handOff.user: toor is root"],
    ["Argus's own user", { user: "argus" }, {}, "handOff.user: argus is the user of Argus itself"],
    [
      "another name of Argus's own user",
      { user: "watch" },
      {},
      "handOff.user: watch is the user of Argus itself",
    ],
    ["nobody", { user: "nobody1" }, {}, "handOff.user: there is no user nobody1 in /etc/passwd"],
    [
      "a user whose group is docker",
      { user: "deploy" },
      {},
      "handOff.user: deploy belongs to the group docker, which is as good as root",
    ],
    [
      "a member of sudo",
      { user: "carol" },
      {},
      "handOff.user: carol belongs to the group sudo, which is as good as root",
    ],
    [
      "an environment that is not there",
      { environmentFile: "/etc/none.env" },
      {},
      "handOff.environmentFile: there is no /etc/none.env",
    ],
    [
      "a folder that is not there",
      { directory: "/srv/none" },
      {},
      "handOff.directory: /srv/none is no folder",
    ],
    [
      "a host without systemd",
      {},
      { booted: false },
      "a coding agent is started by systemd alone, for an Argus that runs as root or has its executor",
    ],
    [
      "an Argus without privileges",
      {},
      { uid: 1000 },
      "a coding agent is started by systemd alone, for an Argus that runs as root or has its executor",
    ],
  ];
  it.each(refused)("is refused for %s", async (_, more, machine, detail) => {
    const { ask, runs } = server(more, machine);
    expect(await ask()).toMatchObject({ refusal: "not_allowlisted", detail });
    expect(runs).toEqual([]);
  });

  it("is refused when the settings name no agent, and when the model asks for it", async () => {
    const without = bench();
    expect(only(await without.run([proposal("hand_off", { incident: "x" })]))).toMatchObject({
      refusal: "not_allowlisted",
      detail: "the settings name no coding agent (handOff)",
    });
    const { ask, runs } = server();
    expect(await ask({ source: "llm:m" })).toMatchObject({
      refusal: "not_allowlisted",
      detail: "the settings do not let the model propose hand_off (model.mayPropose)",
    });
    expect(runs).toEqual([]);
  });

  it("never says more about all runs of a day than a frame to the executor holds", async () => {
    const { ask, finish, clock, argus } = server({ perDay: 50 });
    const mostOutput = maxResultBytes - Buffer.byteLength(JSON.stringify({ ...done, output: "" }));
    for (let run = 0; run < 49; run += 1)
      finish((await ask()).values["handOff"], { ...done, output: "x".repeat(mostOutput) });
    // As much as no `argus agent` writes is no result.
    finish((await ask()).values["handOff"], { ...done, output: "x".repeat(mostOutput + 1) });
    clock.advance(900 + 31);
    const { handOffs } = argus.executor.view();
    expect(handOffs.filter(({ result }) => result?.output.length === mostOutput)).toHaveLength(49);
    expect(handOffs.at(-1)).toMatchObject({ state: "ended", result: null });
    const most = Buffer.byteLength(JSON.stringify(handOffs[0])) * 50;
    expect(most).toBeLessThan(maxReplyBytes * 0.9);
  });

  it("that nobody knows to have begun is taken for one at work until its time is up", async () => {
    const { ask, clock, argus } = server({}, { exitCode: null });
    const record = await ask();
    expect(record.result).toBe("failure");
    expect(argus.executor.view().handOffs).toMatchObject([{ state: "running", result: null }]);
    expect(await ask()).toMatchObject({ refusal: "budget_exhausted" });
    clock.advance(900 + 31);
    expect(argus.executor.view().handOffs).toMatchObject([{ state: "ended", result: null }]);
  });

  it("takes a result that is none for none", async () => {
    const { ask, clock, argus } = server();
    const id = (await ask()).values["handOff"];
    const path = join(argus.stateDir, "hand-offs", String(id), "result.json");
    for (const text of ["", "{", "[]", '{"exitCode":"0"}', JSON.stringify({ ...done, more: 1 })]) {
      writeFileSync(path, text);
      expect(argus.executor.view().handOffs, text).toMatchObject([{ state: "running", result: null }]);
    }
    clock.advance(1000);
    expect(argus.executor.view().handOffs).toMatchObject([{ state: "ended", result: null }]);
  });
});

it("whether an account is privileged is read from files that may hold anything", () => {
  const root = temporaryFolder();
  mkdirSync(join(root, "etc"));
  const files = createFiles(root);
  expect(accountFault(files, "agent")).toBe("there is no user agent in /etc/passwd");
  writeFileSync(join(root, "etc/passwd"), "garbage\n:::\nagent:x:07:1005\n");
  writeFileSync(join(root, "etc/group"), "\n:\nwheel:x:1005\n");
  expect(accountFault(files, "agent")).toBe("agent belongs to the group wheel, which is as good as root");
});
