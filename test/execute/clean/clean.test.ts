import { linkSync, lstatSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { describeClean } from "../../../src/execute/clean/describe.ts";
import { CleanReport } from "../../../src/types/clean.ts";
import { dayMs, home, makeMachine, paths, portrait } from "./machine.ts";

describe("what goes", () => {
  test("old entries of the safelist go, young ones and everything else stay", async () => {
    const machine = makeMachine();
    const old = [
      "/tmp/upload.part",
      "/tmp/build/obj/a.o",
      "/var/tmp/image.raw",
      `${home}/.cache/pip/http/a/b/c`,
      `${home}/.cache/yarn/v6/npm-x-1.0.0/package.json`,
      `${home}/.cache/go-build/00/00aa-d`,
      `${home}/.cache/npm/_npx/1234/node_modules/x/index.js`,
      `${home}/.cache/npm/_cacache/content-v2/sha512/aa/bb`,
      `${home}/.npm/_cacache/index-v5/11/22/33`,
      "/var/log/syslog.log.3.gz",
      "/var/log/apt/history.log.1.gz",
      "/var/lib/argus/logs/argus.log.12.gz",
    ];
    const other = [
      "/etc/passwd",
      "/srv/tmp/file",
      "/home/else/.cache/pip/x",
      `${home}/notes.txt`,
      `${home}/.cache/thumbnails/x.png`,
      `${home}/.npm/_logs/debug.log`,
      "/var/log/syslog.log.1",
      "/var/log/syslog.log.123.gz",
      "/var/log/syslog.gz",
      "/var/log/.log.1.gz",
      "/var/log/.hidden.log.1.gz",
      "/var/lib/argus/logs/argus.log",
    ];
    for (const path of [...old, ...other, "/tmp/fresh", `${home}/.cache/pip/http/a/b/fresh`])
      machine.file(path);
    machine.makeYoung("/tmp/fresh");
    machine.makeYoung(`${home}/.cache/pip/http/a/b/fresh`);

    const report = CleanReport.parse(await machine.clean());

    expect(old.filter(machine.exists)).toEqual([]);
    expect(other.filter((path) => !machine.exists(path))).toEqual([]);
    expect(machine.exists("/tmp/fresh")).toBe(true);
    expect(machine.exists(`${home}/.cache/pip/http/a/b/fresh`)).toBe(true);
    expect(report).toMatchObject({
      dryRun: false,
      interrupted: false,
      errors: [],
      kept: { young: 2, failed: 0 },
    });
  });

  test("the folders of the safelist stay when all in them is gone", async () => {
    const machine = makeMachine();
    const folders = [
      ".cache/pip",
      ".cache/yarn",
      ".cache/go-build",
      ".cache/npm",
      ".cache/npm/_cacache",
      ".npm/_cacache",
    ];
    for (const each of folders) machine.file(`${home}/${each}/v1/x/y`);
    await machine.clean();
    for (const each of folders) {
      expect(machine.exists(`${home}/${each}`), each).toBe(true);
      expect(machine.exists(`${home}/${each}/v1`), each).toBe(false);
    }
    expect(["/tmp", "/var/tmp", "/var/log"].filter((path) => !machine.exists(path))).toEqual([]);
  });

  test("a directory in /tmp goes as a whole or not at all", async () => {
    const machine = makeMachine();
    for (const unit of ["whole", "partly"]) {
      for (const path of ["a", "deep/er/b", "deep/c"]) machine.file(`/tmp/${unit}/${path}`);
    }
    machine.makeYoung("/tmp/partly/deep/er/b", "atime");
    const before = portrait(machine.at("/tmp/partly"));

    const report = await machine.clean();

    expect(machine.exists("/tmp/whole")).toBe(false);
    expect(portrait(machine.at("/tmp/partly"))).toEqual(before);
    expect(report.removed).toEqual([
      { path: "/tmp/whole", entries: 6, bytes: expect.any(Number), untouchedDays: 30 },
    ]);
    expect(report.kept.young).toBe(1);
  });

  test("of a package cache whole packages go, and no half ones", async () => {
    const machine = makeMachine();
    const at = (path: string) => `${home}/.cache/yarn/v6/${path}`;
    for (const path of ["npm-a/index.js", "npm-a/lib/x.js", "npm-b/index.js", "npm-b/lib/x.js"])
      machine.file(at(path));
    machine.makeYoung(at("npm-b/lib/x.js"), "atime");
    await machine.clean();
    expect(["npm-a", "npm-b/index.js", "npm-b/lib/x.js"].map((path) => machine.exists(at(path)))).toEqual([
      false,
      true,
      true,
    ]);
  });

  test("symbolic links go as what they are; where they lead nothing changes", async () => {
    const machine = makeMachine();
    machine.file("/srv/data/precious", "keep me");
    machine.file("/srv/single", "keep me");
    machine.link("/tmp/to-folder", machine.at("/srv/data"));
    machine.link("/tmp/unit/to-folder", machine.at("/srv/data"));
    machine.link("/tmp/to-file", "../srv/single");
    machine.link("/tmp/dangling", "/nowhere");
    machine.link(`${home}/.cache/pip/up`, machine.at("/srv"));
    const before = portrait(machine.at("/srv"));
    await machine.clean();
    expect(portrait(machine.at("/srv"))).toEqual(before);
    for (const path of [
      "/tmp/to-folder",
      "/tmp/unit",
      "/tmp/to-file",
      "/tmp/dangling",
      `${home}/.cache/pip/up`,
    ]) {
      expect(machine.exists(path), path).toBe(false);
    }
  });

  test("names of any bytes", async () => {
    const machine = makeMachine();
    const names = ["ümlaut", "new\nline", " ", "-rf", "*", "a\\b", "...", "emoji 🧹"];
    for (const name of names) machine.file(`/tmp/${name}`);
    const bytes = Buffer.concat([Buffer.from(machine.at("/tmp/bad")), Buffer.from([0xff, 0xfe, 0x2e])]);
    writeFileSync(bytes, "x");
    const report = await machine.clean();
    expect(names.filter((name) => machine.exists(`/tmp/${name}`))).toEqual([]);
    expect(() => lstatSync(bytes)).toThrow(/ENOENT/);
    expect(paths(report)).toContain("/tmp/emoji 🧹");
    expect(report).toMatchObject({ units: 9, entries: 9, errors: [] });
  });

  test("a tree deeper than Argus holds open stays, with all that is in it", async () => {
    const machine = makeMachine();
    const deep = `/tmp/deep${"/d".repeat(70)}`;
    machine.file(`${deep}/file`);
    machine.file(`/tmp/less${"/d".repeat(60)}/file`);
    const report = await machine.clean();
    expect(machine.exists(`${deep}/file`)).toBe(true);
    expect(machine.exists("/tmp/less")).toBe(false);
    expect(report.kept.too_deep).toBe(1);
  });

  test("a home that does not exist, is a link or is not a folder is passed over, and said", async () => {
    const machine = makeMachine();
    machine.file("/srv/home/.cache/pip/x");
    machine.link("/home/linked", machine.at("/srv/home"));
    machine.file("/home/linkedcache/real/pip/x");
    machine.link("/home/linkedcache/.cache", "real");
    machine.file("/home/file");
    const homes = ["/home/linked", "/home/linkedcache", "/home/file", "/home/nobody", "relative"];
    const report = await machine.clean({ homes });
    expect(machine.exists("/srv/home/.cache/pip/x")).toBe(true);
    expect(machine.exists("/home/linkedcache/real/pip/x")).toBe(true);
    const states = new Map(report.roots.map(({ path, state }) => [path, state]));
    expect(states.get("/home/linked/.cache/pip")).toBe("not_a_folder");
    expect(states.get("/home/linkedcache/.cache/pip")).toBe("not_a_folder");
    expect(states.get("/home/file/.cache/pip")).toBe("not_a_folder");
    expect(states.get("/home/nobody/.cache/pip")).toBe("absent");
    expect(describeClean(report).passedOver.map(({ path }) => path)).toContain("/home/linked/.cache/pip");
  });

  test("a home cannot lead out of itself with dots", async () => {
    const machine = makeMachine();
    machine.file("/srv/.cache/pip/x");
    const report = await machine.clean({ homes: [`${home}/../../srv`] });
    // It is the same as /srv, written plainly, and not a way through whatever `..` is there.
    expect(report.roots.map(({ path }) => path)).toContain("/srv/.cache/pip");
    expect(machine.exists("/srv/.cache/pip/x")).toBe(false);
  });

  test("an age below one day is refused", async () => {
    const machine = makeMachine();
    machine.file("/tmp/old");
    for (const maxAgeDays of [0, -7, 0.5, Number.NaN]) {
      await expect(machine.clean({ maxAgeDays })).rejects.toThrow(RangeError);
    }
    expect(machine.exists("/tmp/old")).toBe(true);
  });
});

describe("each stamp alone keeps an entry", () => {
  test.each(["atime", "mtime"] as const)("%s of a file, of a link, of a directory", async (stamp) => {
    const machine = makeMachine();
    machine.file("/tmp/file");
    machine.link("/tmp/link", "/nowhere");
    machine.file("/tmp/folder/old");
    machine.file("/tmp/outer/inner/old");
    for (const path of ["/tmp/file", "/tmp/link", "/tmp/folder", "/tmp/outer/inner"])
      machine.makeYoung(path, stamp);
    const report = await machine.clean();
    expect(report).toMatchObject({ units: 0, entries: 0, bytesReclaimed: 0, kept: { young: 4 } });
    expect(machine.exists("/tmp/outer/inner/old")).toBe(true);
  });

  /** Stamps that cannot be set: the clock goes to where the age runs out between two real moments. */
  async function cutBetween(
    make: (machine: ReturnType<typeof makeMachine>) => void,
    later: (machine: ReturnType<typeof makeMachine>) => void,
  ) {
    const machine = makeMachine();
    make(machine);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const between = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    later(machine);
    const { clock } = machine.system;
    Object.assign(machine.system, {
      clock: { ...clock, now: () => ({ ...clock.now(), wallMs: between + 7 * dayMs }) },
    });
    const report = await machine.clean();
    return { machine, report };
  }
  const oldTimes = (path: string) => utimesSync(path, 1, 1);

  test("ctime of a file", async () => {
    const { machine, report } = await cutBetween(
      (m) => ["/tmp/chmod", "/tmp/plain"].forEach((path) => void m.file(path)),
      (m) => oldTimes(m.at("/tmp/chmod")), // the modification and access time of 1970, and thereby a new change time
    );
    expect(machine.exists("/tmp/chmod")).toBe(true);
    expect(machine.exists("/tmp/plain")).toBe(false);
    expect(report.kept.young).toBe(1);
  });

  test("btime of a directory, whose ctime does not count", async () => {
    const { machine } = await cutBetween(
      (m) => void m.folder("/tmp/before"),
      (m) => {
        oldTimes(m.folder("/tmp/after"));
        oldTimes(m.at("/tmp/before"));
      },
    );
    expect(machine.exists("/tmp/before")).toBe(false);
    expect(machine.exists("/tmp/after")).toBe(true);
  });

  test("a stamp in the future is not old", async () => {
    const machine = makeMachine();
    const path = machine.file("/tmp/future");
    utimesSync(path, new Date(1), new Date(Date.now() + 400 * dayMs));
    await machine.clean();
    expect(machine.exists("/tmp/future")).toBe(true);
  });
});

describe("forecast and deed", () => {
  test("a dry run changes nothing, and says exactly what the real one then does", async () => {
    const machine = makeMachine();
    for (let unit = 0; unit < 12; unit += 1) {
      for (let each = 0; each < 5; each += 1)
        machine.file(`/tmp/unit-${unit}/d${each % 2}/f${each}`, "y".repeat(5000));
      machine.file(`${home}/.cache/pip/http/${unit}/f`);
      machine.file(`${home}/.cache/yarn/v6/p${unit}/f`);
      if (unit % 3 === 0) machine.makeYoung(`/tmp/unit-${unit}/d1/f3`);
      if (unit % 4 === 0) machine.makeYoung(`${home}/.cache/pip/http/${unit}/f`);
    }
    machine.file("/tmp/linked-a", "z".repeat(9000));
    linkSync(machine.at("/tmp/linked-a"), machine.at("/var/tmp/linked-b"));
    machine.file("/srv/elsewhere", "z".repeat(9000));
    linkSync(machine.at("/srv/elsewhere"), machine.at("/tmp/linked-c"));
    const before = portrait(machine.root);

    const forecast = await machine.forecast();
    expect(portrait(machine.root)).toEqual(before);
    const again = await machine.forecast();
    const deed = await machine.clean();

    const comparable = ({ before: _before, after: _after, dryRun: _dryRun, ...rest }: CleanReport) => ({
      ...rest,
      keptExamples: [],
    });
    expect(comparable(again)).toEqual(comparable(forecast));
    expect(comparable(deed)).toEqual(comparable(forecast));
    expect(forecast.units).toBeGreaterThan(20);
    for (const { path } of forecast.removed) expect(machine.exists(path), path).toBe(false);
    expect(await machine.clean()).toMatchObject({ units: 0, entries: 0, bytesReclaimed: 0 });
  });

  test("looking leaves access times as they were, so that it keeps nothing alive", async () => {
    const machine = makeMachine();
    machine.file("/tmp/unit/inner/file");
    machine.makeYoung("/tmp/unit/inner/file");
    const folders = ["/tmp/unit", "/tmp/unit/inner"].map(machine.at);
    for (const folder of folders) utimesSync(folder, 1_600_000_000.123456, 1_600_000_001.654321);
    const stamps = () =>
      folders.map((folder) => {
        const { atimeNs, mtimeNs } = statSync(folder, { bigint: true });
        return [atimeNs / 1000n, mtimeNs / 1000n];
      });
    const before = stamps();
    for (let looks = 0; looks < 5; looks += 1) await machine.clean();
    expect(stamps()).toEqual(before);
  });

  test("bytes are blocks; a file with another name elsewhere frees none, one whose names all go frees them once", async () => {
    const machine = makeMachine();
    const blocks = (path: string) => lstatSync(machine.at(path)).blocks * 512;
    machine.file("/tmp/plain", "x".repeat(10_000));
    machine.file("/tmp/pair-1", "x".repeat(20_000));
    linkSync(machine.at("/tmp/pair-1"), machine.at("/tmp/pair-2"));
    machine.file("/srv/kept", "x".repeat(40_000));
    linkSync(machine.at("/srv/kept"), machine.at("/tmp/third"));
    const expected = blocks("/tmp/plain") + blocks("/tmp/pair-1");
    expect(expected).toBeGreaterThan(30_000);
    const forecast = await machine.forecast();
    const deed = await machine.clean();
    expect([forecast.bytesReclaimed, deed.bytesReclaimed]).toEqual([expected, expected]);
    expect(machine.exists("/srv/kept")).toBe(true);
  });

  test("the file systems concerned, before and after, as df has them", async () => {
    const machine = makeMachine();
    machine.file("/tmp/large", "x".repeat(2_000_000));
    const forecast = await machine.forecast();
    const deed = await machine.clean();
    for (const report of [forecast, deed]) {
      expect(report.before).toHaveLength(1);
      expect(report.after.map(({ mount }) => mount)).toEqual(report.before.map(({ mount }) => mount));
    }
    const [before] = forecast.before;
    const [after] = forecast.after;
    expect(after?.usedPercent).toBeLessThan(before?.usedPercent ?? 0);
    const { totalBytes, freeBytes, availableBytes } = await machine.system.files.statfs("/tmp");
    const used = totalBytes - freeBytes;
    expect(before?.usedPercent).toBeCloseTo((100 * used) / (used + availableBytes), 0);
    expect(describeClean(forecast).disks).toEqual([
      { mount: before?.mount, usedPercentBefore: before?.usedPercent, usedPercentAfter: after?.usedPercent },
    ]);
  });

  test("the list is bounded to the largest, the totals count all", async () => {
    const machine = makeMachine();
    for (let each = 0; each < 450; each += 1)
      machine.file(`/tmp/f${each}`, "x".repeat(each === 7 ? 50_000 : 10));
    const report = await machine.clean();
    expect(report.removed).toHaveLength(200);
    expect(report.removed[0]).toMatchObject({ path: "/tmp/f7", entries: 1 });
    expect(report).toMatchObject({ units: 450, entries: 450 });
    expect(describeClean(report).notListed).toBe(250);
  });
});

test("without /proc nobody can tell what is in use: nothing goes, and the report says so", async () => {
  const machine = makeMachine({ proc: null });
  machine.file("/tmp/old");
  const report = await machine.clean();
  expect(machine.exists("/tmp/old")).toBe(true);
  expect(report).toMatchObject({ units: 0, errors: [expect.stringContaining("/proc does not show")] });
  symlinkSync("/proc", machine.at("/proc"));
  await machine.clean();
  expect(machine.exists("/tmp/old")).toBe(false);
});
