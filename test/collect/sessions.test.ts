import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cycle } from "../../src/collect/collector.ts";
import { createSessionCollector } from "../../src/collect/sessions.ts";
import { createSystem } from "../../src/system/machine.ts";
import { SessionEntity } from "../../src/types/facts.ts";
import { createPrograms, type Programs } from "./programs.ts";
import { configWith } from "./tree.ts";

const cycle = { signal: new AbortController().signal } as Cycle;
let folder: string;
let programs: Programs;
const closers: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "argus-sessions-"));
  programs = createPrograms();
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
  programs.dispose();
});

/** A machine whose /tmp is the test's folder; the socket of its own user is the default one. */
function machine(path = process.env["PATH"] ?? "") {
  const real = createSystem({ root: folder, path });
  const uid = real.self.uid;
  mkdirSync(join(folder, `tmp/tmux-${uid}`), { recursive: true, mode: 0o700 });
  return { system: real, defaultSocket: `/tmp/tmux-${uid}/default` };
}
function startTmux(socket: string, ...names: string[]): void {
  for (const name of names)
    execFileSync("tmux", ["-S", join(folder, socket), "new-session", "-d", "-s", name, "sleep 60"]);
  closers.push(() => spawnSync("tmux", ["-S", join(folder, socket), "kill-server"], { stdio: "ignore" }));
}
async function strangeSocket(path: string): Promise<void> {
  const server = createServer();
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(join(folder, path), resolve));
}

describe("sessions", () => {
  it("do not become idle when somebody sets the clock forward", async () => {
    const { system, defaultSocket } = machine();
    startTmux(defaultSocket, "mine");
    let leapMs = 0;
    const now = () => ({ ...system.clock.now(), wallMs: system.clock.now().wallMs + leapMs });
    const collect = createSessionCollector({ ...system, clock: { ...system.clock, now } }, configWith({}));
    leapMs = 3_600_000;
    const [session] = (await collect(cycle)).facts.session ?? [];
    expect(session?.idleSeconds).toBeLessThan(60);
    expect(session?.ageSeconds).toBeLessThan(60);
  });

  it("are those on the default socket and on the configured ones", async () => {
    const { system, defaultSocket } = machine();
    startTmux(defaultSocket, "mine");
    startTmux("/agents.sock", "claude-1", "codex_2");
    const collect = createSessionCollector(
      system,
      configWith({ tmuxSockets: ["/agents.sock", "/missing.sock"] }),
    );
    const { facts, detail } = await collect(cycle);
    for (const each of facts.session ?? []) SessionEntity.parse(each);
    const told = facts.session?.map(({ socket, name, watched }) => [socket, name, watched]).sort();
    expect(told).toEqual([
      ["/agents.sock", "claude-1", true],
      ["/agents.sock", "codex_2", true],
      [defaultSocket, "mine", false],
    ]);
    for (const each of facts.session ?? []) {
      expect(each).toMatchObject({ windows: 1, attached: false });
      expect(each.ageSeconds).toBeLessThan(60);
      expect(each.idleSeconds).toBeLessThanOrEqual(each.ageSeconds + 1);
    }
    expect(detail).toMatch(/^3 tmux sessions, 0 attached: /);
  });

  it("are none where no server runs", async () => {
    const { facts, detail } = await createSessionCollector(machine().system, configWith())(cycle);
    expect(facts).toEqual({ session: [] });
    expect(detail).toBe("no tmux session");
  });

  it("are absent without tmux, and it is looked for once", async () => {
    const { system } = machine(programs.alone);
    const collect = createSessionCollector(system, configWith());
    expect(await collect(cycle)).toEqual({ absent: true, facts: {}, detail: "tmux is not installed" });
    programs.write("tmux", "exit 0");
    expect((await collect(cycle)).absent).toBe(true);
  });

  it("on one socket that does not answer cost that socket", async () => {
    const { system, defaultSocket } = machine(programs.path);
    await strangeSocket(defaultSocket);
    await strangeSocket("/odd.sock");
    programs.write(
      "tmux",
      'case "$2" in *odd*) echo "lost protocol" >&2; exit 1;; esac; echo "2 1700000000 1700000000 1 mine"',
    );
    const collect = createSessionCollector(system, configWith({ tmuxSockets: ["/odd.sock"] }));
    const { facts, detail } = await collect(cycle);
    expect(facts.session).toMatchObject([{ name: "mine", windows: 2, attached: true, watched: false }]);
    expect(detail).toBe("1 tmux session, 1 attached: mine; tmux on /odd.sock failed: lost protocol");
  });

  it("on no socket that answers are a failure", async () => {
    const { system, defaultSocket } = machine(programs.path);
    await strangeSocket(defaultSocket);
    programs.write("tmux", 'echo "lost protocol" >&2; exit 1');
    await expect(createSessionCollector(system, configWith())(cycle)).rejects.toThrow(
      `tmux on ${defaultSocket} failed: lost protocol`,
    );
  });
});
