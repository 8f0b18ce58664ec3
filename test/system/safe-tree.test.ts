import { spawn } from "node:child_process";
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isSocketAlive } from "../../src/system/live-socket.ts";
import {
  close,
  type Directory,
  type Entry,
  fromLatin1,
  identify,
  look,
  names,
  openDirectory,
  openEntry,
  openFolder,
  remove,
  toLatin1,
} from "../../src/system/safe-tree.ts";

let base = "";
const opened: Directory[] = [];
const descriptors = () => readdirSync("/proc/self/fd").length;
let before = 0;

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "argus-tree-")));
  before = descriptors();
});
afterEach(() => {
  for (const each of opened.splice(0)) close(each);
  expect(descriptors()).toBe(before);
  rmSync(base, { recursive: true, force: true });
});

function open(path: string): Directory {
  const directory = openFolder(base, path);
  opened.push(directory);
  return directory;
}

function found(directory: Directory, name: string): Entry {
  const entry = look(directory, name);
  if (entry === null) throw new Error(`${name} is not there`);
  return entry;
}

function file(path: string, content = "x"): string {
  const at = join(base, path);
  mkdirSync(join(at, ".."), { recursive: true });
  writeFileSync(at, content);
  return at;
}

describe("opening", () => {
  test("a folder below the base, with what the kernel says of it", () => {
    file("a/b/c");
    const directory = open("/a/b");
    const status = lstatSync(join(base, "a/b"), { bigint: true });
    expect(directory).toMatchObject({ path: join(base, "a/b"), writable: true });
    expect(directory.entry).toMatchObject({
      kind: "directory",
      inode: status.ino,
      device: status.dev,
      uid: Number(status.uid),
    });
    expect(directory.mountId).toBeGreaterThan(0);
  });

  test.each(["a", "a/b", "a/b/c"])("no symbolic link is followed at %s", (linked) => {
    file("a/b/c/file");
    renameSync(join(base, linked), join(base, "real"));
    symlinkSync(join(base, "real"), join(base, linked));
    expect(() => openFolder(base, "/a/b/c")).toThrow(/ENOTDIR|ELOOP/);
  });

  test("a file, and what is not there, are errors of their own", () => {
    file("a/file");
    expect(() => openFolder(base, "/a/file")).toThrow(/ENOTDIR/);
    expect(() => openFolder(base, "/a/none/x")).toThrow(/ENOENT/);
  });

  test("only the very directory that was judged", () => {
    file("a/b/old");
    const a = open("/a");
    const judged = found(a, "b");
    renameSync(join(base, "a/b"), join(base, "a/moved"));
    mkdirSync(join(base, "a/b"));
    expect(openDirectory(a, "b", judged)).toBeNull();
    rmSync(join(base, "a/b"), { recursive: true });
    symlinkSync(join(base, "a/moved"), join(base, "a/b"));
    expect(() => openDirectory(a, "b", judged)).toThrow(/ENOTDIR|ELOOP/);
    rmSync(join(base, "a/b"));
    expect(() => openDirectory(a, "b", judged)).toThrow(/ENOENT/);
  });
});

describe("looking", () => {
  test("an entry as lstat has it, blocks for bytes", () => {
    const path = file("f", "y".repeat(10_000));
    linkSync(path, join(base, "second"));
    const status = lstatSync(path, { bigint: true });
    expect(found(open("/"), "f")).toEqual({
      kind: "file",
      device: status.dev,
      inode: status.ino,
      uid: Number(status.uid),
      mode: Number(status.mode) & 0o7777,
      links: 2,
      allocatedBytes: Number(status.blocks) * 512,
      accessedNs: status.atimeNs,
      modifiedNs: status.mtimeNs,
      changedNs: status.ctimeNs,
      bornNs: status.birthtimeNs,
    });
    expect(look(open("/"), "none")).toBeNull();
  });

  test("a directory that was moved away and replaced by a link is still the one that was opened", () => {
    file("inside/a/file", "inside");
    file("outside/file", "outside, and longer");
    const a = open("/inside/a");
    renameSync(join(base, "inside/a"), join(base, "inside/away"));
    symlinkSync(join(base, "outside"), join(base, "inside/a"));
    expect(found(a, "file").inode).toBe(lstatSync(join(base, "inside/away/file"), { bigint: true }).ino);
    expect([...names(a)]).toEqual(["file"]);
  });

  test("names of any bytes, more of them than are read at once", () => {
    const wanted = ["ü", "\n", " x", "-rf", "日本"].map(toLatin1);
    const bytes = Buffer.from([0x66, 0xff, 0xfe]);
    for (const each of wanted) writeFileSync(join(base, fromLatin1(each)), "");
    writeFileSync(Buffer.concat([Buffer.from(`${base}/`), bytes]), "");
    for (let each = 0; each < 500; each += 1) writeFileSync(join(base, `f${each}`), "");
    const directory = open("/");
    const seen = [...names(directory)];
    expect(seen).toHaveLength(506);
    expect(seen).toEqual(expect.arrayContaining([...wanted, bytes.toString("latin1")]));
    for (const name of seen) expect(remove(directory, name, found(directory, name))).toBe(true);
    expect(readdirSync(base)).toEqual([]);
  });

  test("reading a directory leaves its times as they were, to the microsecond, however often", () => {
    file("d/file");
    const path = join(base, "d");
    const stamps = () => {
      const { atimeNs, mtimeNs } = statSync(path, { bigint: true });
      return [atimeNs / 1000n, mtimeNs / 1000n];
    };
    for (let microseconds = 1; microseconds < 1_000_000; microseconds += 37_373) {
      utimesSync(path, 1_600_000_000 + microseconds / 1e6, 1_600_000_001 + microseconds / 1e6);
      const wanted = stamps();
      for (let looks = 0; looks < 3; looks += 1) {
        const directory = openFolder(base, "/d");
        expect([...names(directory)]).toEqual(["file"]);
        close(directory);
      }
      expect(stamps()).toEqual(wanted);
    }
  });

  test("but hides no change that somebody made meanwhile", () => {
    file("d/file");
    const path = join(base, "d");
    utimesSync(path, 1_600_000_000, 1_600_000_000);
    const reading = names(open("/d"));
    reading.next();
    writeFileSync(join(path, "new"), "");
    reading.return();
    expect(statSync(path).mtimeMs).toBeGreaterThan(1_700_000_000_000);
  });
});

