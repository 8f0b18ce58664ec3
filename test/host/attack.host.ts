/**
 * An attack by whoever owns the part with the network, as its user and inside its very sandbox: over the executor's
 * socket, and by what lies in its own folders when root types a command.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";
import { probe } from "./probe.ts";

let host: Host;
const attack = (script: string) => probe(host, "argus.service", script);

beforeAll(async () => {
  host = await bootHost({ name: "attack" });
  await is.services(host, [{ name: "web" }, { name: "db" }]);
  await is.systemctl(host, "start", "web", "db");
  await is.installArgus(host, {
    settings: {
      services: [{ unit: "web", restart: true }],
      processes: { killable: ["sleep"], protected: [] },
      approval: { rules: ["restart_service"], model: ["restart_service"] },
    },
  });
  host.write("/root/.bashrc", "as it was\n");
  await succeed(host, ["touch", "--date=2026-01-01T00:00Z", "/root/.bashrc"]);
});
afterAll(async () => await host?.stop());

const canary = () => succeed(host, ["sh", "-c", "stat -c '%U %a %s %Y' /root/.bashrc; cat /root/.bashrc"]);
const executorPid = () => is.property(host, "argus-executor", "MainPID");
/** Everything outside of Argus's own folders that a write could have gone to. */
const listing = () =>
  succeed(host, [
    "sh",
    "-c",
    "find /etc /root /usr/local /opt /var/spool /home -xdev -newer /srv/mark -not -path '/etc/systemd/system*' -not -path '/root/.npm*' -not -path '/root/.cache*' 2>/dev/null | sort",
  ]);

describe("over the executor's socket", () => {
  it("gets nothing by claiming to be a person, and nothing written by the executor", async () => {
    const before = [await canary(), await executorPid()];
    await is.crash(host, "web");
    const seen = await attack(`
      fs.rmSync("/var/lib/argus/observations.md", { force: true });
      fs.symlinkSync("/root/.bashrc", "/var/lib/argus/observations.md");
      const said = async (...proposals) => (await ask("execute", request(...proposals))).result?.actions.map((each) => each.refusal ?? each.result);
      const restart = { type: "restart_service", target: "web", ...about };
      const words = ["log", "alert", "file_bead"].map((type) => ({ type, message: "owned", ...about }));
      const sources = ["operator", "self", "rule:x", "llm:x", "agent:x", "root", ""];
      const answers = {};
      for (const source of sources) answers[source] = [
        ...(await said({ ...restart, source })), ...(await said(...words.map((each) => ({ ...each, source })))),
      ];
      const rootsOwn = await new Promise((resolve) => {
        const socket = net.connect("/run/argus-executor/root.sock");
        socket.on("connect", () => resolve("open"));
        socket.on("error", (error) => resolve(error.code));
      });
      print({ answers, rootsOwn });
    `);
    const invalid = Array(4).fill("invalid");
    expect(seen).toEqual({
      answers: {
        operator: invalid,
        self: invalid,
        "rule:x": ["needs_approval", "invalid", "invalid", "invalid"],
        // Nothing was offered to it in this request.
        "llm:x": ["not_a_candidate", "invalid", "invalid", "invalid"],
        "agent:x": invalid,
        root: invalid,
        "": invalid,
      },
      rootsOwn: "EACCES",
    });
    expect(await is.activeState(host, "web")).toBe("failed");
    expect([await canary(), await executorPid()]).toEqual(before);
    expect(await succeed(host, ["sh", "-c", `ls ${is.executorDir}`])).not.toContain("outbox");
  });

  it("kills no process beyond the policy, whatever it says about it", async () => {
    await succeed(host, [
      "sh",
      "-c",
      "cp /bin/sleep /usr/local/bin/precious; setsid precious 3600 >/dev/null 2>&1 </dev/null &",
    ]);
    const precious = Number((await succeed(host, ["pgrep", "--exact", "precious"])).trim());
    const db = Number(await is.property(host, "db", "MainPID"));
    const own = Number(await executorPid());
    const seen = await attack(`
      const said = async (...proposals) => (await ask("execute", request(...proposals))).result?.actions.map((each) => each.refusal ?? each.result);
      const kill = (target, startTime) => ({ type: "kill_pid", target, expect: { startTime }, ...about });
      print({
        precious: await said(kill(${precious}, started(${precious}))),
        main: await said(kill(${db}, started(${db}))),
        executor: await said(kill(${own}, started(${own}))),
        init: await said(kill(1, started(1))),
        group: await said(kill(-${precious}, started(${precious}))),
        broadcast: await said(kill(-1, 0)),
        zero: await said(kill(0, 0)),
        text: await said(kill("${precious}; id", 0)),
      });
    `);
    expect(seen).toEqual({
      precious: ["not_allowlisted"],
      main: ["protected_target"],
      executor: ["protected_target"],
      init: ["protected_target"],
      group: ["invalid"],
      broadcast: ["invalid"],
      zero: ["invalid"],
      text: ["invalid"],
    });
    expect((await host.exec(["kill", "-0", String(precious), String(db)])).exitCode).toBe(0);
    await succeed(host, ["kill", String(precious)]);
  });

  it("leaves the executor as it was: the same process, its memory and its folder bounded", async () => {
    const before = await executorPid();
    const sizeKiB = async () => Number((await succeed(host, ["du", "-sk", is.executorDir])).split("\t")[0]);
    const sizeBefore = await sizeKiB();
    const seen = await attack(`
      const end = Date.now() + 20_000;
      const flood = (make) => new Promise((resolve) => {
        const socket = net.connect("/run/argus-executor.sock");
        let id = 0;
        const more = () => {
          while (Date.now() < end && !socket.destroyed) if (!socket.write(make(id++))) return void socket.once("drain", more);
          socket.destroy();
        };
        socket.on("connect", more);
        socket.on("error", () => undefined);
        socket.on("close", () => resolve(id));
      });
      const again = async (make) => { let sent = 0; while (Date.now() < end) sent += await flood(make); return sent; };
      const frame = (method, params) => (id) => JSON.stringify({ id, method, params }) + "\\n";
      const pids = Array.from({ length: 100_000 }, (_, at) => at + 1);
      const proposal = { type: "restart_service", target: "x".repeat(256), message: "y".repeat(8000), ...about };
      const results = await Promise.all([
        again(() => "x".repeat(1_000_000)),
        again(frame("executables", { pids })),
        again(frame("execute", request(...Array.from({ length: 100 }, () => proposal)))),
        again((id) => JSON.stringify({ id, method: "order", params: { order: "resume", by: { user: id + 1, name: "n" + id } } }) + "\\n"),
        again(frame("view", null)),
        again(frame("execute", { ...request(), candidates: Object.fromEntries(pids.slice(0, 20_000).map((pid) => [pid, [pid]])) })),
        again((id) => JSON.stringify({ id, method: "execute", params: { ...request({ ...proposal, type: "restart_service", target: "web", message: undefined, problem: "service:" + id.toString(16).padStart(16, "0") }), cycle: "c" + id } }) + "\\n"),
        again((id) => "[".repeat(900_000) + "\\n"),
      ]);
      print({ sent: results.every((count) => count > 0) });
    `);
    expect(seen).toEqual({ sent: true });
    expect(await executorPid()).toBe(before);
    const rssKiB = Number(/VmHWM:\s+(\d+)/.exec(await succeed(host, ["cat", `/proc/${before}/status`]))?.[1]);
    expect(rssKiB).toBeLessThan(220 * 1024);
    expect((await sizeKiB()) - sizeBefore).toBeLessThan(4 * 1024);
    const { stdout } = await is.argus(host, "status", "--json");
    expect(JSON.parse(stdout).approvals.length).toBeLessThanOrEqual(50);
  }, 120_000);
});

