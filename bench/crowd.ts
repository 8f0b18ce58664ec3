/** Extra processes, so that a cycle can be measured on a full machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export const processCount = (): number => readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;

export interface Crowd {
  end(): Promise<void>;
}

/** @param size processes that sleep, children of one shell in a process group of its own. */
export async function gather(size: number): Promise<Crowd> {
  const script = `i=0; while [ $i -lt ${size} ]; do sleep 3600 & i=$((i+1)); done; wait`;
  const shell: ChildProcess = spawn("sh", ["-c", script], { detached: true, stdio: "ignore" });
  const { pid } = shell;
  if (pid === undefined) throw new Error("sh could not be started");
  const started = () => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").length;
  const end = async () => {
    process.kill(-pid, "SIGKILL");
    const most = processCount() - size / 2;
    while (processCount() > most) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const deadline = performance.now() + 60_000;
  while (started() < size) {
    if (performance.now() > deadline) {
      await end();
      throw new Error(`could not start ${size} processes within a minute`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Argus reads a process whole while it is younger than ten seconds: measured is what a machine looks like after that.
  await new Promise((resolve) => setTimeout(resolve, 11_000));
  return { end };
}
