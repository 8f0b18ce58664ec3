/** What systemd hears, through a recorded systemd-notify. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createRun } from "../../src/system/run.ts";
import { createServiceManager } from "../../src/system/service-manager.ts";

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function recorded(exitCode = 0) {
  const dir = mkdtempSync(join(tmpdir(), "argus-notify-"));
  dirs.push(dir);
  const log = join(dir, "log");
  const script = `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${log}\necho "no such socket" >&2\nexit ${exitCode}\n`;
  writeFileSync(join(dir, "systemd-notify"), script);
  chmodSync(join(dir, "systemd-notify"), 0o755);
  const faults: string[] = [];
  return {
    run: createRun(`${dir}:/usr/bin:/bin`),
    faults,
    onFault: (sentence: string) => faults.push(sentence),
    said: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  };
}

describe("the service manager", () => {
  it("hears that the service is ready, lives and stops, with a line for systemctl status", async () => {
    const { run, said, onFault } = recorded();
    const env = { NOTIFY_SOCKET: "/run/systemd/notify", WATCHDOG_USEC: "300000000", WATCHDOG_PID: "42" };
    const manager = createServiceManager(run, env, 42, onFault);
    await manager.ready("first cycle");
    await manager.feed("2 open problems");
    await manager.stopping();
    expect(said()).toEqual([
      "/run/systemd/notify READY=1 STATUS=first cycle",
      "/run/systemd/notify WATCHDOG=1 STATUS=2 open problems",
      "/run/systemd/notify STOPPING=1",
    ]);
    expect(manager.feedEveryMs).toBe(100_000);
  });

  it.each([
    ["there is none", {}],
    [
      "its watchdog watches another process",
      { NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "1000000", WATCHDOG_PID: "7" },
    ],
    ["it watches nobody", { NOTIFY_SOCKET: "/x" }],
    ["its limit is no number", { NOTIFY_SOCKET: "/x", WATCHDOG_USEC: "soon" }],
  ])("is not fed when %s", (_, env) => {
    const { run, onFault } = recorded();
    expect(createServiceManager(run, env, 42, onFault).feedEveryMs).toBeNull();
  });

  it("is not spoken to without a socket", async () => {
    const { run, said, onFault } = recorded();
    await createServiceManager(run, {}, 42, onFault).ready("x");
    expect(said()).toEqual([]);
  });

  it("that cannot be reached is a sentence, and no error", async () => {
    const failing = recorded(1);
    await createServiceManager(failing.run, { NOTIFY_SOCKET: "/x" }, 42, failing.onFault).ready("x");
    expect(failing.faults).toEqual(["systemd-notify could not say READY=1: no such socket"]);
    const missing: string[] = [];
    const none = createServiceManager(createRun("/nonexistent"), { NOTIFY_SOCKET: "/x" }, 42, (sentence) =>
      missing.push(sentence),
    );
    await none.stopping();
    expect(missing).toEqual(["systemd-notify could not say STOPPING=1: it is not installed"]);
  });
});

describe("a program that Argus runs", () => {
  it("does not get the socket, so that it cannot speak in Argus's name", async () => {
    process.env["NOTIFY_SOCKET"] = "/run/systemd/notify";
    try {
      const { stdout } = await createRun()("sh", ["-c", 'echo "[$NOTIFY_SOCKET]"']);
      expect(stdout).toBe("[]");
    } finally {
      delete process.env["NOTIFY_SOCKET"];
    }
  });
});
