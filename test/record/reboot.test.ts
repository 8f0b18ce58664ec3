/** Whether the boot before this one ended as somebody asked for: from the journal, and from what Argus itself knows. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CycleState, createCycleState } from "../../src/record/cycle-state.ts";
import { createRebootWatch } from "../../src/record/reboot.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { Moment } from "../../src/types/moment.ts";
import { temporaryDir } from "./samples.ts";

const minuteMs = 60_000;
const [oldBoot, newBoot] = ["a".repeat(32), "b".repeat(32)];
const beganMs = Date.parse("2026-11-20T22:00:00Z");
let dir: string;
let notes: string[];
beforeEach(() => {
  dir = temporaryDir();
  notes = [];
  mkdirSync(join(dir, "state"), { mode: 0o700 });
  mkdirSync(join(dir, "bin"));
  wtmp();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Line {
  readonly boot: string;
  readonly atMs: number;
  readonly more?: object;
}

/** A journalctl that knows these lines of the boot before: all, and those that speak of a shutdown. */
function journal(present: Line | null, last: readonly Line[] = [], marks: readonly Line[] = []): void {
  const text = (lines: readonly Line[]) =>
    lines
      .map(({ boot, atMs, more }) =>
        JSON.stringify({
          _BOOT_ID: boot,
          __REALTIME_TIMESTAMP: String(atMs * 1000),
          SYSLOG_IDENTIFIER: "shop",
          MESSAGE: "open",
          ...more,
        }),
      )
      .join("\n");
  for (const [name, lines] of Object.entries({ present: present === null ? [] : [present], last, marks }))
    writeFileSync(join(dir, name), text(lines));
  const script = `#!/bin/sh
case "$*" in
  *--boot=-1*MESSAGE_ID=*) cat ${dir}/marks ;;
  *--boot=-1*) [ -s ${dir}/last ] || { echo "No such boot ID in journal" >&2; exit 1; }; cat ${dir}/last ;;
  *) cat ${dir}/present ;;
esac
`;
  writeFileSync(join(dir, "bin", "journalctl"), script);
  chmodSync(join(dir, "bin", "journalctl"), 0o755);
}

const record = (kind: "shutdown" | "reboot", atMs: number): string =>
  `${kind.padEnd(8)} system down  6.1.0-38-amd64   ${new Date(atMs).toISOString().slice(0, 19)}+00:00 - 2026-11-20T23:00:00+00:00  (00:00)`;
/** A last(1) that knows these, newest first. */
function wtmp(...lines: readonly string[]): void {
  writeFileSync(join(dir, "bin", "last"), `#!/bin/sh\ncat <<'TEXT'\n${lines.join("\n")}\nTEXT\n`);
  chmodSync(join(dir, "bin", "last"), 0o755);
}

const real = createSystem();
/** Argus at that time of that boot, as a process of its own. */
function argusAt(bootId: string, wallMs: number, uptimeSeconds: number) {
  const now = { wallMs, uptimeSeconds, bootId };
  const clock = { ...real.clock, now: (): Moment => ({ ...now }) };
  const system = { ...createSystem({ path: `${dir}/bin:${process.env["PATH"]}` }), clock };
  const state = createCycleState(system, join(dir, "state"), (note) => notes.push(note));
  const reboots = createRebootWatch(system, join(dir, "state"), (note) => notes.push(note));
  const cycle = async (trigger: "schedule" | "once" = "schedule") => {
    state.begin({ id: "c", trigger });
    const reboot = await reboots.look(state.atStart());
    state.end(1);
    return reboot;
  };
  return {
    cycle,
    stop: () => state.toldToStop(),
    state: (): CycleState => state.state(),
    pass: (seconds: number) => {
      now.wallMs += seconds * 1000;
      now.uptimeSeconds += seconds;
    },
  };
}

const of = (boot: string, atMs: number, more: object = {}): Line => ({ boot, atMs, more });
const quiet = { unexpected: false, bootedAt: null, detail: null, lastLines: [] };
const afterMs = beganMs + 30 * minuteMs;

/** A first boot in which Argus ran for a while. */
async function before(trigger: "schedule" | "once" = "schedule", kernel = oldBoot) {
  journal(of(oldBoot, beganMs));
  const argus = argusAt(kernel, beganMs + minuteMs, 60);
  expect(await argus.cycle(trigger)).toEqual(quiet);
  return argus;
}
const next = (kernel = newBoot) => argusAt(kernel, afterMs + minuteMs, 60);

