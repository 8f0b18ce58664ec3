/** What Argus opens as its own, and what it leaves alone: against real pipes, links, devices and other users' files. */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { readPrompt } from "../../src/escalate/prompt.ts";
import { fileError } from "../../src/system/file-error.ts";
import { createFiles } from "../../src/system/files.ts";
import { refusalsIn } from "../../src/system/json-folder.ts";
import { createLineFile } from "../../src/system/line-file.ts";
import { RefusedFile } from "../../src/system/refused.ts";
import { temporaryName } from "../../src/system/remains.ts";
import { createStore } from "../../src/system/store.ts";
import { WorkError } from "../../src/types/errors.ts";

const isRoot = process.getuid?.() === 0;
const someUid = 12_345;
let base: string;
let state: string;
let path: string;
let canary: string;
let files: ReturnType<typeof createFiles>;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "argus-own-"));
  state = join(base, "state");
  path = join(state, "file");
  canary = join(base, "canary");
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(canary, "sings\n");
  files = createFiles("/");
  files.claim(state, state);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const putFile = (change: () => void): void => {
  writeFileSync(path, "");
  change();
};
const mkfifo = (at: string) => spawnSync("mkfifo", [at]);

const intruders: [string, () => void, RegExp, boolean?][] = [
  ["a pipe", () => mkfifo(path), /file is a named pipe, not a regular file; move it away$/],
  ["a link to a file", () => symlinkSync(canary, path), /file is a symbolic link, and Argus follows none/],
  ["a link to nothing", () => symlinkSync(join(base, "none"), path), /is a symbolic link/],
  ["a folder", () => mkdirSync(path), /file is a folder, not a regular file/],
  ["what everybody can write", () => putFile(() => chmodSync(path, 0o666)), /mode 0666\); .*chmod 600/],
  ["what its group can write", () => putFile(() => chmodSync(path, 0o660)), /mode 0660/],
  [
    "a file of another user",
    () => putFile(() => chownSync(path, someUid, someUid)),
    /belongs to uid 12345, not to uid 0/,
    true,
  ],
  ["a device", () => spawnSync("mknod", [path, "c", "1", "5"]), /file is a device/, true],
];

describe("in the place of a file of Argus's", () => {
  for (const [what, put, sentence, rootsOwn = false] of intruders)
    it.skipIf(rootsOwn && !isRoot)(`${what} is neither read nor written, in one sentence`, ({ skip }) => {
      put();
      if (!existsSync(path) && !lstatSync(path, { throwIfNoEntry: false })) skip("it cannot be made here");
      const before = lstatSync(path);
      for (const act of [
        () => files.tryRead(path, "own"),
        () => files.tryReadHead(path, 10, "own"),
        () => files.tryReadTail(path, 10),
        () => files.append(path, "x"),
        () => files.truncate(path, 0),
        () => createLineFile({ files, path, maxBytes: 100, keep: 1, durable: true }).append("x"),
        () => createLineFile({ files, path, maxBytes: 100, keep: 1, durable: true }).readLines(),
      ]) {
        expect(act).toThrow(RefusedFile);
        expect(act).toThrow(sentence);
      }
      expect(lstatSync(path).mtimeMs).toBe(before.mtimeMs);
      expect(readFileSync(canary, "utf8")).toBe("sings\n");
      expect(existsSync(join(base, "none"))).toBe(false);
      // A folder in its place could be one of Argus's own: only who reads the file can say that it is none.
      expect(refusalsIn(files, state)).toEqual(what === "a folder" ? [] : [expect.stringMatching(sentence)]);
    });

  it("a second name of another file is not written to, and may be read", () => {
    linkSync(canary, path);
    expect(() => files.append(path, "x")).toThrow(/file has 2 names \(hard links\)/);
    expect(() => files.truncate(path, 0)).toThrow(/has 2 names/);
    expect(files.tryRead(path, "own")).toBe("sings\n");
    files.writeAtomic(path, "new");
    expect(readFileSync(canary, "utf8")).toBe("sings\n");
  });
});

