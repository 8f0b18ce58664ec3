/**
 * What only a machine with a kernel of its own has: limits that the kernel counts, a clock that can be set, a slow
 * network, swap. Argus is installed on it as its two units. The cases share one boot, which takes longest.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as is from "../host/installed.ts";
import { bootMachine, type VirtualMachine } from "./harness.ts";

let machine: VirtualMachine;
const ports: Readonly<Record<string, number>> = { web: 8080, lean: 8081 };
const watched = ["web", "lean", "leak", "forks", "steady"];
const patienceMs = 30_000;

/** Waits for `/run/NAME`, then does it. */
const when = (name: string, what: string) =>
  `ExecStart=/bin/sh -c 'until test -e /run/${name}; do sleep 0.5; done; ${what}'`;
const what: Record<string, string> = {
  web: `ExecStart=${process.execPath} /srv/web.mjs ${ports["web"]}`,
  lean: `ExecStart=${process.execPath} /srv/web.mjs ${ports["lean"]}`,
  // Once, unless it is to leak at every start.
  leak: `MemoryMax=40M\nMemorySwapMax=0\n${when("leak", "test -e /run/leak-always || rm /run/leak; exec tail /dev/zero")}`,
  forks: `TasksMax=20\n${when("forks", "for one in $$(seq 19); do sleep infinity & done; wait")}`,
};
/** Each answer takes some work: with a hundredth of the processor it takes too long. */
const web = `import { createServer } from "node:http";
createServer((_, answer) => {
  let sum = 0;
  for (let step = 0; step < 5e6; step += 1) sum += step % 7;
  answer.end(String(sum));
}).listen(Number(process.argv[2]), "127.0.0.1");\n`;
/** Goes round and round in more memory than the machine has. */
const hog = `const held = Array.from({ length: 10 }, () => Buffer.alloc(50e6, 1));
for (;;) for (const each of held) for (let at = 0; at < each.length; at += 4096) each[at] += 1;\n`;

beforeAll(async () => {
  machine = await bootMachine();
  machine.write("/srv/web.mjs", web);
  machine.write("/srv/hog.mjs", hog);
  await is.services(
    machine,
    watched.map((name) => ({ name, what: what[name] ?? is.sleeps })),
  );
  await is.systemctl(machine, "start", ...watched);
  await is.installArgus(machine, {
    settings: {
      services: watched.map((unit) => ({
        unit,
        restart: true,
        ...(ports[unit] === undefined ? {} : { endpoint: { url: `http://127.0.0.1:${ports[unit]}/` } }),
      })),
    },
    env: {
      ARGUS_INTERVAL: 2,
      ARGUS_BOOT_GRACE_SECONDS: 0,
      ARGUS_RESTART_BACKOFF_SECOND_DELAY: 2,
      ARGUS_RESTART_BACKOFF_THIRD_DELAY: 2,
      // The slow machine does not swap faster.
      ARGUS_SWAP_THRASH_MBPS: 2,
    },
  });
});
afterAll(async () => await machine?.stop());

const sh = async (script: string): Promise<string> => {
  const result = await machine.exec(["sh", "-ec", script]);
  if (result.exitCode !== 0) throw new Error(`${script}: ${result.exitCode} ${result.stderr}`);
  return result.stdout;
};
/** Ids of what waits for people. A message may go: when the trouble is over, its end is all that is left to tell. */
const known = (): ReadonlySet<string> => new Set(is.outbox(machine).map(({ id }) => id));
const texts = (before: ReadonlySet<string>): string[] =>
  is.outbox(machine).flatMap(({ id, text }) => (before.has(id) ? [] : [text]));
const told = async (pattern: RegExp, before: ReadonlySet<string>): Promise<string> => {
  const found = () => texts(before).find((text) => pattern.test(text));
  await machine.waitFor(() => found() !== undefined, patienceMs, `a message about ${pattern}`);
  return found() ?? "";
};
const restarts = (unit: string): number =>
  is.actions(machine, "restart_service", unit).filter(({ result }) => result === "success").length;
const restarted = async (unit: string, times: number): Promise<void> =>
  await machine.waitFor(() => restarts(unit) >= times, patienceMs, `restart ${times} of ${unit}`);

describe("Argus on a machine of its own", () => {
  it("is held back by no quota, and sees what the kernel counts", async () => {
    const figure = async (unit: string, name: string) =>
      await sh(`cat /sys/fs/cgroup/system.slice/${unit}.service/${name}`);
    for (const unit of ["argus", "argus-executor"]) {
      expect(await figure(unit, "cpu.max")).toMatch(/^max /);
      expect(await figure(unit, "cpu.stat")).toMatch(/^nr_throttled 0$/m);
      expect(Number(await figure(unit, "memory.current"))).toBeGreaterThan(10e6);
    }
    const { collectors, findings } = is.cycles(machine).at(-1) ?? {};
    expect([collectors?.find(({ name }) => name === "host")?.detail, findings]).toEqual([
      expect.not.stringContaining("no pressure figures"),
      [],
    ]);
  });
});

