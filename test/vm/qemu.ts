/**
 * One machine in qemu, without acceleration, and the two ports through which a test speaks with it. It ends with the
 * process that started it, however that ends, and all that it wrote was in a file without a name.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { waitFor } from "../host/boot.ts";
import { whyMissing } from "../host/namespaces.ts";
import type { Root } from "./root.ts";

export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Qemu {
  /** Runs a shell script in the machine, one after the other. */
  run(script: string, timeoutMs: number): Promise<Answer>;
  /** The same through the other port, for what takes no time. */
  runSync(script: string): Answer;
  /** Until the kernel says this on its console, from now on. */
  said(words: string, timeoutMs: number): Promise<void>;
  /** Safe to call twice. */
  kill(): Promise<void>;
}

const syncLimitMs = 60_000;

/** One sentence when this machine cannot run one, null when it can. */
export function whyNoMachine(): string | null {
  if (process.geteuid?.() !== 0) return "Only root can make a test machine.";
  return whyMissing([
    ["qemu-system-x86_64", "qemu-system-x86"],
    ["mmdebstrap", "mmdebstrap"],
    ["mkfs.ext4", "e2fsprogs"],
    ["setpriv", "util-linux"],
  ]);
}

/** A folder of this process for what qemu opens by name. Those of processes that are gone are removed. */
export function scratchFolder(): string {
  const prefix = "argus-vm-";
  for (const name of readdirSync(tmpdir()))
    if (name.startsWith(prefix) && !existsSync(`/proc/${name.slice(prefix.length)}`))
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
  const folder = join(tmpdir(), `${prefix}${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

/** @param second image that is mounted nowhere yet. @param folder may be removed as soon as the machine has answered. */
export function startQemu(root: Root, second: string, folder: string, memoryMegabytes: number): Qemu {
  const port = join(folder, "files");
  const made = spawnSync("mkfifo", [`${port}.in`, `${port}.out`], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`mkfifo: ${made.stderr}`);
  const replies = openSync(`${port}.out`, constants.O_RDONLY | constants.O_NONBLOCK);
  // Read and write, so that the opening waits for nobody.
  const requests = openSync(`${port}.in`, constants.O_RDWR);

  const virtual = (image: string) => `file=${image},if=virtio,format=raw,snapshot=on`;
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", "--"],
      ...["qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-cpu", "max", "-smp", "1"],
      ...[
        "-m",
        String(memoryMegabytes),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-nic",
        "none",
      ],
      ...["-kernel", root.kernel, "-initrd", root.ramDisk],
      ...["-append", "root=/dev/vda rw quiet console=ttyS0 systemd.show_status=0"],
      ...["-drive", virtual(root.image), "-drive", virtual(second)],
      ...["-chardev", "socket,id=console,fd=3", "-serial", "chardev:console"],
      ...["-device", "virtio-serial-pci"],
      ...["-chardev", "stdio,id=exec,signal=off", "-device", "virtserialport,chardev=exec,name=exec"],
      ...["-chardev", `pipe,id=files,path=${port}`, "-device", "virtserialport,chardev=files,name=files"],
    ],
    { stdio: ["pipe", "pipe", "pipe", "pipe"] },
  );
  // The runner of the tests was killed: nobody is left to whom this process could tell anything.
  process.once("disconnect", () => child.kill("SIGKILL"));
  const { stdin, stdout, stderr } = child;
  // What the kernel says when it does not come up.
  let last = "";
  for (const stream of [stderr, child.stdio[3] as Readable])
    stream.setEncoding("utf8").on("data", (text: string) => {
      last = (last + text).slice(-4096);
    });
  stdin.on("error", () => {}); // its end is told by the event "exit"

  let received = "";
  let waiting: ((answer: Answer | Error) => void) | null = null;
  stdout.setEncoding("utf8").on("data", (text: string) => {
    received += text;
    const end = received.indexOf("\n");
    if (end < 0) return;
    const line = received.slice(0, end);
    received = received.slice(end + 1);
    waiting?.(answerOf(line));
  });
  const gone = () => new Error(`The machine is gone. Its last words:\n${last}`);
  child.once("error", (error) => waiting?.(error));
  child.once("exit", () => waiting?.(gone()));

  const ask = async (script: string, timeoutMs: number): Promise<Answer> => {
    if (child.exitCode !== null || child.signalCode !== null) throw gone();
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<Answer | Error>((settle) => {
      waiting = settle;
      timer = setTimeout(
        () =>
          settle(new Error(`The machine did not answer for ${timeoutMs / 1000} s. Its last words:\n${last}`)),
        timeoutMs,
      );
      stdin.write(`${Buffer.from(script).toString("base64")}\n`);
    });
    clearTimeout(timer);
    waiting = null;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  let queue: Promise<unknown> = Promise.resolve();
  return {
    run: (script, timeoutMs) => {
      const mine = queue.then(() => ask(script, timeoutMs));
      queue = mine.catch(() => {});
      return mine;
    },
    runSync: (script) => {
      writeSync(requests, `${Buffer.from(script).toString("base64")}\n`);
      return answerOf(readLine(replies));
    },
    said: async (words, timeoutMs) => {
      last = "";
      await waitFor(() => last.includes(words), timeoutMs, `"${words}" on the console`);
    },
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      closeSync(requests);
      closeSync(replies);
    },
  };
}

function answerOf(line: string): Answer {
  const [status = "", stdout = "", stderr = ""] = line.split(":");
  if (!/^\d+$/.test(status)) throw new Error(`The machine answered out of turn: ${line.slice(0, 200)}`);
  const text = (base64: string) => Buffer.from(base64, "base64").toString();
  return { status: Number(status), stdout: text(stdout), stderr: text(stderr) };
}

function readLine(file: number): string {
  const chunk = Buffer.alloc(65_536);
  const chunks: Buffer[] = [];
  const end = performance.now() + syncLimitMs;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (performance.now() < end) {
    let count = 0;
    try {
      count = readSync(file, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
    if (count === 0) {
      Atomics.wait(pause, 0, 0, 5);
      continue;
    }
    chunks.push(Buffer.from(chunk.subarray(0, count)));
    if (chunk[count - 1] === 10) return Buffer.concat(chunks).toString().trimEnd();
  }
  throw new Error(`The machine did not answer a short question for ${syncLimitMs / 1000} s.`);
}
