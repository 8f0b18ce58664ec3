/** What is in use without a descriptor that the first look at a process shows. Real programs hold it. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { describeClean } from "../../../src/execute/clean/describe.ts";
import { type Machine, makeMachine, node, running } from "./machine.ts";
import { makeProc, mountLine } from "./proc-fixture.ts";

const asRoot = process.getuid?.() === 0;
const hasPython = spawnSync("python3", ["-c", "import ctypes"]).status === 0;

/** The path P is no argument that anybody could read: that alone would keep it. */
function python(script: string, path: string, { says = 'print("ready")' } = {}) {
  return running("python3", [
    "-u",
    "-c",
    `import ctypes, os, socket, sys, threading, time\nP = bytes.fromhex(sys.argv[1])\n${script}\n${says}\ntime.sleep(1000)`,
    Buffer.from(path).toString("hex"),
  ]);
}

async function expectOnly(machine: Machine, kept: string[], gone: string[]) {
  const report = await machine.clean();
  expect(kept.filter((path) => !machine.exists(path))).toEqual([]);
  expect(gone.filter(machine.exists)).toEqual([]);
  expect(report.keptExamples.map(({ reason }) => reason)).toEqual(kept.map(() => "in_use"));
  return report;
}

/** Runs in a thread, with what unshare(2) gives it of its own, and waits until it has run. */
const inThread = (flags: string, body: string) => `
done = threading.Event()
def work():
  assert ctypes.CDLL(None, use_errno=True).unshare(${flags}) == 0
  ${body}
  done.set()
  time.sleep(1000)
threading.Thread(target=work, daemon=True).start()
done.wait()`;

describe.runIf(hasPython)("a thread with something of its own", () => {
  test("a descriptor in its own table, under a number that the others have too", async () => {
    const machine = makeMachine();
    machine.file("/tmp/work/held");
    machine.file("/tmp/free");
    const script = `${inThread("0x400", "fd = os.open(P, os.O_RDONLY)")}
os.open("/dev/null", os.O_RDONLY)`;
    await python(script, machine.at("/tmp/work/held"));
    await expectOnly(machine, ["/tmp/work/held"], ["/tmp/free"]);
  });

  test("a working directory", async () => {
    const machine = makeMachine();
    machine.folder("/tmp/here/inside");
    machine.file("/tmp/free");
    await python(inThread("0x200", "os.chdir(P)"), machine.at("/tmp/here/inside"));
    await expectOnly(machine, ["/tmp/here/inside"], ["/tmp/free"]);
  });
});

const park = `
fd = os.open(P, os.O_RDONLY)
one, other = socket.socketpair()
socket.send_fds(one, [b"x"], [fd])
os.close(fd)`;

describe("a descriptor that was sent and not received yet", { timeout: 30_000 }, () => {
  /**
   * Of an ordinary user: as long as root parks one nothing at all is cleaned on the whole machine, by no other test
   * either. Only that process is seen.
   */
  test.runIf(asRoot && hasPython)(
    "keeps what it could be, and nothing that is closed to its user",
    async () => {
      const machine = makeMachine({ proc: null });
      machine.file("/tmp/under-way");
      chmodSync(machine.file("/tmp/secret"), 0o600);
      chmodSync(machine.root, 0o755);
      makeProc(machine.at("/proc"));
      const child = await python(`os.setuid(54321)${park}`, machine.at("/tmp/under-way"));
      symlinkSync(`/proc/${child.pid}`, machine.at(`/proc/${child.pid}`));
      const report = await machine.clean();
      expect([machine.exists("/tmp/under-way"), machine.exists("/tmp/secret")]).toEqual([true, false]);
      expect(report.doubtfulProcesses).toEqual([child.pid]);
      expect(describeClean(report).notes.join()).toMatch(/descriptors sent and not received/);
      chmodSync(machine.root, 0o700);
      await machine.clean();
      expect(machine.exists("/tmp/under-way")).toBe(false); // that user cannot come as far as here
    },
  );

  test.each([
    ["0", true],
    ["54321", false],
  ])("by a process of user %s keeps what is private: %s", async (uid, stays) => {
    const machine = makeMachine({ proc: null });
    chmodSync(machine.file("/tmp/secret"), 0o600);
    makeProc(machine.at("/proc"), {
      processes: { 4001: { fd: { 3: "socket:[77]" }, fdinfo: { 3: "pos:\t0\nscm_fds: 1\n" } } },
    });
    const ids = `Uid:\t${uid}\t${uid}\t${uid}\t${uid}\n`;
    writeFileSync(machine.at("/proc/4001/status"), `Name:\tx\n${ids}VmSize:\t100 kB\n`);
    await machine.clean();
    expect(machine.exists("/tmp/secret")).toBe(stays);
  });

  test("in a container keeps nothing that the container does not see", async () => {
    const machine = makeMachine({ proc: null });
    machine.file("/tmp/old");
    makeProc(machine.at("/proc"), {
      processes: {
        4001: {
          fd: { 3: "socket:[77]" },
          fdinfo: { 3: "pos:\t0\nscm_fds: 1\n" },
          mounts: [
            "900010 1 0:99 / / rw - overlay overlay rw",
            mountLine(machine.root, { id: 900_011, mountPoint: "/etc/hosts", root: "/srv/containers/hosts" }),
          ],
        },
      },
    });
    await machine.clean();
    expect(machine.exists("/tmp/old")).toBe(false);
  });
});