describe("removing", () => {
  test("files, links and empty directories", () => {
    file("d/file");
    file("target");
    symlinkSync(join(base, "target"), join(base, "d/link"));
    symlinkSync(base, join(base, "d/link-to-folder"));
    mkdirSync(join(base, "d/empty"));
    const d = open("/d");
    for (const name of [...names(d)]) expect(remove(d, name, found(d, name))).toBe(true);
    expect(readdirSync(base).sort()).toEqual(["d", "target"]);
    expect(readdirSync(join(base, "d"))).toEqual([]);
  });

  test("not what took the name of what was judged", () => {
    file("d/x");
    const d = open("/d");
    const judged = found(d, "x");
    renameSync(join(base, "d/x"), join(base, "x-was"));
    expect(remove(d, "x", judged)).toBe(false);
    file("d/x", "another");
    expect(remove(d, "x", judged)).toBe(false);
    rmSync(join(base, "d/x"));
    symlinkSync(join(base, "x-was"), join(base, "d/x"));
    expect(remove(d, "x", judged)).toBe(false);
    expect(readdirSync(base).sort()).toEqual(["d", "x-was"]);
    expect(readdirSync(join(base, "d"))).toEqual(["x"]);
  });

  test("nothing in a directory that was moved out meanwhile, nor in one below it", () => {
    file("safe/d/below/file");
    mkdirSync(join(base, "elsewhere"));
    const d = open("/safe/d");
    const below = open("/safe/d/below");
    const judged = { below: found(d, "below"), file: found(below, "file") };
    renameSync(join(base, "safe/d"), join(base, "elsewhere/d"));
    expect(remove(below, "file", judged.file)).toBe(false);
    expect(remove(d, "below", judged.below)).toBe(false);
    expect(readdirSync(join(base, "elsewhere/d/below"))).toEqual(["file"]);
    renameSync(join(base, "elsewhere/d"), join(base, "safe/d"));
    expect(remove(below, "file", judged.file)).toBe(true);
  });

  test("no directory with something in it", () => {
    file("d/full/file");
    const d = open("/d");
    expect(() => remove(d, "full", found(d, "full"))).toThrow(/ENOTEMPTY/);
    expect(readdirSync(join(base, "d/full"))).toEqual(["file"]);
  });
});

test("what paths lead to, links followed", () => {
  const path = file("a/file");
  symlinkSync(path, join(base, "link"));
  const { dev, ino } = statSync(path, { bigint: true });
  expect(identify(join(base, "link"))).toEqual({ device: dev, inode: ino });
  expect(identify(join(base, "none"))).toBeNull();
  expect(identify(join(path, "below-a-file"))).toBeNull();
});

describe("sockets", () => {
  test("alive while somebody has it, under whatever name; dead afterwards; unsure is alive", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(base, "bound"), resolve));
    renameSync(join(base, "bound"), join(base, "renamed"));
    linkSync(join(base, "renamed"), join(base, "kept"));
    file("plain");
    const directory = open("/");
    const judged = found(directory, "renamed");
    expect(await isSocketAlive(directory, "renamed", judged)).toBe(true);
    // Another entry has its name now: it is not for us to say that this one is dead.
    expect(await isSocketAlive(directory, "plain", judged)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(await isSocketAlive(directory, "kept", judged)).toBe(false);
  });

  test("alive when it is of another type, and cannot be spoken to", async () => {
    const script =
      'use Socket; socket(S, PF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un($ARGV[0])); $|=1; print "up"; sleep 60';
    const child = spawn("perl", ["-e", script, join(base, "datagrams")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const directory = open("/");
    const judged = found(directory, "datagrams");
    expect(await isSocketAlive(directory, "datagrams", judged)).toBe(true);
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await gone;
    expect(await isSocketAlive(directory, "datagrams", judged)).toBe(false);
  });

  test("a descriptor of the entry itself, not of where it leads", () => {
    file("target");
    symlinkSync(join(base, "target"), join(base, "link"));
    const { descriptor, entry } = openEntry(open("/"), "link");
    closeSync(descriptor);
    expect(entry.kind).toBe("link");
  });
});
