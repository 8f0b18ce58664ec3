/** One way in which somebody starts a test run, or what looks like one. */
export interface Way {
  readonly name: string;
  /**
   * For bash, in a folder of its own. `$N` is a program by the name of node, `$REAL` is node itself, `$T` a file whose
   * name finds the process again. What it starts in the background has lost its parent when bash ends.
   */
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Stays for as long as the test: bash goes on. Else the test waits until bash has ended. */
  readonly stays?: true;
  /** Pids written into this file by the script, which are killed once the run is there. */
  readonly kill?: "killed.pid";
  /** Programs that it needs besides; the row is left out where they are missing, and said so. */
  readonly needs?: readonly string[];
  readonly root?: true;
}

/** A stand-in for an agent in Node: what it starts has socket pairs for pipes. Its arguments are the program to start. */
export const nodeAgent = `
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
const [, , program, ...args] = process.argv;
const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], detached: process.env.DETACHED === "1" });
child.stdout.resume();
child.stderr.resume();
writeFileSync("started.pid", String(child.pid));
setInterval(() => {}, 1000);
`;

/** The same in Python, with real pipes. */
export const pythonAgent = `
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
while True: time.sleep(1)
`;

/** A stand-in for npm: it starts a shell for its script and waits. */
export const npmCli = `
import { spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
if (process.env.KILL_NPM === "1") appendFileSync("killed.pid", process.pid + "\\n");
spawn("sh", ["-c", process.argv[2]], { stdio: "inherit" }).on("close", (code) => process.exit(code ?? 1));
`;

/** A server that takes whatever connects, for a run whose output goes over the network. */
export const sink = `
import { createServer } from "node:net";
import { writeFileSync } from "node:fs";
createServer((socket) => socket.resume()).listen(0, "127.0.0.1", function () {
  writeFileSync("port", String(this.address().port));
});
`;
