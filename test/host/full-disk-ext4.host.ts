/**
 * A real ext4 that root filled, its reserve too, under the state of both processes, the logs and a cache: a crashed
 * service is healed, people are alerted, the cache is cleaned, and what was done is written when there is room.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { succeed } from "./argus.ts";
import { bootHost, type Host } from "./harness.ts";
import * as is from "./installed.ts";

let host: Host;
const shell = async (script: string) => await succeed(host, ["sh", "-c", script]);

/** One for each crash: the second of one service would wait for its delay. */
const watched = ["web", "api", "shop", "mailer", "queue", "search"];

const receiver = `
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    appendFileSync("/run/posts", JSON.stringify(body) + "\\n");
    response.end("{}");
  });
}).listen(9093, "127.0.0.1");
`;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "argus-ext4-"));
  const image = join(folder, "image");
  try {
    execFileSync("truncate", ["-s", "100M", image]);
    execFileSync("mkfs.ext4", ["-q", "-m", "5", "-N", "4096", image]);
    host = await bootHost({ name: "ext4", disk: { image, at: "/mnt" } });
  } finally {
    // The loop device keeps it until the host ends.
    rmSync(folder, { recursive: true, force: true });
  }
  await shell(`cd /mnt && mkdir lib log cache && mkdir -p /var/log/argus /home/bob/.cache &&
    mount --bind lib /var/lib && mount --bind log /var/log/argus`);
  await succeed(host, ["useradd", "bob"]);
  await shell(
    "mount --bind /mnt/cache /home/bob/.cache && chown -R bob: /home/bob && install -d -o bob /home/bob/.cache/pip",
  );
  host.write("/srv/receiver.mjs", receiver);
  host.write("/run/posts", "");
  await is.service(host, "receiver", `ExecStart=${process.execPath} /srv/receiver.mjs`);
  await is.services(
    host,
    watched.map((name) => ({ name })),
  );
  await is.systemctl(host, "start", "receiver", ...watched);
  // For the executor everything on this throwaway host is a month old.
  host.write("/srv/later.mjs", "const now = Date.now; Date.now = () => now() + 30 * 86_400_000;\n");
  host.write(
    "/etc/systemd/system/argus-executor.service.d/later.conf",
    "[Service]\nEnvironment=NODE_OPTIONS=--import=/srv/later.mjs\n",
  );
  await is.installArgus(host, {
    settings: {
      services: watched.map((unit) => ({ unit, restart: true })),
      homes: ["/home/bob"],
      channels: [
        { type: "webhook", name: "ops", url: "http://127.0.0.1:9093/", secretVariable: "ARGUS_SECRET_OPS" },
      ],
      budgets: { cleaningsPerHour: 60, restartsPerHour: 50 },
    },
    env: { ARGUS_SECRET_OPS: "0123456789abcdef0123456789abcdef" },
  });
  await host.waitFor(async () => await exists("/var/lib/argus/reserve"), 10_000, "the reserve");
}, 60_000);
afterAll(async () => await host?.stop());

const exists = async (path: string) => (await host.exec(["test", "-e", path])).exitCode === 0;
const posts = () => host.read("/run/posts").split("\n").filter(Boolean);
const postsWith = (text: string) => posts().filter((post) => post.includes(text));
const state = () => readdirSync(join(host.root, "var/lib/argus")).sort();

/** As root, and again whenever Argus gives something up: not a byte is left. */
const fill = async () => {
  await is.systemctl(host, "start", "filler");
  const isFull = async () =>
    (await host.exec(["sh", "-c", "cp /bin/true /mnt/full-$(date +%N)"])).exitCode !== 0;
  await host.waitFor(isFull, 10_000, "the disk to be full");
};
const makeRoom = async () => {
  await is.systemctl(host, "stop", "filler");
  await shell("rm -rf /mnt/full* /mnt/inodes");
};

/** @returns seconds from the kill to the new process. */
const sleep = async (milliseconds: number) => await new Promise((done) => setTimeout(done, milliseconds));