/** As seen of systemd 252, with a unit that has PrivateNetwork=, and of systemd-nspawn. */
test.each([
  ["a pair of systemd's own holds a namespace", "/usr/lib/systemd/systemd", "0002 03 77", false],
  ["what systemd-nspawn left unread", "/usr/bin/systemd-nspawn", "0005 03 77", false],
  ["a stream to systemd", "/usr/lib/systemd/systemd", "0001 03 77", true],
  ["a socket of systemd's with a name", "/usr/lib/systemd/systemd", "0002 03 77 /run/x", true],
  ["the same of another program of root's", "/usr/bin/python3.11", "0002 03 77", true],
])("root's descriptors under way: %s", { timeout: 30_000 }, async (_, exe, row, stays) => {
  const machine = makeMachine({ proc: null });
  machine.file("/tmp/file");
  const sockets = [`00000000f02ebdf9: 00000003 00000000 00000000 ${row}`];
  const fds = { fd: { 3: "socket:[77]" }, fdinfo: { 3: "pos:\t0\nscm_fds: 1\n" } };
  makeProc(machine.at("/proc"), { processes: { 4001: { ...fds, exe, sockets } } });
  const ids = "Uid:\t0\t0\t0\t0\n";
  writeFileSync(machine.at("/proc/4001/status"), `Name:\tx\n${ids}VmSize:\t100 kB\n`);
  await machine.clean();
  expect(machine.exists("/tmp/file")).toBe(stays);
});

test.runIf(hasPython)(
  "a pipe at which somebody waits for the other end stays, and goes when nobody does",
  async () => {
    const machine = makeMachine();
    machine.folder("/tmp/pipes");
    spawnSync("mkfifo", [machine.at("/tmp/pipes/p")]);
    const child = await python('print("ready")', machine.at("/tmp/pipes/p"), { says: "open(P)" });
    while (!readFileSync(`/proc/${child.pid}/wchan`, "utf8").startsWith("wait_for_partner"))
      await new Promise((done) => setTimeout(done, 5));
    await expectOnly(machine, ["/tmp/pipes/p"], []);
    child.kill("SIGKILL");
    await once(child, "exit");
    await machine.clean();
    expect(machine.exists("/tmp/pipes")).toBe(false);
  },
);

describe("compared by device and inode", () => {
  const mounts = ["900001 1 0:77 / /mnt/far rw - nfs4 far:/ rw"];
  const openAt = (mountId: number, inode: number) => ({
    4001: { fd: { 3: "/mnt/far/file" }, fdinfo: { 3: `mnt_id:\t${mountId}\nino:\t${inode}\n` } },
  });

  test.each([
    ["on a network file system keeps nothing here that has its number", 900_001, false],
    ["on a mount that nobody sees any more may be this one", 900_099, true],
  ])("a file that is open %s", async (_, mountId, stays) => {
    const machine = makeMachine({ proc: null });
    machine.file("/tmp/million/a");
    const inode = lstatSync(machine.file("/tmp/million/b")).ino;
    makeProc(machine.at("/proc"), { mounts, processes: openAt(mountId, inode) });
    await machine.clean();
    expect(machine.exists("/tmp/million")).toBe(stays);
  });
});

