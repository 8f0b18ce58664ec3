/** Whose caches are cleaned when the settings name no homes. */
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { homesOf } from "../../src/system/homes.ts";
import { createSystem } from "../../src/system/machine.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

function machine(passwd: string, homes: Record<string, number>, defs = "") {
  const root = mkdtempSync(join(tmpdir(), "argus-homes-"));
  roots.push(root);
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/passwd"), passwd);
  if (defs !== "") writeFileSync(join(root, "etc/login.defs"), defs);
  for (const [home, uid] of Object.entries(homes)) {
    mkdirSync(join(root, home), { recursive: true });
    chownSync(join(root, home), uid, uid);
  }
  const system = createSystem({ root });
  return { root, system: { ...system, self: { ...system.self, home: "/nowhere" } } };
}

test.runIf(process.getuid?.() === 0)("root's and those of all who can log in", () => {
  const { root, system } = machine(
    [
      "root:x:0:0::/root:/bin/bash",
      "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin",
      "postgres:x:110:110::/var/lib/postgresql:/bin/bash",
      "alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash",
      "bob:x:1001:1001::/srv/bob/:",
      "build:x:1002:1002::/home/build:/usr/sbin/nologin",
      "git:x:1003:1003::/home/git:/bin/false",
      "gone:x:1004:1004::/home/gone:/bin/sh",
      "carol:x:1005:1005::/home/dora:/bin/sh",
      "slash:x:1006:1006::/:/bin/sh",
      "tmp:x:1007:1007::/tmp:/bin/sh",
      "dots:x:1008:1008::/home/../etc:/bin/sh",
      "link:x:1009:1009::/home/link:/bin/sh",
      "nobody:x:65534:65534::/home/nobody:/bin/sh",
      "torn:x:10",
      "",
    ].join("\n"),
    {
      "/root": 0,
      "/var/lib/postgresql": 110,
      "/home/alice": 1000,
      "/srv/bob": 1001,
      "/home/build": 1002,
      "/home/git": 1003,
      "/home/dora": 1010,
      "/tmp": 1007,
      "/home/nobody": 65534,
    },
  );
  symlinkSync(join(root, "home/alice"), join(root, "home/link"));
  expect(homesOf(system, null)).toEqual(["/root", "/home/alice", "/srv/bob"]);
  expect(homesOf(system, ["/home/chosen"])).toEqual(["/home/chosen"]);
});

test.runIf(process.getuid?.() === 0)("by the limits of the machine", () => {
  const passwd = "low:x:500:500::/home/low:/bin/sh\nhigh:x:1000:1000::/home/high:/bin/sh\n";
  const { system } = machine(
    passwd,
    { "/home/low": 500, "/home/high": 1000 },
    "# UID_MIN 1\nUID_MIN\t\t  500\nUID_MAX 999\n",
  );
  expect(homesOf(system, null)).toEqual(["/home/low"]);
});