const toldInJournal = async () =>
  (await shell("journalctl -u argus -o cat")).split("what Argus would write there is kept in memory").length;

const second = async () =>
  await host.exec(["/opt/argus/bin/node", "/opt/argus/dist/main.js", "run"], {
    user: "argus",
    env: {
      ARGUS_STATE_DIR: "/var/lib/argus",
      ARGUS_LOG_DIR: "/var/log/argus",
      ARGUS_EXECUTOR_SOCKET: "/run/argus-executor.sock",
      ARGUS_SECRET_OPS: "0123456789abcdef0123456789abcdef",
    },
  });

async function healed(unit: string): Promise<number> {
  const before = await is.property(host, unit, "MainPID");
  const begunMs = performance.now();
  await is.systemctl(host, "kill", "--signal=KILL", unit);
  const isAnew = async () => !["0", before].includes(await is.property(host, unit, "MainPID"));
  await host.waitFor(isAnew, 10_000, `${unit} to be healed`);
  return (performance.now() - begunMs) / 1000;
}

const filler = `while :; do
  cat /dev/zero >>/mnt/full
  for n in 1 2 3 4; do echo x >>/mnt/full-$n; done
  sleep 0.05
done`;
const aboutWriting = "kept in memory only";

describe("an ext4 that root filled to the last byte", () => {
  it("is cleaned where the safelist allows it, though nothing can be written down", async () => {
    await shell("head -c 20M /dev/zero >/home/bob/.cache/pip/wheel && chown bob: /home/bob/.cache/pip/wheel");
    host.write("/srv/filler.sh", filler);
    await is.service(host, "filler", "ExecStart=/bin/sh /srv/filler.sh\nStandardError=null");
    await fill();
    const isGone = async () => !(await exists("/home/bob/.cache/pip/wheel"));
    await host.waitFor(isGone, 15_000, "the cache to be cleaned");
  });

  it("takes no byte, and yet a service is healed and people are alerted, once", async () => {
    await fill();
    await host.waitFor(() => postsWith(aboutWriting).length > 0, 15_000, "the alert");
    expect(await healed("web")).toBeLessThan(5);
    await sleep(4_000);
    expect(postsWith(aboutWriting)).toHaveLength(1);
    expect(postsWith("cycles in a row failed")).toEqual([]);
    const status = await is.argus(host, "status");
    expect(status.stdout).toContain("Argus cannot write; what follows is old");
    expect(status.stdout.replace(/[\s|]+/g, " ")).toContain("Argus goes on in memory");
    const doctor = await is.argus(host, "doctor");
    expect(doctor.stdout.replace(/[\s|]+/g, " ")).toContain("Argus goes on in memory");
  });

  it("lets the daemon and the executor start, which heal and alert again", async () => {
    const before = posts().length;
    await is.systemctl(host, "kill", "--signal=KILL", "argus-executor");
    await is.systemctl(host, "restart", "argus");
    expect(await is.activeState(host, "argus")).toBe("active");
    expect(await healed("api")).toBeLessThan(5);
    await host.waitFor(() => posts().length > before, 10_000, "an alert");
    const restarts = await is.property(host, "argus", "NRestarts");
    await sleep(7_000);
    expect(await is.property(host, "argus", "NRestarts")).toBe(restarts);
    expect(state().filter((name) => name.startsWith("daemon.lock."))).toEqual([]);
    const { stdout } = await is.argus(host, "status");
    expect(stdout).toContain(`pid ${await is.property(host, "argus", "MainPID")}`);
  });

  it("does not let a second one in", async () => {
    const { exitCode, stderr } = await second();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^argus: Argus is already running on \/var\/lib\/argus: pid \d+ \(argus run\)/);
  });

  it("lets a daemon start that was killed, with the files of the dead taken away", async () => {
    await is.systemctl(host, "kill", "--signal=KILL", "argus");
    const isUp = async () => (await is.activeState(host, "argus")) === "active";
    await host.waitFor(async () => !(await isUp()), 5_000, "the daemon to be gone");
    await host.waitFor(isUp, 15_000, "the daemon");
    expect(state().filter((name) => name.startsWith("daemon.running."))).toHaveLength(1);
    expect(await healed("shop")).toBeLessThan(5);
  });

  it.each([
    ["pause --for 30m"],
    ["resume"],
    ["silence add --subject search --for 1h"],
    ["silence list"],
    ["problems"],
    ["explain"],
    ["clean --dry-run"],
    ["clean"],
  ])("answers argus %s", async (words) => {
    const { exitCode, stdout, stderr } = await is.argus(host, ...words.split(" "));
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    const isSaid = /^argus: cannot .*: no space left on the file system; free some space/m.test(stderr);
    if (!words.startsWith("clean")) expect(exitCode === 0 || isSaid, stderr).toBe(true);
    // What is shown may be as old as the last byte that was written, and is not shown as new.
    if (/^(problems|explain|silence list)/.test(words)) expect(stderr).toContain("Argus goes on in memory");
    if (words.startsWith("clean")) expect(stdout).toMatch(/freed nothing|Nothing on the safelist/i);
  });

  it("has the whole story on it when there is room, within a cycle", async () => {
    const before = is.registry(host).length;
    await makeRoom();
    await host.waitFor(() => is.registry(host).length > before, 5_000, "the records");
    const hasEnded = () => postsWith("RESOLVED").some((post) => post.includes(aboutWriting));
    await host.waitFor(hasEnded, 10_000, "its end");
    const done = is.registry(host).filter(({ action_result }) => action_result === "success");
    expect(done.map(({ action_taken }) => action_taken)).toContain("restart_service:shop");
    expect(is.actions(host, "restart_service", "shop").map(({ result }) => result)).toEqual(["success"]);
    await host.waitFor(async () => await exists("/var/lib/argus/reserve"), 10_000, "the reserve");
    expect(await exists("/var/lib/argus/daemon.lock")).toBe(true);
    expect(state().filter((name) => /^daemon\.(flock|running|lock\.)/.test(name))).toEqual([]);
    expect((await is.argus(host, "status")).stdout).not.toContain("in memory");
  });
});