describe("a folder of Argus's", () => {
  const inside = () => join(state, "outbox", "message.json");
  const acts = (): (() => unknown)[] => [
    () => files.tryRead(inside(), "own"),
    () => files.list(join(state, "outbox"), "own"),
    () => files.append(inside(), "x"),
    () => files.writeAtomic(inside(), "x"),
    () => files.writeExclusive(inside(), "x"),
    () => files.remove(inside()),
    () => files.rename(inside(), join(state, "moved")),
    () => files.link(canary, inside()),
    () => files.makeDirectory(join(state, "outbox", "deeper")),
  ];

  it("that is a link leads nowhere: nothing is read, made or removed there", () => {
    const elsewhere = join(base, "elsewhere");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "message.json"), "theirs");
    symlinkSync(elsewhere, join(state, "outbox"));
    for (const act of acts())
      expect(act).toThrow(/outbox is a symbolic link, where a folder of Argus must stand/);
    expect(readdirSync(elsewhere)).toEqual(["message.json"]);
    expect(readFileSync(join(elsewhere, "message.json"), "utf8")).toBe("theirs");
  });

  it("that everybody can write is not believed", () => {
    mkdirSync(join(state, "outbox"));
    chmodSync(join(state, "outbox"), 0o777);
    for (const act of acts())
      expect(act).toThrow(/outbox can be written by others than its owner \(mode 0777\)/);
  });

  it.skipIf(!isRoot)("that belongs to somebody else is not believed", () => {
    mkdirSync(join(state, "outbox"));
    chownSync(join(state, "outbox"), someUid, someUid);
    for (const act of acts()) expect(act).toThrow(/outbox belongs to uid 12345/);
  });

  it.skipIf(!isRoot)(
    "of another user can be read by root, a third one's file in it not, and root writes nothing there",
    () => {
      for (const [name, uid] of [
        ["theirs", someUid],
        ["roots", 0],
        ["thirds", someUid + 1],
      ] as const) {
        writeFileSync(join(state, name), name);
        chownSync(join(state, name), uid, uid);
      }
      chownSync(state, someUid, someUid);
      expect(files.tryRead(join(state, "theirs"), "own")).toBe("theirs");
      expect(files.tryRead(join(state, "roots"), "own")).toBe("roots");
      expect(() => files.tryRead(join(state, "thirds"), "own")).toThrow(/belongs to uid 12346/);
      for (const act of [
        () => files.append(join(state, "roots"), "x"),
        () => files.writeAtomic(join(state, "new"), "x"),
        () => files.remove(join(state, "theirs")),
      ])
        expect(act).toThrow(/state belongs to uid 12345, not to uid 0/);
    },
  );

  it("makes others below it for its owner alone", () => {
    files.makeDirectory(join(state, "one", "two"));
    files.makeDirectory(join(state, "one", "two"));
    expect(statSync(join(state, "one", "two")).mode & 0o777).toBe(0o700);
  });

  it("that lies below a folder of somebody else's or everybody's is not written to", () => {
    const unclaimed = createFiles("/");
    chmodSync(base, 0o777);
    expect(() => unclaimed.append(path, "x")).toThrow(
      /state lies in .*, which everybody can write; chmod o-w/,
    );
    chmodSync(base, 0o1777);
    unclaimed.append(path, "x");
    expect(readFileSync(path, "utf8")).toBe("x");
  });
});

/** Changes what stands at a path thousands of times a second, until it is told to stop. */
const swapper = `
  const { renameSync, symlinkSync, mkdirSync, writeFileSync } = require("node:fs");
  const { spawnSync } = require("node:child_process");
  const [, path, leadsTo, kind] = process.argv;
  if (kind === "folder") mkdirSync(path, 0o700);
  else writeFileSync(path, "", { mode: 0o600 });
  symlinkSync(leadsTo, path + ".link");
  spawnSync("mkfifo", [path + ".pipe"]);
  process.stdout.write("ready");
  const end = Date.now() + 1500;
  while (Date.now() < end)
    for (const other of [path + ".link", path + ".pipe"]) {
      renameSync(path, path + ".own");
      renameSync(other, path);
      renameSync(path, other);
      renameSync(path + ".own", path);
    }`;

