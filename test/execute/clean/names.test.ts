import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync } from "node:fs";
import { expect, test } from "vitest";
import { parseTmpfiles, readExclusions } from "../../../src/execute/clean/exclusions.ts";
import { rotatedLog, safelist } from "../../../src/system/safelist.ts";
import { bootId, makeMachine } from "./machine.ts";

const boot = bootId.replaceAll("-", "");

test("the safelist, to the letter", () => {
  expect(safelist(["/home/a", "/root"], "/var/lib/argus/logs").map(({ path }) => path)).toEqual([
    "/tmp",
    "/var/tmp",
    "/home/a/.cache/pip",
    "/home/a/.cache/yarn",
    "/home/a/.cache/go-build",
    "/home/a/.cache/npm",
    "/home/a/.cache/npm/_cacache",
    "/home/a/.npm/_cacache",
    "/root/.cache/pip",
    "/root/.cache/yarn",
    "/root/.cache/go-build",
    "/root/.cache/npm",
    "/root/.cache/npm/_cacache",
    "/root/.npm/_cacache",
    "/var/log",
    "/var/lib/argus/logs",
  ]);
  expect(safelist([], "/var/lib/../log/.").map(({ path }) => path)).toEqual(["/tmp", "/var/tmp", "/var/log"]);
  expect(safelist(["", ".", "~", "home", "/a/", "/a/./", "/a"], "/var/log/").map(({ path }) => path)).toEqual(
    [
      "/tmp",
      "/var/tmp",
      ...[
        ".cache/pip",
        ".cache/yarn",
        ".cache/go-build",
        ".cache/npm",
        ".cache/npm/_cacache",
        ".npm/_cacache",
      ].map((cache) => `/a/${cache}`),
      "/var/log",
    ],
  );
});

test.each([
  ["a.log.1.gz", true],
  ["a.log.12.gz", true],
  ["with space\n.log.9.gz", true],
  ["a.log.123.gz", false],
  ["a.log..gz", false],
  ["a.log.x.gz", false],
  ["a.log.1.gz.bak", false],
  ["a.log.1.xz", false],
  [".log.1.gz", false],
  [".a.log.1.gz", false],
  ["alog.1.gz", false],
])("rotated log %j: %s", (name, matches) => {
  expect(rotatedLog.test(name)).toBe(matches);
});

test("in the log folders only plain files go, whatever their name", async () => {
  const machine = makeMachine();
  machine.file("/var/log/folder.log.1.gz/inside");
  machine.link("/var/log/link.log.1.gz", "/etc/passwd");
  machine.file("/var/log/plain.log.1.gz");
  const report = await machine.clean();
  expect(
    ["folder.log.1.gz/inside", "link.log.1.gz", "plain.log.1.gz"].map((n) => machine.exists(`/var/log/${n}`)),
  ).toEqual([true, true, false]);
  expect(report.entries).toBe(1);
});

test("names that a running system needs stay in /tmp and /var/tmp, and mean nothing elsewhere", async () => {
  const machine = makeMachine();
  const needed = [
    ".X11-unix",
    ".ICE-unix",
    ".XIM-unix",
    ".font-unix",
    ".Test-unix",
    "snap-private-tmp",
    "snap.firefox",
    "lost+found",
    `systemd-private-${boot}-ntp.service-abc123`,
  ];
  const leftover = "systemd-private-00000000000000000000000000000000-ntp.service-abc123";
  for (const folder of ["/tmp", "/var/tmp"]) {
    for (const name of [...needed, leftover]) machine.file(`${folder}/${name}/inner/file`);
  }
  machine.file("/tmp/.X0-lock");
  machine.file("/tmp/.X1024-lock");
  machine.file("/tmp/elsewhere/.X11-unix/file");
  machine.file("/home/someone/.cache/pip/.X11-unix/file");
  const report = await machine.clean();
  for (const folder of ["/tmp", "/var/tmp"]) {
    expect(needed.filter((name) => !machine.exists(`${folder}/${name}/inner/file`))).toEqual([]);
    expect(machine.exists(`${folder}/${leftover}`)).toBe(false);
  }
  expect(machine.exists("/tmp/.X0-lock") && machine.exists("/tmp/.X1024-lock")).toBe(true);
  expect(machine.exists("/tmp/elsewhere")).toBe(false);
  expect(machine.exists("/home/someone/.cache/pip/.X11-unix")).toBe(false);
  expect(report.kept.protected_name).toBe(2 * needed.length + 2);
});