describe("an ext4 without an inode", () => {
  it("stops nothing either, daemon running and started there", async () => {
    const before = await toldInJournal();
    await shell("mkdir /mnt/inodes && cd /mnt/inodes && seq 10000 | xargs touch 2>/dev/null || true");
    await host.waitFor(async () => (await toldInJournal()) > before, 15_000, "the note");
    await is.systemctl(host, "restart", "argus");
    expect(await healed("mailer")).toBeLessThan(5);
    expect((await second()).stderr).toContain("Argus is already running on /var/lib/argus");
    await makeRoom();
    const isWritten = () => is.actions(host, "restart_service", "mailer").length === 1;
    await host.waitFor(isWritten, 5_000, "its record");
  });
});

describe("an ext4 that was remounted read-only", () => {
  it("stops nothing, daemon running and started there, and is written when it can be", async () => {
    const before = await toldInJournal();
    await shell("mount -o remount,ro /mnt");
    await host.waitFor(async () => (await toldInJournal()) > before, 15_000, "the note");
    expect(await healed("queue")).toBeLessThan(5);
    expect((await is.argus(host, "status")).stdout.replace(/[\s|]+/g, " ")).toContain("read-only");
    await is.systemctl(host, "kill", "--signal=KILL", "argus-executor");
    await is.systemctl(host, "restart", "argus");
    expect(await is.activeState(host, "argus")).toBe("active");
    expect(await healed("search")).toBeLessThan(5);
    expect((await second()).stderr).toContain("Argus is already running on /var/lib/argus");
    await shell("mount -o remount,rw /mnt");
    const isWritten = () => is.actions(host, "restart_service", "search").length === 1;
    await host.waitFor(isWritten, 5_000, "its record");
  });
});