describe("the boot before", () => {
  it("is no news to an Argus that has not run here before", async () => {
    journal(of(newBoot, afterMs), [of(oldBoot, beganMs)]);
    expect(await next().cycle()).toEqual(quiet);
  });

  it("that nobody ended is told with the last lines of its journal, and for an hour", async () => {
    await before();
    const lines = [1, 2, 3, 4, 5, 6].map((second) =>
      of(oldBoot, beganMs + second * 1000, { MESSAGE: `line ${second}\nof two, password=Tr0ub4dor&3xyz` }),
    );
    journal(of(newBoot, afterMs), lines);
    const argus = next();
    const reboot = await argus.cycle();
    expect(reboot).toMatchObject({
      unexpected: true,
      bootedAt: "2026-11-20T22:30:00Z",
      detail:
        "the host was started at 2026-11-20 22:30:00 UTC, and it had not been shut down before; its journal ends at 2026-11-20 22:00:06 UTC",
    });
    expect(reboot.lastLines).toHaveLength(5);
    expect(reboot.lastLines[4]).toMatch(/^22:00:06 shop: line 6/);
    expect(reboot.lastLines.join("")).not.toMatch(/Tr0ub4dor|\n/);
    expect(await next().cycle()).toEqual(reboot);
    argus.pass(3601);
    expect(await argus.cycle()).toEqual(quiet);
    const later = next();
    later.pass(3601);
    expect(await later.cycle()).toEqual(quiet);
  });

  it.each([
    ["systemd or logind spoke of a shutdown", [of(oldBoot, beganMs)], [of(oldBoot, beganMs)]],
    [
      "journald was told to stop at its end",
      [of(oldBoot, beganMs, { _TRANSPORT: "driver", MESSAGE_ID: "d93fb3c9c24d451a97cea615ce59c00b" })],
      [],
    ],
  ])("of which %s is no news", async (_, last, marks) => {
    await before();
    journal(of(newBoot, afterMs), last, marks);
    expect(await next().cycle()).toEqual(quiet);
  });

  it("is not called shut down by a program that says what journald says", async () => {
    await before();
    const forged = { _TRANSPORT: "journal", MESSAGE_ID: "d93fb3c9c24d451a97cea615ce59c00b" };
    journal(of(newBoot, afterMs), [of(oldBoot, beganMs, forged)]);
    expect((await next().cycle()).unexpected).toBe(true);
  });

  it("in a container is told from this one by the journal, where both see the kernel's boot", async () => {
    await before("schedule", newBoot);
    journal(of(newBoot, afterMs), [of(oldBoot, beganMs)]);
    expect((await next(newBoot).cycle()).unexpected).toBe(true);
  });

  it("in a container is this one, when a version before went by the kernel's id; the next is told all the same", async () => {
    await before("schedule", "c".repeat(32));
    const upgraded = argusAt(oldBoot, beganMs + 5 * minuteMs, 300);
    expect(await upgraded.cycle()).toEqual(quiet);
    expect(notes).toEqual([]);
    journal(of(newBoot, afterMs), [of(oldBoot, beganMs + 6 * minuteMs)]);
    expect((await next().cycle()).unexpected).toBe(true);
  });

  it("is this one, when only the process is another", async () => {
    await before();
    journal(of(oldBoot, beganMs), [of("c".repeat(32), beganMs - minuteMs)]);
    expect(await argusAt(oldBoot, beganMs + 5 * minuteMs, 300).cycle()).toEqual(quiet);
  });
});

describe("without a journal of the time before", () => {
  const none = () => journal(of(newBoot, afterMs));

  it("a daemon that nobody told to stop says so, and no more: it may have been killed before a shutdown", async () => {
    await before();
    none();
    expect(await next().cycle()).toMatchObject({
      unexpected: true,
      detail: expect.stringMatching(
        /, and it may not have been shut down before: Argus was not told to stop, and the journal keeps nothing of the time before$/,
      ),
      lastLines: [],
    });
  });

  const [shutDown, thisBoot, lastBoot] = [
    record("shutdown", beganMs + 29 * minuteMs),
    record("reboot", afterMs),
    record("reboot", beganMs),
  ];

  it.each([
    ["after the record of this boot", [thisBoot, shutDown]],
    ["while this boot is not on record yet", [shutDown, lastBoot]],
  ])("a shutdown on record is no news, and no note: %s", async (_, records) => {
    await before();
    none();
    wtmp(...records);
    expect(await next().cycle()).toEqual(quiet);
    expect(notes).toEqual([]);
  });

  it.each([
    ["of an earlier boot", [thisBoot, record("shutdown", beganMs - minuteMs)]],
    ["before another boot", [thisBoot, lastBoot]],
    ["that is none", ["wtmp begins 2026-11-20T22:00:00+00:00"]],
  ])("a record %s changes nothing", async (_, records) => {
    await before();
    none();
    wtmp(...records);
    expect((await next().cycle()).unexpected).toBe(true);
  });

  it.each([
    ["a daemon that was told to stop", async () => (await before()).stop()],
    ["a cycle by hand or by the timer", async () => void (await before("once"))],
  ])("%s knows nothing, and says so in a note alone", async (_, run) => {
    await run();
    none();
    expect(await next().cycle()).toEqual(quiet);
    expect(notes).toEqual([expect.stringContaining("nobody can say whether it was shut down before")]);
  });

  it("one that ends long before the last cycle is none", async () => {
    const argus = await before();
    argus.stop();
    journal(of(newBoot, afterMs), [of("c".repeat(32), beganMs - 120 * minuteMs)]);
    expect(await next().cycle()).toEqual(quiet);
  });

  it("another boot id alone is no reboot: a process in a sandbox sees another one than one outside", async () => {
    await before();
    journal(null);
    expect(await argusAt(newBoot, beganMs + 5 * minuteMs, 300).cycle()).toEqual(quiet);
    expect(notes).toEqual([]);
  });
});

it("boot.json that is broken is set aside, and nobody is alarmed", async () => {
  await before();
  writeFileSync(join(dir, "state", "boot.json"), "{");
  journal(of(newBoot, afterMs), [of(oldBoot, beganMs)]);
  expect(await next().cycle()).toEqual(quiet);
  expect(notes.join()).toContain("boot.json is not valid JSON");
  expect(readFileSync(join(dir, "state", "boot.json.corrupt-1"), "utf8")).toBe("{");
});
