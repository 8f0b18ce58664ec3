/** systemd asked over D-Bus, beside what systemctl says of the same units at the same time. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UnitState } from "../../src/system/unit-state.ts";
import { bootHost, checkout, type Host } from "./harness.ts";
import { bringAbout, unitCases } from "./unit-states.ts";

const program = "/opt/asker.mjs";
const sleeps = "[Service]\nExecStart=/bin/sleep infinity\n";
const noise = 220;

let host: Host;

beforeAll(async () => {
  host = await bootHost({ name: "bus" });
  const { outputFiles } = buildSync({
    entryPoints: [join(checkout, "test/host/systemd-asker.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    banner: {
      js: 'import { createRequire as made } from "node:module"; const require = made(import.meta.url);',
    },
  });
  host.write(program, outputFiles[0]?.text ?? "");
  await bringAbout(host, unitCases);
  host.write("/etc/systemd/system/fail@.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
  host.write("/etc/systemd/system/real.service", `${sleeps}[Install]\nAlias=other-name.service\n`);
  host.write("/etc/systemd/system/with-dash@.service", sleeps);
  for (const each of ["web", "slow", "broken", "leaf", "root"])
    host.write(`/etc/systemd/system/${each}.service`, sleeps);
  host.write("/etc/systemd/system/slow.service", "[Service]\nType=notify\nExecStart=/bin/sleep infinity\n");
  host.write("/etc/systemd/system/broken.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
  host.write("/etc/systemd/system/root.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
  host.write(
    "/etc/systemd/system/leaf.service",
    `[Unit]\nRequires=root.service\nAfter=root.service\n${sleeps}`,
  );
  await succeed("systemctl", "daemon-reload");
  await succeed("systemctl", "enable", "real");
  await succeed("systemctl", "start", "real", "web", String.raw`with-dash@a\x2db-c:d.service`);
});
afterAll(async () => await host?.stop());

async function succeed(...argv: string[]): Promise<string> {
  const result = await host.exec(argv, { timeoutMs: 30_000 });
  if (result.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr}`);
  return result.stdout;
}
async function ask<T>(user: string, ...args: string[]): Promise<T> {
  const result = await host.exec([process.execPath, program, ...args], { user, timeoutMs: 30_000 });
  if (result.exitCode !== 0) throw new Error(`${args.join(" ")}: ${result.exitCode} ${result.stderr}`);
  return JSON.parse(result.stdout) as T;
}

interface Shown {
  readonly asked: UnitState[];
  readonly failed: UnitState[];
}
interface ThreeWays {
  readonly kind: string;
  readonly direct: Shown;
  readonly overBus: Shown;
  readonly bySystemctl: Shown;
}
const sorted = ({ asked, failed }: Shown) => ({
  asked,
  failed: [...failed].sort((a, b) => (a.id < b.id ? -1 : 1)),
});

describe("units over the bus", () => {
  it("systemd answers the first call of every connection", async () => {
    expect(await ask("root", "connect", "200")).toEqual({ answered: 200 });
  });

  const named = [
    ...unitCases.map(({ name }) => name),
    ...["other-name", "real", String.raw`with-dash@a\x2db-c:d`, "with-dash@never", "-.mount", "basic.target"],
    ...["dbus.socket", "systemd-tmpfiles-clean.timer", "init.scope", "system.slice", "no-such.mount", "web"],
  ];

  it.each([
    ["root", "direct"],
    ["nobody", "bus"],
  ])("are for %s as systemctl has them, whatever state they are in", async (user, kind) => {
    const shown = await ask<ThreeWays>(user, "show", ...named);
    expect(shown.kind).toBe(kind);
    expect(shown.bySystemctl.asked).toHaveLength(named.length);
    expect(sorted(shown.direct)).toEqual(sorted(shown.bySystemctl));
    expect(sorted(shown.overBus)).toEqual(sorted(shown.bySystemctl));
    expect(shown.direct.asked.find(({ names }) => names.includes("other-name.service"))?.id).toBe(
      "real.service",
    );
    const failed = unitCases.filter(({ settles }) => settles.includes(" failed ")).length;
    expect(shown.direct.failed.length).toBe(failed);
  });

  it("are told although one of the names is a template, of which nobody can tell", async () => {
    const shown = await ask<ThreeWays>("root", "show", "web", "fail@", "leaf");
    for (const way of [shown.direct, shown.overBus, shown.bySystemctl]) {
      expect(way.asked).toMatchObject([
        { id: "web.service" },
        { name: "fail@.service", refused: expect.stringContaining("is a template") },
        { id: "leaf.service" },
      ]);
    }
  });

  it("are all told when there are very many failed ones", async () => {
    const names = Array.from({ length: noise }, (_, each) => `fail@${each}`);
    await host.exec(["systemctl", "start", ...names], { timeoutMs: 30_000 });
    for (const user of ["root", "nobody"]) {
      const shown = await ask<ThreeWays>(user, "show", "web");
      expect(shown.direct.failed.length).toBeGreaterThanOrEqual(noise);
      expect(sorted(shown.direct)).toEqual(sorted(shown.bySystemctl));
      expect(sorted(shown.overBus)).toEqual(sorted(shown.bySystemctl));
    }
    await succeed("systemctl", "reset-failed", "fail@*");
  });
});

describe.each(["direct", "overBus", "bySystemctl"])("a restart, %s", (way) => {
  const state = async (unit: string, property: string) =>
    await succeed("systemctl", "show", "--value", `--property=${property}`, unit);

  it("ends when the job has ended, with another main process", async () => {
    const pid = await state("web", "MainPID");
    expect(await ask("root", "restart", way, "web.service", "10000")).toEqual({
      ok: true,
      timedOut: false,
      why: "",
    });
    expect(await state("web", "ActiveState")).toBe("active");
    expect(await state("web", "MainPID")).not.toBe(pid);
  });

  it("says why there is none", async () => {
    const why = async (user: string, unit: string) => {
      const answer = await ask<{ ok: boolean; timedOut: boolean; why: string }>(
        user,
        "restart",
        way,
        unit,
        "10000",
      );
      expect(answer).toMatchObject({ ok: false, timedOut: false });
      return answer.why;
    };
    expect(await why("root", "broken.service")).toMatch(/^Job for broken\.service failed/);
    expect(await why("root", "leaf.service")).toMatch(/^A dependency job for leaf\.service failed\./);
    expect(await why("root", "nowhere.service")).toBe(
      "Failed to restart nowhere.service: Unit nowhere.service not found.",
    );
    expect(await why("root", "masked.service")).toMatch(
      /^Failed to restart masked\.service: Unit masked\.service is masked/,
    );
    if (way !== "direct")
      expect(await why("nobody", "web.service")).toMatch(
        /^Failed to restart web\.service: .*authentication/i,
      );
  });

  it("is waited for only so long, and not when it is told to stop", async () => {
    expect(await ask("root", "restart", way, "slow.service", "300")).toMatchObject({
      ok: false,
      timedOut: true,
    });
    expect(await state("slow", "ActiveState")).toBe("activating");
    const cut = await ask("root", "restart", way, "slow.service", "20000", "300");
    expect(cut).toMatchObject({ ok: false, timedOut: false });
    await succeed("systemctl", "stop", "slow");
  });

  it("is possible again when the failures are forgotten", async () => {
    const limit = "start-limit-hit.service";
    await ask("root", "restart", way, limit, "10000");
    expect(await ask("root", "restart", way, limit, "10000")).toMatchObject({ ok: false });
    expect(await ask("root", "reset", way, limit)).toEqual({ ok: true, timedOut: false, why: "" });
    expect(await ask("root", "restart", way, limit, "10000")).toMatchObject({ ok: true });
    expect(await ask("root", "restart", way, limit, "10000")).toMatchObject({ ok: false });
    expect(await ask("root", "reset", way, "nowhere.service")).toMatchObject({ ok: false });
  });
});

describe.each([
  ["root", "direct"],
  ["nobody", "overBus"],
])("a watch by %s, %s", (user, way) => {
  const unit = `watch-${user}`;
  const log = `/run/${unit}.log`;
  const events = () =>
    (existsSync(join(host.root, log)) ? host.read(log) : "")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, string | number>);
  const downs = (name: string) => events().filter((each) => each["unit"] === name);
  const waitForEvents = async (is: () => boolean, what: string) => await host.waitFor(is, 10_000, what);
  const watches = () => events().filter((each) => each["watching"] !== undefined).length;

  beforeAll(async () => {
    await succeed(
      "systemd-run",
      ...[`--unit=${unit}`, `--uid=${user}`, "-p", `StandardOutput=file:${log}`],
      ...[process.execPath, program, "watch", way],
    );
    await waitForEvents(() => watches() === 1, "the watch");
  });
  afterAll(async () => await succeed("systemctl", "stop", unit));

  const crash = async (name: string) => await succeed("systemctl", "kill", "--signal=KILL", name);

  it("hears of a crash and of a stop, each once", async () => {
    expect(events()).toEqual([{ watching: way === "direct" ? "direct" : "bus" }]);
    await succeed("systemctl", "start", "web");
    await crash("web");
    await waitForEvents(() => downs("web.service").length > 0, "the crash");
    await succeed("systemctl", "start", "web");
    await succeed("systemctl", "stop", "web");
    await waitForEvents(() => downs("web.service").length > 1, "the stop");
    await crash(String.raw`with-dash@a\x2db-c:d`);
    await waitForEvents(() => downs(String.raw`with-dash@a\x2db-c:d.service`).length > 0, "the other crash");
    await succeed("systemctl", "start", String.raw`with-dash@a\x2db-c:d`);
    expect(downs("web.service").map(({ state }) => state)).toEqual(["failed", "inactive"]);
  });

  it("hears nothing of a reload, and goes on after it", async () => {
    const before = events();
    await succeed("systemctl", "daemon-reload");
    await succeed("systemctl", "start", "web");
    await crash("web");
    await waitForEvents(() => downs("web.service").length > 2, "the crash");
    expect(
      events()
        .slice(before.length)
        .map((each) => each["unit"]),
    ).toEqual(["web.service"]);
  });

  it("goes on, or says that it is lost and can be had again, when systemd is executed anew", async () => {
    await succeed("systemctl", "daemon-reexec");
    await host.waitFor(
      async () => {
        await host.exec(["systemctl", "start", "web"]);
        const before = downs("web.service").length;
        await host.exec(["systemctl", "kill", "--signal=KILL", "web"]);
        await new Promise((resolve) => setTimeout(resolve, 300));
        return downs("web.service").length > before;
      },
      15_000,
      "a crash to be heard of",
    );
  });

  it("does not believe what others send in systemd's manner", async () => {
    const names = (await succeed("busctl", "--unique", "--no-legend", "list")).split("\n");
    for (const name of names.map((line) => line.split(" ")[0] ?? "").filter((each) => each.startsWith(":"))) {
      await host.exec(
        [
          ...[
            "busctl",
            "--system",
            `--destination=${name}`,
            "emit",
            "/org/freedesktop/systemd1/unit/forged_2eservice",
          ],
          ...["org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as"],
          ...["org.freedesktop.systemd1.Unit", "1", "ActiveState", "s", "failed", "0"],
        ],
        { user: "nobody" },
      );
    }
    await succeed("systemctl", "start", "web");
    const before = downs("web.service").length;
    await crash("web");
    await waitForEvents(() => downs("web.service").length > before, "the crash");
    expect(downs("forged.service")).toEqual([]);
  });
});

describe("without a message bus", () => {
  it("a watch over it is lost, and had again when it is back; root has systemd's own socket meanwhile", async () => {
    const log = "/run/watch-lost.log";
    await succeed(
      "systemd-run",
      ...["--unit=watch-lost", "--uid=nobody", "-p", `StandardOutput=file:${log}`],
      ...[process.execPath, program, "watch", "overBus"],
    );
    const has = (text: string) => host.read(log).includes(text);
    await host.waitFor(() => has('"watching"'), 5_000, "the watch");
    await succeed("systemctl", "stop", "dbus.socket", "dbus.service");
    await host.waitFor(() => has('"lost"') && has('"refused"'), 5_000, "the loss");
    const shown = await ask<ThreeWays>("root", "show", "active");
    expect(shown.kind).toBe("direct");
    expect(shown.direct.asked.map(({ activeState }) => activeState)).toEqual(["active"]);
    await succeed("systemctl", "start", "dbus.socket", "dbus.service");
    await host.waitFor(() => host.read(log).split('"watching"').length >= 3, 5_000, "another watch");
    await succeed("systemctl", "start", "web");
    await succeed("systemctl", "kill", "--signal=KILL", "web");
    await host.waitFor(() => has("web.service"), 5_000, "the crash");
  });
});
