import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bootHost, checkout, type Host, whyNoHost } from "./harness.ts";

let host: Host;
beforeAll(async () => {
  host = await bootHost({ name: "first", uptimeSeconds: 500_000 });
});
afterAll(async () => await host?.stop());

const uptime = (of: Host) => Number(of.read("/proc/uptime").split(" ")[0]);
const outputOf = async (argv: string[], on = host) => (await on.exec(argv)).stdout;

describe("a host", () => {
  it("runs systemd as process 1 with nothing failed, D-Bus and a persistent journal", async () => {
    expect(await outputOf(["systemctl", "is-system-running"])).toBe("running");
    expect(host.read("/proc/1/comm")).toBe("systemd\n");
    expect(await outputOf(["busctl", "get-property", ...manager, "SystemState"])).toBe('s "running"');
    expect(await outputOf(["hostname"])).toBe("first");
    expect(readdirSync(join(host.root, "var/log/journal"))).toEqual([host.read("/etc/machine-id").trim()]);
  });

  it("starts nothing that is enabled on this machine", async () => {
    expect(await outputOf(["systemctl", "list-unit-files", "--state=enabled", "--no-legend"])).toBe("");
  });

  it("has the checkout and node at the same paths, and writes to neither the checkout nor this machine", async () => {
    const version = join(checkout, "package.json");
    expect(host.read(version)).toBe(readFileSync(version, "utf8"));
    expect(await outputOf([process.execPath, "--version"])).toBe(process.version);
    expect((await host.exec(["touch", join(checkout, "trace")])).stderr).toContain("Read-only file system");
    // /var/run is an absolute symbolic link, which must not lead out of the host.
    for (const path of ["/etc/argus-trace", "/var/lib/argus-trace", "/var/run/argus-trace"]) {
      host.write(path, "trace", 0o600);
      expect(host.read(path)).toBe("trace");
      expect(existsSync(path)).toBe(false);
    }
    expect(await outputOf(["stat", "--format=%a", "/run/argus-trace"])).toBe("600");
  });

  it("has clocks that begin where the test says", () => {
    expect(uptime(host)).toBeGreaterThan(500_000);
    expect(uptime(host)).toBeLessThan(500_600);
  });

  it("runs programs in a login session, with their own environment, input and user", async () => {
    expect(await outputOf(["cat", "/proc/self/cgroup"])).toContain(
      "\n0::/user.slice/user-0.slice/session-1.scope",
    );
    expect((await host.exec(["env"], { env: { ARGUS_TEST: "1" } })).stdout.split("\n").sort()).toEqual([
      "ARGUS_TEST=1",
      "HOME=/root",
      "LANG=C.UTF-8",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]);
    expect((await host.exec(["cat"], { input: "given" })).stdout).toBe("given");
    expect((await host.exec(["id", "-un"], { user: "nobody" })).stdout).toBe("nobody");
    expect(await host.exec(["sh", "-c", "echo out; echo err >&2; exit 7"])).toEqual({
      exitCode: 7,
      stdout: "out",
      stderr: "err",
    });
  });

  it("ends a program whose time is up, with what it started", async () => {
    expect((await host.exec(["sh", "-c", "sleep 8642 & wait"], { timeoutMs: 300 })).exitCode).toBe(null);
    await host.waitFor(async () => (await outputOf(["pgrep", "-f", "sleep 8642"])) === "", 5_000, "its end");
  });

  it("shares neither units nor network with a second host", async () => {
    const second = await bootHost({ name: "second" });
    try {
      for (const each of [host, second]) {
        await each.unit("web.service", `[Service]\nExecStart=${process.execPath} /root/web.mjs\n`);
        each.write("/root/web.mjs", webServer);
        await each.exec(["systemctl", "start", "web"]);
        const answer = ["node", "-e", answerOf];
        await each.waitFor(async () => (await outputOf(answer, each)) !== "", 10_000, "an answer");
        expect(await outputOf(answer, each)).toBe(each === host ? "first" : "second");
      }
      await second.exec(["systemctl", "stop", "web"]);
      expect(await outputOf(["systemctl", "is-active", "web"])).toBe("active");
    } finally {
      await second.stop();
    }
    await expect(second.exec(["true"])).rejects.toThrow("The host second is stopped.");
  });

  it("shares the network of another host where the test wants it, and nothing else", async () => {
    const second = await bootHost({ name: "second", network: host });
    try {
      await second.unit("shared.service", `[Service]\nExecStart=${process.execPath} /root/shared.mjs\n`);
      second.write("/root/shared.mjs", webServer.replace("8080", "8090"));
      await second.exec(["systemctl", "start", "shared"]);
      const ask = ["node", "-e", answerOf.replace("8080", "8090")];
      await host.waitFor(async () => (await outputOf(ask)) === "second", 10_000, "an answer");
      expect(await outputOf(["systemctl", "is-active", "shared"])).toBe("inactive");
      expect(await outputOf(["systemctl", "is-system-running"], second)).toBe("running");
    } finally {
      await second.stop();
    }
  });
});

const manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
const answerOf =
  "fetch('http://127.0.0.1:8080').then(r => r.text()).then(t => process.stdout.write(t), () => {})";
const webServer = `import { createServer } from "node:http"; import { hostname } from "node:os";
createServer((_, response) => response.end(hostname())).listen(8080, "127.0.0.1");`;

describe("a new boot", () => {
  const boots = async () =>
    (await outputOf(["journalctl", "--list-boots", "--no-pager"])).split("\n").length - 1;
  const bootId = () => host.read("/proc/sys/kernel/random/boot_id");
  const stopNote = `[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/touch /var/lib/was-stopped\n`;

  it.each([
    { cut: false, stopped: true },
    { cut: true, stopped: false },
  ])("with a power cut: $cut, keeps the root; a service was stopped: $stopped", async ({ cut, stopped }) => {
    await host.exec(["rm", "-f", "/var/lib/was-stopped"]);
    await host.unit("note.service", stopNote);
    await host.exec(["systemctl", "start", "note"]);
    const [count, id] = [await boots(), bootId()];
    await host.reboot({ cut, uptimeSeconds: 10 });
    expect(await boots()).toBe(count + 1);
    expect(bootId()).not.toBe(id);
    expect(uptime(host)).toBeLessThan(70);
    expect((await host.exec(["test", "-e", "/var/lib/was-stopped"])).exitCode).toBe(stopped ? 0 : 1);
  });
});

describe("nothing is left", () => {
  const mounts = () => readFileSync("/proc/self/mountinfo", "utf8");
  const bootAndWait = `import { bootHost } from "${checkout}/test/host/harness.ts";
    const host = await bootHost({ name: "killed" });
    process.stdout.write(host.root);
    setInterval(() => {}, 1000);`;

  it("of a host whose test was killed: processes and mounts go with it, its cgroup with the next start", async () => {
    const child = execa("node", ["--import", "tsx", "--input-type=module", "--eval", bootAndWait], {
      cwd: checkout,
      reject: false,
    });
    const root = await new Promise<string>((resolve) =>
      child.stdout.once("data", (data) => resolve(String(data))),
    );
    const leader = root.split("/")[2];
    expect(existsSync(`/proc/${leader}`)).toBe(true);
    child.kill("SIGKILL");
    await child;
    await host.waitFor(() => !existsSync(`/proc/${leader}`), 5_000, "process 1 of the host to be gone");
    expect(mounts()).not.toContain("argus-host");
    const third = await bootHost({ name: "third" });
    try {
      expect((await host.exec(["true"])).exitCode).toBe(0);
      expect(cgroups().filter((each) => each.startsWith("argus-host-killed-"))).toEqual([]);
      expect(cgroups().filter((each) => each.startsWith("argus-host-third-"))).toHaveLength(1);
    } finally {
      await third.stop();
    }
    expect(cgroups().filter((each) => each.startsWith("argus-host-third-"))).toEqual([]);
    expect(mounts()).not.toContain("argus-host");
  });

  const cgroups = () => {
    const [, mount] = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(mounts()) ?? [];
    if (mount === undefined) throw new Error("no unified cgroups are mounted here");
    return readdirSync(mount);
  };
});

describe("where no host can be", () => {
  it("an ordinary user is told so", async () => {
    expect(whyNoHost()).toBe(null);
    process.seteuid?.(65_534);
    try {
      expect(whyNoHost()).toBe("Only root can boot a host.");
      await expect(bootHost()).rejects.toThrow("Only root can boot a host.");
    } finally {
      process.seteuid?.(0);
    }
  });

  it("a missing program is named with its package", () => {
    const path = process.env["PATH"];
    process.env["PATH"] = "/nowhere";
    try {
      expect(whyNoHost()).toBe("The program systemd-nspawn is missing: apt-get install systemd-container.");
    } finally {
      process.env["PATH"] = path;
    }
  });
});
