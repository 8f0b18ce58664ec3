/** What the kernel says of the host as a whole: pure parsers of the files that proc(5) describes. */

/** @param text `/proc/meminfo`, or another list of `Name: NUMBER kB`. In bytes. */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const [, name, value, unit] of text.matchAll(/^(\S+):\s+(\d+)( kB)?$/gm)) {
    if (name !== undefined) values.set(name, Number(value) * (unit === undefined ? 1 : 1024));
  }
  return values;
}

export interface SwapCounters {
  /** Pages since boot. */
  readonly pagesIn: number;
  readonly pagesOut: number;
}

/** @param text `/proc/vmstat`. Null where the kernel was built without swap. */
export function parseVmstat(text: string): SwapCounters | null {
  const pagesIn = /^pswpin (\d+)$/m.exec(text)?.[1];
  const pagesOut = /^pswpout (\d+)$/m.exec(text)?.[1];
  if (pagesIn === undefined || pagesOut === undefined) return null;
  return { pagesIn: Number(pagesIn), pagesOut: Number(pagesOut) };
}

export interface Pressure {
  /** Percent of the last 10 s in which some task waited, and in which all did. */
  readonly some10: number;
  /** Null for the processor before Linux 5.13. */
  readonly full10: number | null;
}

/** @param text a file of `/proc/pressure` (Documentation/accounting/psi.rst). Null when it holds no such numbers. */
export function parsePressure(text: string): Pressure | null {
  const some = /^some avg10=(\d+\.\d+)/m.exec(text)?.[1];
  const full = /^full avg10=(\d+\.\d+)/m.exec(text)?.[1];
  return some === undefined
    ? null
    : { some10: Number(some), full10: full === undefined ? null : Number(full) };
}

export interface LoadAverages {
  readonly one: number;
  readonly five: number;
  readonly fifteen: number;
}

/** @param text `/proc/loadavg`. */
export function parseLoadavg(text: string): LoadAverages | null {
  const [one, five, fifteen] = text.split(" ").map(Number);
  if (one === undefined || five === undefined || fifteen === undefined) return null;
  return Number.isNaN(one + five + fifteen) ? null : { one, five, fifteen };
}

/** How many a list of processors holds, such as `0-3,8` of `/sys/devices/system/cpu/online`. */
export function countProcessors(text: string): number {
  let count = 0;
  for (const [, first, last] of text.matchAll(/(\d+)(?:-(\d+))?/g))
    count += Number(last ?? first) - Number(first) + 1;
  return count;
}

/** One line of `key value` out of a flat file, such as `inactive_file 4096` of memory.stat; null when it is not there. */
export function flatValue(text: string, key: string): number | null {
  for (const line of text.split("\n")) {
    if (line.startsWith(`${key} `)) return Number(line.slice(key.length + 1));
  }
  return null;
}