describe("while somebody swaps what stands there", () => {
  it.each(["file", "folder"])("a %s, nothing is written elsewhere and nothing waits", async (kind) => {
    const elsewhere = join(base, "elsewhere");
    mkdirSync(elsewhere);
    const leadsTo = kind === "file" ? canary : elsewhere;
    const child = spawn(process.execPath, ["-e", swapper, path, leadsTo, kind], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const target = kind === "file" ? path : join(path, "message.json");
    const counts = { done: 0, refused: 0 };
    let slowestMs = 0;
    while (child.exitCode === null) {
      for (let times = 0; times < 200; times += 1) {
        const startedMs = performance.now();
        try {
          files.append(target, "x");
          files.tryRead(target, "own");
          files.writeAtomic(kind === "file" ? join(state, "other") : join(path, "whole.json"), "x", {
            durable: false,
          });
          counts.done += 1;
        } catch (error) {
          counts.refused += 1;
          // Put into words where it is known what was to be done.
          const said = fileError("write", target, error);
          if (!(said instanceof WorkError)) throw error;
        }
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await gone).toBe(0);
    expect(readFileSync(canary, "utf8")).toBe("sings\n");
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(Math.min(counts.done, counts.refused)).toBeGreaterThan(0);
    expect(slowestMs).toBeLessThan(2000);
  });
});

it("a pipe that is there for a moment makes nobody wait who had seen a file", async () => {
  const script = join(base, "script.ts");
  writeFileSync(
    script,
    `import { createFiles } from ${JSON.stringify(join(import.meta.dirname, "../../src/system/files.ts"))};
     const files = createFiles("/");
     const path = ${JSON.stringify(path)};
     const end = Date.now() + 1000;
     let refused = 0;
     const attempt = (act: () => void) => { try { act(); } catch { refused += 1; } };
     while (Date.now() < end) {
       attempt(() => files.append(path, "x"));
       attempt(() => files.tryRead(path, "own"));
       attempt(() => files.tryRead(path));
     }
     process.stdout.write(String(refused));`,
  );
  writeFileSync(path, "", { mode: 0o600 });
  mkfifo(`${path}.pipe`);
  const swap = `const { renameSync } = require("node:fs"); const [, path] = process.argv; const end = Date.now() + 4000;
    while (Date.now() < end) { renameSync(path, path + ".own"); renameSync(path + ".pipe", path); renameSync(path, path + ".pipe"); renameSync(path + ".own", path); }`;
  const child = spawn(process.execPath, ["-e", swap, path], { stdio: "inherit" });
  const gone = new Promise((resolve) => child.once("exit", resolve));
  const { status, stdout, signal } = spawnSync(process.execPath, ["--import", "tsx", script], {
    encoding: "utf8",
    timeout: 10_000,
    killSignal: "SIGKILL",
    cwd: join(import.meta.dirname, "../.."),
  });
  child.kill();
  await gone;
  expect({ status, signal }).toEqual({ status: 0, signal: null });
  expect(Number(stdout)).toBeGreaterThan(0);
});

describe("a temporary file", () => {
  it("has a name that nobody can take before", () => {
    const names = new Set(Array.from({ length: 100 }, () => temporaryName("state.json", process.pid)));
    expect(names.size).toBe(100);
    for (const name of names) expect(name).toMatch(/^state\.json\.\d+-[0-9a-f]{12}\.tmp$/);
  });
});

describe("a store", () => {
  const schema = z.strictObject({ count: z.number() });
  const notes: string[] = [];
  const store = () =>
    createStore({
      files,
      path,
      schema,
      empty: () => ({ count: 0 }),
      note: (sentence) => notes.push(sentence),
    });
  beforeEach(() => void notes.splice(0));

  it("sets a pipe aside and says so", () => {
    mkfifo(path);
    expect(store().load()).toEqual({ count: 0 });
    expect(notes).toEqual([
      `${path} is not a file; it was set aside as ${path}.corrupt-1 and Argus starts with an empty one`,
    ]);
    expect(lstatSync(`${path}.corrupt-1`).isFIFO()).toBe(true);
  });

  it("does not begin empty in the place of a link: it throws, and the link stays", () => {
    writeFileSync(canary, '{"count":7}');
    symlinkSync(canary, path);
    expect(() => store().load()).toThrow(/is a symbolic link/);
    expect(readlinkSync(path)).toBe(canary);
  });

  it("does not replace unseen what took its place meanwhile", () => {
    const one = store();
    one.save({ count: 1 });
    rmSync(path);
    symlinkSync(canary, path);
    one.save({ count: 2 });
    expect(notes).toEqual([
      expect.stringMatching(
        /is a symbolic link.*: it was set aside as .*\.corrupt-1, and the file is written anew$/,
      ),
    ]);
    expect(readFileSync(path, "utf8")).toBe('{"count":2}\n');
    expect(readlinkSync(`${path}.corrupt-1`)).toBe(canary);
    expect(readFileSync(canary, "utf8")).toBe("sings\n");
  });
});

describe("a file of people's", () => {
  it("may be a link from elsewhere", () => {
    symlinkSync(canary, path);
    expect(files.tryRead(path)).toBe("sings\n");
  });

  it.each(["itself", "behind a link"])("that is a pipe, %s, is refused and waited for by nobody", (which) => {
    const pipe = join(base, "pipe");
    mkfifo(pipe);
    if (which !== "itself") symlinkSync(pipe, path);
    const given = which === "itself" ? pipe : path;
    for (const act of [
      () => files.read(given),
      () => files.tryRead(given),
      () => files.tryReadHead(given, 10),
      () => readPrompt(files, given),
    ])
      expect(act).toThrow(`${given} is a named pipe, not a regular file; put a regular file there`);
  });

  it("that is a device is refused", () => {
    expect(() => files.tryReadHead("/dev/zero", 10)).toThrow("/dev/zero is a device, not a regular file");
  });
});

/** Who reads what the system or people put there, and nothing of Argus's. */
const ofOthers = [
  "cli/keep-rules.ts",
  "cli/main.ts",
  "cli/mode.ts",
  "cli/other-user.ts",
  "cli/program-check.ts",
  "cli/take-over.ts",
  "escalate/prompt.ts",
  "execute/clean/exclusions.ts",
  "execute/unprivileged.ts",
  "record/liveness.ts",
  "record/unwritten.ts",
];

it("is how every stage but the collectors reads: whoever does not says so here", () => {
  const root = join(import.meta.dirname, "../../src");
  const stages = ["cli", "escalate", "execute", "notify", "record"];
  const sources = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".ts") && stages.includes(name.split("/")[0] ?? "") && !ofOthers.includes(name),
  );
  expect(sources.length).toBeGreaterThan(50);
  const calls = sources.flatMap((name) =>
    [
      ...readFileSync(join(root, name), "utf8").matchAll(
        /\bfiles\.(?:read|tryRead|tryReadHead|list)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g,
      ),
    ].map(([call]) => `${name}: ${call}`),
  );
  expect(calls.length).toBeGreaterThan(8);
  expect(calls.filter((call) => !call.includes('"own"'))).toEqual([]);
});

