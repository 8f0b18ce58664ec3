/**
 * A throwaway machine with a kernel, a clock, memory and swap of its own, for what a container host lacks. It has the
 * checkout, as built, and this process's node at the same paths, a loopback as its network, and no other clock to go
 * by. It is about ten times slower than the processor under it, so tests here measure nothing.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { checkout } from "../host/boot.ts";
import type { ExecOptions, ExecResult } from "../host/enter.ts";
import type { Machine } from "../host/machine.ts";
import { type Answer, type Qemu, scratchFolder, startQemu, whyNoMachine } from "./qemu.ts";
import { testRoot } from "./root.ts";

export type { ExecResult, Machine };

export interface VirtualMachine extends Machine {
  /** As somebody asks for it: a new boot of the same root, by the same kernel. */
  reboot(): Promise<void>;
  /** Ends everything and removes everything. Safe to call twice. */
  stop(): Promise<void>;
}

const bootLimitMs = 300_000;
/** What a test allows for is meant for a host as fast as this one. */
const slowness = 12;
/** What `npm pack` puts into the package. */
const parts = [
  ...["dist", "rules", "docs", "systemd", "argus.service", "install.sh"],
  ...["prompt.md", "argus.json", "argus.env.example", "package.json"],
];
const agent = fileURLToPath(new URL("guest/agent.sh", import.meta.url));
const mountedAt = "/media/checkout";

/** Throws when this machine cannot run one. */
export async function bootMachine({ memoryMegabytes = 512 } = {}): Promise<VirtualMachine> {
  const refusal = whyNoMachine();
  if (refusal !== null) throw new Error(refusal);
  const root = testRoot();
  const folder = scratchFolder();
  let qemu: Qemu | null = null;
  try {
    qemu = startQemu(root, checkoutImage(folder), folder, memoryMegabytes);
    await up(qemu);
    rmSync(folder, { recursive: true });
    const mounts = `/dev/vdb ${mountedAt} ext4 ro 0 0\n${mountedAt} ${checkout} none bind 0 0\n`;
    const node = process.execPath;
    const laid = await qemu.run(
      `set -e; mkdir -p ${quoted(mountedAt)} ${quoted(checkout)}
      printf %s ${quoted(mounts)} >>/etc/fstab; systemctl daemon-reload; mount -a
      mkdir -p "$(dirname ${quoted(node)})"; ln -s ${mountedAt}/node ${quoted(node)}`,
      30_000,
    );
    if (laid.status !== 0) throw new Error(`The checkout could not be mounted: ${laid.stderr}`);
  } catch (error) {
    await qemu?.kill();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return machineOf(qemu);
}

/** Returns when systemd is done with booting, as far as it can be. */
async function up(qemu: Qemu): Promise<void> {
  await qemu.run(":", bootLimitMs);
  const state = await qemu.run("systemctl is-system-running --wait", bootLimitMs);
  if (state.stdout.trim() === "running") return;
  const failed = await qemu.run("systemctl list-units --state=failed --plain --no-legend", 30_000);
  throw new Error(`The machine did not boot cleanly (${state.stdout.trim()}):\n${failed.stdout}`);
}

function checkoutImage(folder: string): string {
  const tree = join(folder, "checkout");
  mkdirSync(tree);
  for (const part of parts) {
    if (!existsSync(join(checkout, part))) throw new Error(`${part} is missing: npm run build makes it.`);
    cpSync(join(checkout, part), join(tree, part), { recursive: true });
  }
  cpSync(process.execPath, join(tree, "node"), { dereference: true });
  cpSync(agent, join(tree, "agent.sh"));
  const image = join(folder, "checkout.img");
  const make = ["-q", "-F", "-O", "^has_journal", "-d", tree, image, "256M"];
  const made = spawnSync("mkfs.ext4", make, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`mkfs.ext4: ${made.stderr}`);
  return image;
}

function machineOf(qemu: Qemu): VirtualMachine {
  const sync = (script: string): string => {
    const answer = qemu.runSync(script);
    if (answer.status !== 0) throw new Error(`${script.slice(0, 100)}: ${answer.stderr.trim()}`);
    return answer.stdout;
  };
  const write: Machine["write"] = (path, text, mode = 0o644) => {
    const base64 = Buffer.from(text).toString("base64");
    const to = quoted(path);
    sync(
      `mkdir -p "$(dirname ${to})" && echo ${base64} | base64 -d >${to} && chmod ${mode.toString(8)} ${to}`,
    );
  };
  const exec: Machine["exec"] = async (argv, options = {}) => {
    const timeoutMs = (options.timeoutMs ?? 10_000) * slowness;
    // The machine ends the program; without an answer long after that the machine itself is at fault.
    return resultOf(await qemu.run(scriptOf(argv, options, timeoutMs), timeoutMs + 60_000));
  };
  const waitFor: Machine["waitFor"] = async (predicate, timeoutMs, what) => {
    const limitMs = timeoutMs * slowness;
    const end = performance.now() + limitMs;
    while (!(await predicate())) {
      if (performance.now() > end) throw new Error(`Waited ${limitMs / 1000} s in vain for ${what}.`);
      await sleep(500); // a question costs the slow machine some of its time
    }
  };
  return {
    exec,
    write,
    read: (path) => sync(`cat -- ${quoted(path)}`),
    exists: (path) => qemu.runSync(`test -e ${quoted(path)}`).status === 0,
    names: (folder) =>
      sync(`test ! -d ${quoted(folder)} || ls -A -- ${quoted(folder)}`)
        .split("\n")
        .filter((name) => name !== ""),
    unit: async (name, text) => {
      write(`/etc/systemd/system/${name}`, text);
      const reload = await exec(["systemctl", "daemon-reload"]);
      if (reload.exitCode !== 0) throw new Error(`systemctl daemon-reload: ${reload.stderr}`);
    },
    waitFor,
    reboot: async () => {
      // Later, so that this is answered; and nothing is asked of a machine that goes down, as it may be lost.
      await qemu.run("(sleep 1; systemctl reboot) >/dev/null 2>&1 &", 30_000);
      await qemu.said("reboot: Restarting system", bootLimitMs);
      await up(qemu);
    },
    stop: async () => await qemu.kill(),
  };
}

const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
};

function scriptOf(argv: readonly string[], options: ExecOptions, timeoutMs: number): string {
  const { user, env = {}, cwd = "/", input } = options;
  const home = user === undefined ? "/root" : `/home/${user}`;
  const variables = Object.entries({ ...environment, HOME: home, ...env }).map(
    ([key, value]) => `${key}=${value}`,
  );
  const as =
    user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups", "--"];
  const limited = ["timeout", "--kill-after=1", String(timeoutMs / 1000)];
  const line = [...limited, ...as, "env", "--ignore-environment", ...variables, ...argv]
    .map(quoted)
    .join(" ");
  const fed = input === undefined ? "" : `echo ${Buffer.from(input).toString("base64")} | base64 -d | `;
  return `cd ${quoted(cwd)} && ${fed}${line}`;
}

/** As host tests see it: without the last newline, and null for what took too long. */
function resultOf({ status, stdout, stderr }: Answer): ExecResult {
  const text = (output: string) => output.replace(/\n$/, "");
  const tookTooLong = status === 124 || status === 137;
  return { exitCode: tookTooLong ? null : status, stdout: text(stdout), stderr: text(stderr) };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