test("what tmpfiles.d names stays, with the unit around it", async () => {
  const machine = makeMachine();
  machine.file(
    "/usr/lib/tmpfiles.d/app.conf",
    `# comment
x /tmp/app-*
r! /tmp/boot-only[0-9]
X  "/var/tmp/with space/inner"
d /tmp 1777 root root 10d
x /tmp/priv-%b-%u/
`,
  );
  machine.file("/etc/tmpfiles.d/local.conf", "x /tmp/unit/deep/kept\n");
  machine.file("/etc/tmpfiles.d/readme.txt", "x /tmp/not-a-conf\n");
  const stay = ["app-1/f", "app-/f", "boot-only7", "priv-b-u/f", "unit/deep/kept/f", "unit/beside"].map(
    (p) => `/tmp/${p}`,
  );
  stay.push("/var/tmp/with space/inner/f", "/var/tmp/with space/beside");
  const go = ["app/f", "boot-only77", "boot-onlyx", "not-a-conf", "other/app-1"].map((p) => `/tmp/${p}`);
  for (const path of [...stay, ...go]) machine.file(path);
  await machine.clean();
  expect(stay.filter((path) => !machine.exists(path))).toEqual([]);
  expect(go.filter(machine.exists)).toEqual([]);
});

test.each([
  ["x /tmp/a[b", "/tmp/a[b", true],
  ["x /tmp/[!a]x", "/tmp/bx", true],
  ["x /tmp/[!a]x", "/tmp/ax", false],
  ["x /tmp/[]x]", "/tmp/]", true],
  ["x /tmp/[[:digit:]]*", "/tmp/4a", true],
  ["x /tmp/a.b", "/tmp/aXb", false],
  ["x /tmp/*", "/tmp/a/b", false],
  ["x /tmp/?", "/tmp/\n", true],
  ["x %T/a%%b", "/tmp/a%b", true],
  ["x %V/a", "/var/tmp/a", true],
  ["x '/tmp/a b'", "/tmp/a b", true],
  ['x /tmp/"a b"/c', "/tmp/a b/c", true],
  ["x /tmp/a\\x20b - - - 5d", "/tmp/a b", true],
  ["x /tmp/a\\040b", "/tmp/a b", true],
  ["x /tmp/a\\sb", "/tmp/a b", true],
  ['x "/tmp/a\\"b"', '/tmp/a"b', true],
  ["x /tmp/(a+)+$", "/tmp/(a+)+$", true],
  ["x /srv/a", "/srv/a", false], // in no folder of the safelist
])("tmpfiles.d line %j and %j: %s", (line, path, excluded) => {
  const machine = makeMachine();
  machine.file("/etc/tmpfiles.d/a.conf", `${line}\n`);
  const isExcluded = readExclusions(machine.system.files, ["/tmp", "/var/tmp"]);
  expect(isExcluded?.(path) ?? false).toBe(excluded);
});

test("tmpfiles.d lines that say nothing", () => {
  expect(parseTmpfiles("\n#x /tmp/a\n   \nx\n;\n")).toEqual([]);
});

