import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFiles } from "../../src/system/files.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "argus-files-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs statements in a process of its own that may write files of at most 40 KB: a disk that fills up, without root. */
function runOnFullDisk(statements: string): string {
  const script = join(directory, "script.ts");
  writeFileSync(
    script,
    `import { createFiles } from ${JSON.stringify(join(import.meta.dirname, "../../src/system/files.ts"))};
     import { createLineFile } from ${JSON.stringify(join(import.meta.dirname, "../../src/system/line-file.ts"))};
     const files = createFiles("/");
     const directory = ${JSON.stringify(directory)};
     const said = (act: () => void) => { try { act(); return "written"; } catch (error) { return (error as { code: string }).code; } };
     ${statements}`,
  );
  return execFileSync("bash", ["-c", 'ulimit -f 40; exec "$0" --import tsx "$1"', process.execPath, script], {
    encoding: "utf8",
    cwd: join(import.meta.dirname, "../.."),
  }).trim();
}

describe("a disk that fills up in the middle of a write", () => {
  it("leaves the old state file as it was, and says so", () => {
    const said = runOnFullDisk(`
      files.writeAtomic(directory + "/state.json", "a".repeat(1000));
      console.log(said(() => files.writeAtomic(directory + "/state.json", "b".repeat(100_000))));
    `);
    expect(said).toBe("EFBIG");
    expect(readFileSync(join(directory, "state.json"), "utf8")).toBe("a".repeat(1000));
    expect(readdirSync(directory).sort()).toEqual(["script.ts", "state.json"]);
  });

  it("is an error for an append that only a part of fitted, and the line file is as before", () => {
    const said = runOnFullDisk(`
      const lines = createLineFile({ files, path: directory + "/x.jsonl", maxBytes: 1e6, keep: 1, durable: true });
      lines.append('{"first":1}');
      console.log(said(() => files.append(directory + "/plain", "b".repeat(100_000))), said(() => lines.append("b".repeat(100_000))));
      lines.append('{"second":2}');
    `);
    expect(said).toBe("EFBIG EFBIG");
    expect(readFileSync(join(directory, "x.jsonl"), "utf8")).toBe('{"first":1}\n{"second":2}\n');
  });
});

describe("a file that people may link from elsewhere", () => {
  it.skipIf(process.getuid?.() !== 0)(
    "is refused in a sentence when it leads to a stream of the kernel",
    () => {
      const link = join(directory, "argus.json");
      symlinkSync("/proc/kmsg", link);
      const files = createFiles("/");
      // Reading it takes the messages that wait, so somebody may have to read it empty first.
      const read = () => {
        for (let times = 0; times < 100; times += 1) files.tryRead(link);
      };
      expect(read).toThrow(`${link} leads to what is no file with an end; put a regular file there`);
    },
  );
});

describe("writeAtomic", () => {
  it("replaces a symbolic link instead of writing through it", () => {
    const files = createFiles("/");
    writeFileSync(join(directory, "victim"), "untouched");
    symlinkSync(join(directory, "victim"), join(directory, "state.json"));
    files.writeAtomic(join(directory, "state.json"), "new");
    expect(readFileSync(join(directory, "victim"), "utf8")).toBe("untouched");
    expect(files.stat(join(directory, "state.json"))?.kind).toBe("file");
  });
});

describe("link", () => {
  it("gives a name only to the first who asks", () => {
    const files = createFiles(directory);
    files.writeExclusive("/one", "1");
    files.writeExclusive("/two", "2");
    files.link("/one", "/name");
    expect(() => files.link("/two", "/name")).toThrow(/EEXIST/);
    expect(files.read("/name")).toBe("1");
  });
});

describe("tryReadTail", () => {
  it("reads the end of a file, the whole of a shorter one, and null where there is none", () => {
    const files = createFiles(directory);
    writeFileSync(join(directory, "file"), "0123456789");
    expect(files.tryReadTail("/file", 3)).toBe("789");
    expect(files.tryReadTail("/file", 99)).toBe("0123456789");
    expect(files.tryReadTail("/none", 3)).toBeNull();
  });
});

it("makes folders one below the other, and leaves those that are there", () => {
  const dir = mkdtempSync(join(tmpdir(), "argus-files-"));
  try {
    const files = createFiles(dir);
    files.makeDirectory("/a/b/c");
    files.makeDirectory("/a/b/c");
    expect(files.stat("/a/b/c")).toMatchObject({ kind: "directory", mode: 0o700 });
    files.writeAtomic("/a/file", "x");
    expect(() => files.makeDirectory("/a/file")).toThrow("EEXIST");
    expect(() => files.makeDirectory("/a/file/below")).toThrow("ENOTDIR");
    expect(files.stat("/a/file/below")).toBeNull();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

it("says that nothing can be made below /proc, instead of trying for ever", () => {
  expect(() => createFiles("/").makeDirectory("/proc/argus/state")).toThrow("ENOENT");
});