describe("a service that takes more memory than it may have", () => {
  it("is healed, and the report names the limit", async () => {
    const before = known();
    machine.write("/run/leak", "");
    await restarted("leak", 1);
    expect(await told(/leak/, before)).toContain(
      "REPAIRED leak (was: failed, oom-kill, MemoryMax=41.9 MB), down ",
    );
    expect(await is.activeState(machine, "leak")).toBe("active");
    expect((await is.explained(machine, "leak")).text).toContain("leak is failed (oom-kill)");
  });

  it("is left alone after the third restart, and people are told what its limit is", async () => {
    const before = known();
    machine.write("/run/leak-always", "");
    machine.write("/run/leak", "");
    const alert = await told(/CRITICAL leak is failed \(oom-kill\)/, before);
    expect(alert).toContain(
      "the kernel ended a process of it because memory was short: it may have 41.9 MB (MemoryMax=)",
    );
    await machine.waitFor(
      () => is.answers(machine, "leak").includes("cooldown"),
      patienceMs,
      "the cooldown of leak",
    );
    // It may be gone again before the second or third has settled.
    const tried = is.actions(machine, "restart_service", "leak").filter(({ refusal }) => refusal == null);
    expect(tried).toHaveLength(3);
    await is.systemctl(machine, "reset-failed", "leak");
    await sh("rm /run/leak /run/leak-always; systemctl start leak");
  });
});

it("a service that has as many tasks as it may is told with both figures, and left alone", async () => {
  const before = known();
  machine.write("/run/forks", "");
  expect(await told(/forks/, before)).toContain(
    "WARNING forks has 20 of 20 processes and threads that it may have (TasksMax=)",
  );
  expect(is.actions(machine, "restart_service", "forks")).toEqual([]);
  await is.systemctl(machine, "restart", "forks");
});

describe.each([
  {
    name: "web",
    trouble: "packets from and to its port take 3 s",
    // The first three bands are for everything else.
    begin: [
      "tc qdisc add dev lo root handle 1: prio bands 4",
      "tc qdisc add dev lo parent 1:4 netem delay 3s",
      ...["sport", "dport"].map(
        (port) => `tc filter add dev lo parent 1: protocol ip u32 match ip ${port} 8080 0xffff flowid 1:4`,
      ),
    ].join("; "),
    end: "tc qdisc del dev lo root",
  },
  {
    name: "lean",
    trouble: "it has a hundredth of the processor",
    begin: "systemctl set-property --runtime lean.service CPUQuota=1%",
    end: "systemctl set-property --runtime lean.service CPUQuota=",
  },
])("an endpoint that does not answer in time because $trouble", ({ name, begin, end }) => {
  it("is told once, and so is its end", async () => {
    const before = known();
    await sh(begin);
    await told(
      new RegExp(`CRITICAL ${name} \\(http://127.0.0.1:\\d+/\\) does not answer as expected`),
      before,
    );
    await is.moreCycles(machine, 2);
    await sh(end);
    await told(new RegExp(`RESOLVED ${name}`), before);
    expect(texts(before).filter((text) => text.includes("CRITICAL"))).toHaveLength(1);
  });
});

describe("a clock that is set", () => {
  it("two hours ahead and back is no reason to tell anything, and no crash is missed", async () => {
    const before = known();
    const firstCycle = is.cycles(machine).length;
    for (const [index, hours] of ["+2", "-2"].entries()) {
      await sh(`date --set="${hours} hours"`);
      await is.moreCycles(machine, 2);
      await is.crash(machine, "steady");
      await restarted("steady", index + 1);
      await is.moreCycles(machine, 2);
    }
    const stamps = is
      .cycles(machine)
      .slice(firstCycle)
      .map(({ cycle }) => Date.parse(cycle.ts) / 1000);
    const leaps = stamps.slice(1).map((each, index) => each - (stamps[index] ?? 0));
    expect(leaps.filter((leap) => leap > 7000)).toHaveLength(1);
    expect(leaps.filter((leap) => leap < -6000)).toHaveLength(1);
    for (const text of texts(before)) expect(text).toMatch(/REPAIRED steady|RESOLVED steady|CRITICAL steady/);
    const rules = is.cycles(machine).flatMap(({ findings }) => findings.map(({ rule }) => rule));
    expect(rules.filter((rule) => rule.startsWith("argus-"))).toEqual([]);
    expect(await is.activeState(machine, "steady")).toBe("active");
  });
});

describe("a machine that swaps round and round", () => {
  it("is told with the process to blame, and nothing is ended", async () => {
    const before = known();
    await sh("fallocate -l 512M /swapfile; chmod 600 /swapfile; mkswap -q /swapfile; swapon /swapfile");
    await is.service(machine, "hog", `ExecStart=${process.execPath} /srv/hog.mjs`);
    await is.systemctl(machine, "start", "hog");
    const alert = await told(/CRITICAL swap traffic is \d/, before);
    expect(alert).toMatch(/most in swap: node \(pid \d+\) with [\d.]+ MB, unit: hog\.service/);
    expect(await is.activeState(machine, "hog")).toBe("active");
    expect(is.actions(machine, "kill_pid")).toEqual([]);
    // A start at the next boot, without swap, would fail.
    await is.systemctl(machine, "disable", "--now", "hog");
    await told(/RESOLVED.*swap/s, before);
    await sh("swapoff /swapfile");
  });
});

describe("a reboot", () => {
  it("that was asked for is no news, and what crashes after it is healed", async () => {
    const before = known();
    const done = restarts("steady");
    await machine.reboot();
    await is.moreCycles(machine, 2);
    await is.crash(machine, "steady");
    await restarted("steady", done + 1);
    expect(texts(before).filter((text) => text.includes("been shut down before"))).toEqual([]);
    expect(is.registry(machine).filter(({ condition }) => condition === "unexpected-reboot")).toEqual([]);
    const doctor = await is.argus(machine, "doctor", "--json");
    expect(doctor.stdout).not.toContain('"broken"');
  });
});
