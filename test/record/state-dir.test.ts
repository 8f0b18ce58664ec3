import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { folderNames, lookIntoStateDir, openStateDir } from "../../src/record/state-dir.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import { temporaryDir } from "./samples.ts";

const system = createSystem();
const root = process.getuid?.() === 0;
let base: string;
beforeEach(() => {
  base = temporaryDir();
});
afterEach(() => {
  chmodSync(base, 0o700);
  rmSync(base, { recursive: true, force: true });
});

const other = (): System => ({ ...system, self: { ...system.self, uid: system.self.uid + 1000 } });

describe("openStateDir", () => {
  it("makes the folder for its owner alone, and the folders above it", () => {
    const dir = join(base, "var", "argus");
    expect(openStateDir(system, dir)).toBe(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(openStateDir(system, dir)).toBe(dir);
    expect(system.files.list(dir)).toEqual([]);
  });

  it("follows a link of one's own to a folder of one's own", () => {
    mkdirSync(join(base, "real"));
    symlinkSync("real", join(base, "link"));
    expect(openStateDir(system, join(base, "link"))).toBe(join(base, "real"));
    expect(openStateDir(system, join(base, "link", "inner"))).toBe(join(base, "real", "inner"));
  });

  it("refuses a folder that belongs to somebody else", () => {
    const dir = join(base, "state");
    mkdirSync(dir);
    const { uid } = system.self;
    expect(() => openStateDir(other(), dir)).toThrow(
      `the state folder ${dir} belongs to uid ${uid}, and Argus runs as uid ${uid + 1000}; run it as that user, or set ARGUS_STATE_DIR to a folder of your own`,
    );
  });

  it("refuses a folder that everybody can write", () => {
    const dir = join(base, "state");
    mkdirSync(dir);
    chmodSync(dir, 0o777);
    expect(() => openStateDir(system, dir)).toThrow(
      `the state folder ${dir} can be written by everybody; chmod 700 ${dir}`,
    );
    symlinkSync(dir, join(base, "link"));
    expect(() => openStateDir(system, join(base, "link"))).toThrow(/can be written by everybody/);
  });

  it("refuses a place where everybody could put another folder, unless the sticky bit is set", () => {
    chmodSync(base, 0o777);
    const dir = join(base, "deep", "state");
    expect(() => openStateDir(system, dir)).toThrow(
      `the state folder ${dir} lies in ${base}, which everybody can write; chmod o-w ${base}, or set ARGUS_STATE_DIR to another place`,
    );
    expect(existsSync(dir)).toBe(false);
    chmodSync(base, 0o1777);
    expect(openStateDir(system, dir)).toBe(dir);
  });

  it("refuses a file in its place, and a link that leads in a circle", () => {
    writeFileSync(join(base, "file"), "");
    expect(() => openStateDir(system, join(base, "file"))).toThrow(
      `${join(base, "file")} is not a folder; move it away, or set ARGUS_STATE_DIR to another place`,
    );
    expect(() => openStateDir(system, join(base, "file", "state"))).toThrow(
      /a part of the path is not a folder/,
    );
    symlinkSync("circle", join(base, "circle"));
    expect(() => openStateDir(system, join(base, "circle"))).toThrow(
      /symbolic link in its path that leads nowhere/,
    );
  });

  it("refuses somebody else's link, wherever it leads", () => {
    mkdirSync(join(base, "real"));
    const dir = join(base, "link");
    symlinkSync("real", dir);
    // Root can give the link away; anybody else pretends to be somebody else.
    if (root) lchownSync(dir, 1000, 1000);
    expect(() => openStateDir(root ? system : other(), dir)).toThrow(
      `the state folder ${dir} is reached through a symbolic link of uid ${root ? 1000 : system.self.uid} (${dir}); remove it, or set ARGUS_STATE_DIR to another place`,
    );
  });

  it("refuses a place below somebody else's folder, who could put another one there", () => {
    const theirs = join(base, "theirs");
    mkdirSync(join(theirs, "deep"), { recursive: true });
    // Root can give the folder away; anybody else pretends to be somebody else.
    if (root) chownSync(theirs, 1000, 1000);
    const dir = join(theirs, "deep", "state");
    const [above, uid] = root ? [theirs, 1000] : [base, system.self.uid];
    expect(() => openStateDir(root ? system : other(), dir)).toThrow(
      `the state folder ${dir} lies below ${above}, which belongs to uid ${uid}, who could put another folder in its place; set ARGUS_STATE_DIR to another place`,
    );
    expect(existsSync(dir)).toBe(false);
  });

  it.skipIf(!root)(
    "refuses one's own folder below somebody else's, and lets only its owner's commands read there",
    () => {
      const theirs = join(base, "theirs");
      const dir = join(theirs, "state");
      mkdirSync(dir, { recursive: true });
      chownSync(theirs, 1000, 1000);
      const sentence = `the log folder ${dir} lies below ${theirs}, which belongs to uid 1000`;
      expect(() => openStateDir(system, dir, folderNames.logs)).toThrow(sentence);
      expect(() => lookIntoStateDir(system, dir, folderNames.logs)).toThrow(sentence);
      chownSync(dir, 1000, 1000);
      lookIntoStateDir(system, dir, folderNames.logs);
      expect(() => openStateDir(system, dir, folderNames.logs)).toThrow(
        `the log folder ${dir} belongs to uid 1000, and Argus runs as uid 0; run it as that user, or set ARGUS_LOG_DIR to a folder of your own`,
      );
    },
  );

  it("refuses a folder that its group can write", () => {
    const dir = join(base, "state");
    mkdirSync(dir);
    chmodSync(dir, 0o770);
    expect(() => openStateDir(system, dir)).toThrow(
      `the state folder ${dir} can be written by its group; chmod g-w ${dir}, or set ARGUS_STATE_DIR to a folder of its own`,
    );
  });

  it("tries the folder out under a name that nobody can guess, and touches nothing else", () => {
    const dir = join(base, "state");
    mkdirSync(dir, { mode: 0o700 });
    writeFileSync(join(dir, `.writable-${process.pid}`), "somebody's");
    openStateDir(system, dir);
    expect(system.files.list(dir)).toEqual([`.writable-${process.pid}`]);
  });

  it("refuses a folder that cannot be written", () => {
    const dir = join(base, "state");
    mkdirSync(dir, { mode: 0o500 });
    if (root) expect(openStateDir(system, dir)).toBe(dir);
    else
      expect(() => openStateDir(system, dir)).toThrow(
        `this user may not write the state folder ${dir}; run Argus with sudo, or set ARGUS_STATE_DIR to a folder of your own`,
      );
  });
});
