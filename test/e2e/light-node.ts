/** A small process that goes by the name of node, and a rule that fires on it alone. */
import { spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterThis, alive, temporaryDir } from "./argus.ts";

/** Named `node` by its very executable. */
export function lightNode(): number {
  const dir = temporaryDir("light");
  copyFileSync("/bin/sh", join(dir, "node"));
  spawnSync("chmod", ["755", join(dir, "node")]);
  spawnSync("mkfifo", [join(dir, "pipe")]);
  // Nobody's child: a dead one would stay in /proc for as long as this process is busy.
  const script = "./node -c 'read line <>pipe' >/dev/null 2>&1 </dev/null & echo $!";
  const pid = Number(spawnSync("sh", ["-c", script], { cwd: dir, encoding: "utf8" }).stdout);
  afterThis(() => void (alive(pid) && process.kill(pid, "SIGKILL")));
  return pid;
}

/** Fires on that process alone. */
export const processRule = (pid: number, resolves: boolean) => ({
  rules: [
    {
      name: `away-with-${pid}`,
      description: "A process that the test made",
      forEach: "process",
      // A dead one that nobody has noticed yet has no memory.
      conditions: {
        all: [
          { fact: "process", path: "pid", operator: "equal", value: pid },
          { fact: "process", path: "rssBytes", operator: "greaterThan", value: 0 },
        ],
      },
      event: {
        type: "process",
        params: {
          condition: "of-the-test",
          severity: "warning",
          subject: `process ${pid}`,
          summary: `process ${pid} is there`,
          actions: resolves ? [{ type: "kill_pid", target: "{{process.pid}}" }] : [],
          resolves,
        },
      },
    },
  ],
});
