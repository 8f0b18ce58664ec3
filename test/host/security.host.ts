/** What somebody who has taken over a part of Argus can still do: probes inside the very sandbox of each unit. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layDown, startUnits, succeed } from "./argus.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import { probe } from "./probe.ts";

let host: Host;
const sleeps = "[Service]\nExecStart=/bin/sleep infinity\n";

beforeAll(async () => {
  host = await bootHost({ name: "security" });
  await layDown(host);
  const settings = {
    services: [
      { unit: "web", restart: true },
      { unit: "db", restart: false },
    ],
    processes: { killable: ["sleep"], protected: [] },
    budgets: { killsPerHour: 3 },
  };
  host.write("/etc/argus/argus.json", JSON.stringify(settings));
  host.write("/etc/argus/argus.env", "ARGUS_INTERVAL=3600\nANTHROPIC_API_KEY=sk-of-the-test\n", 0o600);
  for (const unit of ["web", "db"]) await host.unit(`${unit}.service`, sleeps);
  await succeed(host, ["systemctl", "start", "web", "db"]);
  await startUnits(host);
});
afterAll(async () => await host?.stop());

const inSandboxOf = (unit: string, script: string) => probe(host, unit, script);

const mainPid = async (unit: string) =>
  Number(await succeed(host, ["systemctl", "show", "--value", "-p", "MainPID", unit]));

describe("whoever owns the part with the network", () => {
  it("has no capability, gets none, and can read neither the secrets' file nor the executor's memory", async () => {
    const seen = await inSandboxOf(
      "argus.service",
      `print({
        bounding: status("CapBnd"), effective: status("CapEff"), noNewPrivileges: status("NoNewPrivs"),
        secrets: attempt(() => fs.readFileSync("/etc/argus/argus.env")),
        executor: attempt(() => fs.readdirSync("/var/lib/argus-executor")),
        policy: attempt(() => fs.appendFileSync("/etc/argus/argus.json", " ")),
        rules: attempt(() => fs.writeFileSync("/etc/argus/rules.d/x.json", "{}")),
        program: attempt(() => fs.appendFileSync("/opt/argus/dist/main.js", " ")),
        namespace: spawnSync("unshare", ["--user", "true"]).status,
      });`,
    );
    expect(seen).toEqual({
      bounding: "0000000000000000",
      effective: "0000000000000000",
      noNewPrivileges: "1",
      secrets: "EACCES",
      executor: "EACCES",
      policy: expect.stringMatching(/EROFS|EACCES/),
      rules: expect.stringMatching(/EROFS|EACCES|ENOENT/),
      program: expect.stringMatching(/EROFS|EACCES/),
      namespace: 1,
    });
  });

  it("has no word of a person for the executor, whose settings name nobody in Telegram", async () => {
    const seen = await inSandboxOf(
      "argus.service",
      `const by = { user: 7, name: "ann" };
      const answers = [];
      for (const order of [{ order: "resume", by }, { order: "pause", seconds: null, by }, { order: "approve", id: "abcd", yes: true, by }])
        answers.push((await ask("order", order)).result.text);
      print(answers);`,
    );
    expect(seen).toEqual(
      ["resume", "pause", "approve"].map((word) => `you may not ${word} here: see telegram in argus.json`),
    );
  });

  it("can neither signal others' processes nor have systemd restart a unit", async () => {
    const pid = await mainPid("web");
    const seen = await inSandboxOf(
      "argus.service",
      `print({
        signal: attempt(() => process.kill(${pid}, "SIGKILL")),
        restart: spawnSync("systemctl", ["--no-ask-password", "restart", "web"]).status === 0,
        privateSocket: await connect("/run/systemd/private"),
      });`,
    );
    expect(seen).toEqual({ signal: "EPERM", restart: false, privateSocket: "EACCES" });
    expect(await mainPid("web")).toBe(pid);
  });

  it("gets from the executor what the policy lists, within the budgets, and nothing else", async () => {
    const db = await mainPid("db");
    await succeed(host, [
      "sh",
      "-c",
      "for n in 1 2 3 4 5; do setsid sleep 1000 >/dev/null 2>&1 </dev/null & done",
    ]);
    const pids = (await succeed(host, ["pgrep", "-f", "sleep 1000"])).trim().split("\n").map(Number);
    const seen = await inSandboxOf(
      "argus.service",
      `
      const said = async (...proposals) => (await ask("execute", request(...proposals))).result?.actions.map((each) => each.refusal ?? each.result);
      const kill = (pid) => ({ type: "kill_pid", target: pid, expect: { startTime: started(pid) }, ...about });
      print({
        unlisted: await said({ type: "restart_service", target: "db", ...about }),
        itself: await said({ type: "restart_service", target: "argus-executor", ...about }),
        init: await said(kill(1)),
        main: await said(kill(${db})),
        five: await said(...${JSON.stringify(pids)}.map(kill)),
        unknown: await said({ type: "shell", target: "id", ...about }),
        method: (await ask("eval", "1")).error,
        healthy: await said({ type: "restart_service", target: "web", ...about }),
      });`,
    );
    expect(seen).toEqual({
      unlisted: ["not_allowlisted"],
      itself: ["not_allowlisted"],
      init: ["protected_target"],
      main: ["protected_target"],
      five: ["success", "success", "success", "budget_exhausted", "budget_exhausted"],
      unknown: ["unknown_action"],
      method: "the executor knows no eval",
      healthy: ["not_needed"],
    });
  });
});

describe("the executor", () => {
  it("has six capabilities, no network, and a file system that is read-only but for what it cleans", async () => {
    const seen = await inSandboxOf(
      "systemd/argus-executor.service",
      `print({
        bounding: status("CapBnd"),
        network: await connect({ host: "127.0.0.1", port: 22 }),
        interfaces: fs.readdirSync("/sys/class/net"),
        etc: attempt(() => fs.writeFileSync("/etc/x", "")),
        program: attempt(() => fs.appendFileSync("/opt/argus/dist/main.js", " ")),
        state: attempt(() => fs.writeFileSync("/var/lib/argus/x", "")),
        tmp: attempt(() => fs.writeFileSync("/tmp/probe", "")),
        kernel: attempt(() => fs.writeFileSync("/proc/sys/kernel/hostname", "x")),
      });`,
    );
    const bits = (name: number) => 1n << BigInt(name);
    // CAP_DAC_OVERRIDE 1, CAP_FOWNER 3, CAP_KILL 5, CAP_SETGID 6, CAP_SETUID 7, CAP_SYS_PTRACE 19 (linux/capability.h)
    const six = [1, 3, 5, 6, 7, 19].map(bits).reduce((a, b) => a | b);
    expect(seen).toEqual({
      bounding: six.toString(16).padStart(16, "0"),
      network: "EAFNOSUPPORT",
      interfaces: expect.not.arrayContaining(["eth0"]),
      etc: "EROFS",
      program: "EROFS",
      state: "EROFS",
      tmp: "done",
      kernel: "EROFS",
    });
  });

  it("is reached by Argus's user and root alone", async () => {
    const stat = await succeed(host, ["stat", "-c", "%U %G %a", "/run/argus-executor.sock"]);
    expect(stat.trim()).toBe("argus root 600");
    const own = await succeed(host, [
      "stat",
      "-c",
      "%U %a",
      "/run/argus-executor",
      "/run/argus-executor/root.sock",
    ]);
    expect(own.trim()).toBe("root 700\nroot 600");
  });
});

describe("systemd-analyze", () => {
  it.each([
    ["argus.service", 2.5],
    ["systemd/argus-executor.service", 2.5],
    ["systemd/argus-once.service", 2.5],
    ["systemd/argus-daily.service", 2.5],
  ])("finds %s exposed at most %d", async (unit, most) => {
    const path = join(checkout, unit);
    const answer = await succeed(host, ["systemd-analyze", "security", "--offline=true", "--no-pager", path]);
    const exposure = Number(/Overall exposure level for \S+ ([\d.]+)/.exec(answer)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(most);
  });
});