describe("what a process needs without having it open", () => {
  test("the script that its interpreter runs, also behind a link, and the folders of its environment", async () => {
    const machine = makeMachine();
    machine.file("/tmp/app/server.js", "console.log('ready'); setInterval(() => {}, 1000)");
    machine.file("/tmp/release-5/x.js", "console.log('ready'); setInterval(() => {}, 1000)");
    machine.link("/tmp/current", machine.at("/tmp/release-5"));
    machine.folder("/tmp/session");
    machine.file("/tmp/free/file");
    await running(process.execPath, [machine.at("/tmp/app/server.js")], {
      cwd: "/",
      env: { TMPDIR: machine.at("/tmp/session") },
    });
    await running(process.execPath, [machine.at("/tmp/current/x.js")], { cwd: "/" });
    const report = await machine.clean();
    const stay = ["/tmp/app/server.js", "/tmp/release-5/x.js", "/tmp/current", "/tmp/session"];
    expect(stay.filter((path) => !machine.exists(path))).toEqual([]);
    expect(machine.exists("/tmp/free")).toBe(false);
    expect(report.kept.in_use).toBe(4);
  });

  test("a script by its name from elsewhere, an address of a file, and what follows an option's letter", async () => {
    const machine = makeMachine();
    const script = "console.log('ready'); setInterval(() => {}, 1000)";
    machine.file("/var/tmp/job/a.js", script);
    machine.file("/tmp/up/b.js", script);
    machine.folder("/tmp/beside");
    machine.file("/tmp/module/c.mjs", script);
    machine.folder("/tmp/letter");
    machine.file("/tmp/letter/inc", "x");
    machine.file("/tmp/free/file");
    await running(process.execPath, ["tmp/job/a.js"], { cwd: machine.at("/var") });
    await running(process.execPath, ["../up/b.js"], { cwd: machine.at("/tmp/beside") });
    await running(process.execPath, ["--import", `file://${machine.at("/tmp/module/c.mjs")}`, "-e", ""], {
      cwd: "/",
    });
    await running(process.execPath, ["-e", script, "--", `-I${machine.at("/tmp/letter/inc")}`], { cwd: "/" });
    await machine.clean();
    const stay = ["/var/tmp/job/a.js", "/tmp/up/b.js", "/tmp/beside", "/tmp/module/c.mjs", "/tmp/letter/inc"];
    expect(stay.filter((path) => !machine.exists(path))).toEqual([]);
    expect(machine.exists("/tmp/free")).toBe(false);
  });

  test("a folder that it watches", async () => {
    const machine = makeMachine();
    machine.folder("/var/tmp/inbox");
    machine.folder("/var/tmp/other");
    await node(
      "const [p]=Buffer.from(process.argv[1],'hex').toString().split();require('fs').watch(p)",
      Buffer.from(machine.at("/var/tmp/inbox")).toString("hex"),
    );
    await expectOnly(machine, ["/var/tmp/inbox"], ["/var/tmp/other"]);
  });

  test("the lock file beside a socket that it listens on", async () => {
    const machine = makeMachine();
    machine.folder("/tmp/db");
    const server = createServer().listen(machine.at("/tmp/db/sock"));
    await once(server, "listening");
    machine.file("/tmp/sock.lock", "42\n");
    machine.file("/tmp/else.lock", "42\n");
    await machine.clean();
    server.close();
    expect([machine.exists("/tmp/sock.lock"), machine.exists("/tmp/else.lock")]).toEqual([true, false]);
  });

  test.runIf(asRoot)("a place on which it has something mounted, in a namespace of its own", async () => {
    const machine = makeMachine();
    machine.folder("/tmp/image/root");
    machine.folder("/tmp/free");
    await running("unshare", [
      "-m",
      "sh",
      "-c",
      'mount -t tmpfs none "$(printf %s "$0" | xxd -r -p 2>/dev/null || printf %b "$(printf %s "$0" | sed "s/../\\\\x&/g")")"; echo ready; cd /; exec sleep 1000',
      Buffer.from(machine.at("/tmp/image/root")).toString("hex"),
    ]);
    const report = await machine.clean();
    expect([machine.exists("/tmp/image/root"), machine.exists("/tmp/free")]).toEqual([true, false]);
    expect(report.keptExamples).toEqual([{ path: "/tmp/image/root", reason: "mount_point" }]);
  });
});
