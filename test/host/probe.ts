/** Somebody who has taken over a part of Argus: a script in the very sandbox of its unit. */
import { join } from "node:path";
import { program, succeed } from "./argus.ts";
import { checkout, type Host } from "./harness.ts";

/** Runs a script of Node's in the sandbox of a unit, in place of Argus. @returns what it prints as JSON. */
export async function probe(host: Host, unit: string, script: string): Promise<Record<string, unknown>> {
  const text = host.read(join(checkout, unit));
  host.write("/var/lib/probe/probe.mjs", preamble + script, 0o644);
  await succeed(host, ["chmod", "755", "/var/lib/probe"]);
  await host.unit(
    "probe.service",
    text
      .replace(/^ExecStart=.*$/m, `ExecStart=${program}/bin/node /var/lib/probe/probe.mjs`)
      .replace(/^Type=.*$/m, "Type=oneshot")
      .replace(
        /^(Restart|WatchdogSec|PropagatesReloadTo|Requires|StateDirectory|RuntimeDirectory|StandardOutput)=.*$/gm,
        "",
      )
      .concat("\n[Service]\nStandardOutput=file:/run/probe.json\n", mayWrite[unit] ?? ""),
  );
  await succeed(host, ["rm", "-f", "/run/probe.json"]);
  const run = await host.exec(["systemctl", "start", "probe"], { timeoutMs: 180_000 });
  if (run.exitCode !== 0)
    throw new Error((await host.exec(["journalctl", "-u", "probe", "-n", "20", "--no-pager"])).stdout);
  return JSON.parse(host.read("/run/probe.json"));
}

/** In place of StateDirectory=, which would change owners. */
const mayWrite: Readonly<Record<string, string>> = {
  "argus.service": "ReadWritePaths=-/var/lib/argus -/var/log/argus\n",
};

/** `attempt` answers "done", or the code of the error. */
const preamble = `
import fs from "node:fs";
import net from "node:net";
import { spawnSync } from "node:child_process";
const attempt = (act) => { try { act(); return "done"; } catch (error) { return error.code ?? error.message; } };
const connect = (options) => new Promise((resolve) => {
  const socket = net.connect(options);
  socket.on("connect", () => { resolve("done"); socket.destroy(); });
  socket.on("error", (error) => resolve(error.code));
});
const ask = (method, params) => new Promise((resolve) => {
  const socket = net.connect("/run/argus-executor.sock");
  let text = "";
  socket.on("data", (data) => {
    text += data;
    const frames = text.split("\\n").slice(0, -1).map((line) => JSON.parse(line)).filter((frame) => !frame.beat);
    if (frames[0]) { resolve(frames[0]); socket.destroy(); }
  });
  socket.on("error", (error) => resolve({ error: error.code }));
  socket.write(JSON.stringify({ id: 1, method, params }) + "\\n");
});
const status = (name) => new RegExp("^" + name + ":\\\\s*(.*)$", "m").exec(fs.readFileSync("/proc/self/status", "utf8"))?.[1];
const print = (value) => console.log(JSON.stringify(value));
const started = (pid) => Number(fs.readFileSync("/proc/" + pid + "/stat", "utf8").split(") ").pop().split(" ")[19]);
const about = { source: "rule:mine", problem: "process:0123456789abcdef", problemType: "process", severity: "critical", subject: "x" };
const request = (...proposals) => ({ cycle: "c" + Math.random(), host: "h", dryRun: false, proposals });
`;