describe("a folder that its group may read, and others may not", () => {
  const mode = (at: string) => statSync(at).mode & 0o777;
  /** A service has 0077, which takes away what a file is made with. */
  const writeAll = () => {
    const before = process.umask(0o077);
    try {
      files.writeAtomic(path, "whole");
      files.append(join(state, "lines"), "one\n");
      files.writeExclusive(join(state, "once"), "");
      files.writeAtomic(join(state, "closed"), "", { mode: 0o600 });
      files.makeDirectory(join(state, "outbox"));
      files.writeAtomic(join(state, "outbox", "message"), "");
    } finally {
      process.umask(before);
    }
    return Object.fromEntries(
      ["file", "lines", "once", "closed", "outbox", "outbox/message"].map((name) => [
        name,
        mode(join(state, name)),
      ]),
    );
  };

  it("gives what is made in it to the group to read, but for what is to be closed", () => {
    chmodSync(state, 0o750);
    expect(writeAll()).toEqual({
      file: 0o640,
      lines: 0o640,
      once: 0o640,
      closed: 0o600,
      outbox: 0o750,
      "outbox/message": 0o640,
    });
  });

  it.each([0o700, 0o755])("gives nothing where the folder's mode is %o", (folder) => {
    chmodSync(state, folder);
    expect(writeAll()).toMatchObject({ file: 0o600, lines: 0o600, outbox: 0o700, "outbox/message": 0o600 });
  });

  it("leaves the mode of a file that stands there as somebody set it", () => {
    chmodSync(state, 0o750);
    writeFileSync(path, "", { mode: 0o600 });
    files.append(path, "one\n");
    expect(mode(path)).toBe(0o600);
  });

  it.skipIf(!isRoot)("is read by a member of the group, who is no owner, and written by nobody else", () => {
    chmodSync(base, 0o755);
    chmodSync(state, 0o750);
    files.writeAtomic(path, "whole");
    for (const each of [state, path]) chownSync(each, someUid, someUid + 1);
    const asMember = <T>(act: (its: ReturnType<typeof createFiles>) => T): T => {
      process.setegid?.(someUid + 1);
      process.seteuid?.(someUid + 2);
      try {
        const its = createFiles("/");
        its.claim(state, state);
        return act(its);
      } finally {
        process.seteuid?.(0);
        process.setegid?.(0);
      }
    };
    expect(asMember((its) => its.tryRead(path, "own"))).toBe("whole");
    expect(asMember((its) => its.list(state))).toEqual(["file"]);
    expect(() => asMember((its) => its.writeAtomic(path, "other"))).toThrow();
    expect(() => asMember((its) => its.append(path, "other"))).toThrow();
    chmodSync(path, 0o660);
    expect(() => asMember((its) => its.tryRead(path, "own"))).toThrow(/can be written by others/);
    chmodSync(path, 0o640);
    chownSync(path, someUid + 3, someUid + 1);
    expect(() => asMember((its) => its.tryRead(path, "own"))).toThrow(/belongs to uid/);
  });
});