test("Argus's own folders, configured homes and the safelist's folders stay inside /tmp too", async () => {
  const machine = makeMachine();
  const own = {
    state: "/tmp/argus/state",
    logs: "/tmp/argus/logs",
    settings: "/var/tmp/argus.json",
    home: "/tmp/ci/home",
  };
  machine.file(`${own.state}/problems.jsonl`);
  machine.file(`${own.logs}/argus.log`);
  machine.file(`${own.logs}/argus.log.1.gz`);
  machine.file(own.settings);
  machine.file(`${own.home}/.cache/pip/x`);
  machine.file("/srv/rules/a.json");
  machine.link("/tmp/rules", machine.at("/srv/rules"));
  machine.file("/tmp/other");
  const report = await machine.clean({
    homes: [own.home],
    logDir: own.logs,
    keep: [own.state, own.settings, "/tmp/rules", "/tmp/missing"],
  });
  const stay = [
    `${own.state}/problems.jsonl`,
    `${own.logs}/argus.log`,
    own.settings,
    `${own.home}/.cache/pip`,
    "/tmp/rules",
  ];
  expect(stay.filter((path) => !machine.exists(path))).toEqual([]);
  // Their contents are still what the safelist says.
  expect(machine.exists(`${own.logs}/argus.log.1.gz`)).toBe(false);
  expect(machine.exists(`${own.home}/.cache/pip/x`)).toBe(false);
  expect(machine.exists("/tmp/other")).toBe(false);
  expect(report.kept.own).toBe(4);
});

test("also when the settings name them by another path", async () => {
  const machine = makeMachine();
  machine.file("/tmp/argus/state/problems.jsonl");
  machine.link("/var/lib/argus", machine.at("/tmp/argus"));
  await machine.clean({ keep: ["/var/lib/argus/state"] });
  expect(machine.exists("/tmp/argus/state/problems.jsonl")).toBe(true);
});

test("a file with the sticky bit stays, a folder with it is a folder", async () => {
  const machine = makeMachine();
  chmodSync(machine.file("/tmp/sticky"), 0o1644);
  machine.file("/tmp/folder/file");
  chmodSync(machine.at("/tmp/folder"), 0o1777);
  const report = await machine.clean();
  expect([machine.exists("/tmp/sticky"), machine.exists("/tmp/folder")]).toEqual([true, false]);
  expect(report.kept.sticky).toBe(1);
});

test("device nodes stay", async () => {
  const machine = makeMachine();
  mkdirSync(machine.at("/tmp/chroot/dev"), { recursive: true });
  // Only root may make one; without it the tree is an ordinary old one.
  const made = spawnSync("mknod", [machine.at("/tmp/chroot/dev/null"), "c", "1", "3"]).status === 0;
  const report = await machine.clean();
  expect(existsSync(machine.at("/tmp/chroot/dev"))).toBe(made);
  expect(report.kept.special).toBe(made ? 1 : 0);
});

test("in a home only what belongs to its owner goes", async () => {
  const machine = makeMachine();
  const mayGiveAway = process.getuid?.() === 0;
  machine.file("/home/someone/.cache/pip/theirs");
  machine.file("/home/someone/.cache/pip/foreign/file");
  // Only root can make such a tree, and only root would be tricked by it.
  if (mayGiveAway) chownSync(machine.at("/home/someone"), 4242, 4242);
  const report = await machine.clean();
  expect(machine.exists("/home/someone/.cache/pip/foreign/file")).toBe(mayGiveAway);
  expect(report.kept.other_owner).toBe(mayGiveAway ? 2 : 0);
});

test("an entry that the system refuses to remove is counted and said, and the rest goes on", async () => {
  const machine = makeMachine();
  machine.file("/tmp/unit/immutable");
  machine.file("/tmp/other");
  // chattr needs root and a file system that knows the flag.
  const immutable = spawnSync("chattr", ["+i", machine.at("/tmp/unit/immutable")]).status === 0;
  try {
    const report = await machine.clean();
    expect(machine.exists("/tmp/unit/immutable")).toBe(immutable);
    expect(machine.exists("/tmp/other")).toBe(false);
    expect(report.kept.failed).toBe(immutable ? 1 : 0);
    expect(report.errors).toEqual(immutable ? ["/tmp/unit/immutable could not be removed (EPERM)"] : []);
  } finally {
    if (immutable) execFileSync("chattr", ["-i", machine.at("/tmp/unit/immutable")]);
  }
});