describe("by what it lays into its own folders", () => {
  const commands = [
    ["status"],
    ["summary"],
    ["problems"],
    ["explain"],
    ["stats"],
    ["silence", "list"],
    ["approve"],
    ["approve", "abcd"],
    ["doctor"],
    ["check"],
    ["clean", "--dry-run"],
    ["pause", "--for", "1m"],
    ["resume"],
    ["notify", "--test"],
  ];

  it("cannot make root's commands write, wait or signal by what it lays into its folder", async () => {
    await is.systemctl(host, "stop", "argus");
    await succeed(host, ["touch", "/srv/mark"]);
    const before = [await canary(), await executorPid()];
    const forged = await is.property(host, "db", "MainPID");
    const names = (
      await succeed(host, [
        "sh",
        "-c",
        "cd /var/lib/argus && find . -type f -printf '/var/lib/argus/%P\\n'; cd /var/log/argus && find . -type f -printf '/var/log/argus/%P\\n'",
      ])
    )
      .split("\n")
      .filter((name) => name !== "");
    const kinds: readonly (readonly [string, string])[] = [
      ["a pipe", `spawnSync("mkfifo", [path])`],
      ["a link to a file of root's", `fs.symlinkSync("/root/.bashrc", path)`],
      ["a link to a pipe", `fs.symlinkSync("/var/lib/argus/pipe", path)`],
      ["a folder", `fs.mkdirSync(path)`],
      ["a link to the executor's memory", `fs.symlinkSync("/var/lib/argus-executor/executor.json", path)`],
    ];
    for (const [kind, make] of kinds) {
      await attack(`
        spawnSync("mkfifo", ["/var/lib/argus/pipe"]);
        for (const path of ${JSON.stringify(names)}) { fs.rmSync(path, { force: true, recursive: true }); ${make}; }
        print({});
      `);
      for (const command of commands) {
        const said = await host.exec(["/usr/local/bin/argus", ...command], { timeoutMs: 15_000 });
        const about = `${kind}: argus ${command.join(" ")}: ${said.stdout}\n${said.stderr}`;
        expect([0, 1, 2], about).toContain(said.exitCode);
        expect(said.stdout + said.stderr, about).not.toMatch(/a bug, please report|as it was|\n {4}at /);
      }
    }
    const startTime = (await succeed(host, ["cat", `/proc/${forged}/stat`]))
      .split(") ")
      .at(-1)
      ?.split(" ")[19];
    const bootId = (await succeed(host, ["cat", "/proc/sys/kernel/random/boot_id"])).trim();
    const lock = {
      version: 1,
      pid: Number(forged),
      startTime: Number(startTime),
      bootId,
      since: "",
      what: "argus run",
      nonce: "n",
    };
    await attack(`
      for (const path of ${JSON.stringify(names)}) fs.rmSync(path, { force: true, recursive: true });
      fs.writeFileSync("/var/lib/argus/daemon.lock", ${JSON.stringify(JSON.stringify(lock))}, { mode: 0o600 });
      print({});
    `);
    for (const command of [["approve", "abcd"], ["clean"], ["status"], ["notify", "--test"]])
      await host.exec(["/usr/local/bin/argus", ...command], { timeoutMs: 30_000 });
    expect(await is.property(host, "db", "MainPID")).toBe(forged);
    expect([await canary(), await executorPid()]).toEqual(before);
    expect(await listing()).toBe("");
  }, 240_000);
});
