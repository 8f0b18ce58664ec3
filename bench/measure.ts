/** CPU and wall time of a piece of work: of this process and of the children it waited for. */
import { readFileSync } from "node:fs";

export interface Cost {
  /** User and system time of the process and its ended children, milliseconds. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Children's time is kept in clock ticks of 10 ms, so a figure is the mean of many runs, not one of them. */
function childrenCpuMs(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Median of the process's own CPU and of wall time over `runs`, plus the mean of its children's CPU. */
export async function measure(runs: number, work: () => Promise<unknown> | unknown): Promise<Cost> {
  const cpu: number[] = [];
  const wall: number[] = [];
  const childrenBefore = childrenCpuMs();
  for (let run = 0; run < runs; run += 1) {
    const [cpuBefore, wallBefore] = [ownCpuMs(), performance.now()];
    await work();
    cpu.push(ownCpuMs() - cpuBefore);
    wall.push(performance.now() - wallBefore);
  }
  const children = (childrenCpuMs() - childrenBefore) / runs;
  return { cpuMs: median(cpu) + children, wallMs: median(wall) };
}
