import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import { defaultTmuxSocket, listSessions, parseSessions, runTmux } from "../../src/system/tmux.ts";
import { createPrograms, type Programs } from "../collect/programs.ts";

const isRoot = process.getuid?.() === 0;
let folder: string;
let programs: Programs;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "argus-tmux-"));
  programs = createPrograms();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  spawnSync("tmux", ["-S", join(folder, "s"), "kill-server"], { stdio: "ignore" });
  rmSync(folder, { recursive: true, force: true });
  programs.dispose();
});

const tmux = (...args: string[]) =>
  execFileSync("tmux", ["-S", join(folder, "s"), ...args], { encoding: "utf8" });
const recorded = (): System => createSystem({ path: programs.path });

/** A socket that nobody of tmux's answers on. */
async function socketAt(path: string): Promise<string> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

describe("with a real tmux server", () => {
  it("lists sessions, whatever they are called", async () => {
    const before = Math.floor(Date.now() / 1000);
    tmux("new-session", "-d", "-s", "agent-1", "sleep 60");
    tmux("new-session", "-d", "-s", "two words 3 4 5", "sleep 60");
    tmux("new-window", "-t", "=agent-1", "sleep 60");
    const sessions = await listSessions(createSystem(), join(folder, "s"));
    expect(sessions).toHaveLength(2);
    expect(sessions?.[0]).toMatchObject({ name: "agent-1", windows: 2, attached: false });
    expect(sessions?.[1]).toMatchObject({ name: "two words 3 4 5", windows: 1, attached: false });
    for (const { createdAt, activeAt } of sessions ?? []) {
      expect(createdAt).toBeGreaterThanOrEqual(before);
      expect(activeAt).toBeGreaterThanOrEqual(createdAt);
    }
  });

  it("sees none where the server has ended and left its socket", async () => {
    tmux("new-session", "-d", "-s", "x", "sleep 60");
    tmux("kill-server");
    expect(await listSessions(createSystem(), join(folder, "s"))).toEqual([]);
  });

  it("starts no server by asking", async () => {
    expect(await listSessions(createSystem(), join(folder, "s"))).toEqual([]);
    expect(spawnSync("tmux", ["-S", join(folder, "s"), "list-sessions"]).status).toBe(1);
  });
});

describe("who is asked", () => {
  it("asks nobody where there is no socket, and nothing that is none", async () => {
    programs.write("tmux", `touch ${folder}/asked`);
    expect(await runTmux(recorded(), join(folder, "missing"), ["list-sessions"])).toBeNull();
    writeFileSync(join(folder, "file"), "");
    await expect(listSessions(recorded(), join(folder, "file"))).rejects.toThrow(
      `${folder}/file is not a socket`,
    );
    expect(() => execFileSync("ls", [join(folder, "asked")], { stdio: "ignore" })).toThrow();
  });

  it("asks the tmux of another user only as that user, for a server can have its client write files", async () => {
    const socket = await socketAt(join(folder, "s"));
    const system = recorded();
    programs.write("tmux", "echo '1 1700000000 1700000001 0 as'$(id -u)");
    // Somebody else's: as root it is given away, else Argus is taken for somebody else.
    if (isRoot) chownSync(socket, 1234, 1234);
    const asOther = { ...system, self: { ...system.self, uid: isRoot ? 0 : system.self.uid + 1 } };
    chmodSync(programs.folder, 0o755);
    if (isRoot) {
      expect((await listSessions(asOther, socket))?.map(({ name }) => name)).toEqual(["as1234"]);
    } else {
      await expect(listSessions(asOther, socket)).rejects.toThrow(
        `${socket} belongs to user ${system.self.uid}, whose tmux only that user or root may ask`,
      );
    }
  });

  it("does not ask through a folder in which others could swap the socket", async () => {
    const loose = join(folder, "loose");
    mkdirSync(loose);
    chmodSync(loose, 0o777);
    const socket = await socketAt(join(loose, "s"));
    programs.write("tmux", "echo '1 1700000000 1700000001 0 x'");
    await expect(listSessions(recorded(), socket)).rejects.toThrow(
      `${socket} is not asked: others can change ${loose}, and so put a socket of theirs in its place`,
    );
    chmodSync(loose, 0o1777);
    expect(await listSessions(recorded(), socket)).toHaveLength(1);
  });

  it.runIf(isRoot)(
    "asks nobody's tmux through a link of a third user, who could turn it elsewhere",
    async () => {
      const socket = await socketAt(join(folder, "s"));
      chownSync(folder, 4711, 4711);
      chownSync(socket, 4711, 4711);
      const link = `${folder}-link`;
      symlinkSync(folder, link);
      lchownSync(link, 4712, 4712);
      programs.write("setpriv", "echo '1 1700000000 1700000001 0 x'");
      try {
        await expect(listSessions(recorded(), join(link, "s"))).rejects.toThrow(`others can change ${link}`);
        lchownSync(link, 4711, 4711);
        expect(await listSessions(recorded(), join(link, "s"))).toHaveLength(1);
      } finally {
        rmSync(link);
      }
    },
  );
});

describe("answers", () => {
  it.each([
    ["no server running on /tmp/x", []],
    ["error connecting to /tmp/x (No such file or directory)", []],
    ["error connecting to /tmp/x (Connection refused)", []],
    ["lost server", []],
    ["server exited unexpectedly", []],
  ])("%s: none", async (text, sessions) => {
    const socket = await socketAt(join(folder, "s"));
    programs.write("tmux", `echo '${text}' >&2; exit 1`);
    expect(await listSessions(recorded(), socket)).toEqual(sessions);
  });

  it("says what else tmux complains of", async () => {
    const socket = await socketAt(join(folder, "s"));
    programs.write("tmux", "echo 'protocol version mismatch (client 8, server 7)' >&2; exit 1");
    await expect(listSessions(recorded(), socket)).rejects.toThrow(
      `tmux on ${socket} failed: protocol version mismatch (client 8, server 7)`,
    );
  });

  it("is null without tmux", async () => {
    const socket = await socketAt(join(folder, "s"));
    expect(await listSessions(createSystem({ path: programs.alone }), socket)).toBeNull();
  });

  it("reads lines, and passes over others", () => {
    expect(parseSessions("2 1700000000 1700000100 1 a b\n\nnonsense\n1 1700000000  0 old\n")).toEqual([
      { name: "a b", windows: 2, createdAt: 1_700_000_000, activeAt: 1_700_000_100, attached: true },
      { name: "old", windows: 1, createdAt: 1_700_000_000, activeAt: 1_700_000_000, attached: false },
    ]);
  });

  it("knows where tmux puts its socket", () => {
    expect(defaultTmuxSocket(1000)).toBe("/tmp/tmux-1000/default");
  });
});
