/** The process that takes most of memory, and of swap: what the host knows as a whole, told of one process. */
import type { Process } from "../types/facts.ts";
import type { Facts } from "../types/snapshot.ts";

/** Without a list of processes the hogs stay unknown. */
export function addHogs(facts: Facts): Facts {
  const { memory, swap, process: processes } = facts;
  if (processes === undefined) return facts;
  const largest = most(processes, (one) => one.rssBytes);
  const swapped = most(processes, (one) => one.swapBytes);
  return {
    ...facts,
    ...(memory === undefined || largest === null
      ? {}
      : {
          memory: {
            ...memory,
            hog: {
              ...about(largest),
              rssBytes: largest.rssBytes,
              percent: memory.totalBytes === 0 ? 0 : (largest.rssBytes / memory.totalBytes) * 100,
            },
          },
        }),
    ...(swap === undefined || swapped === null
      ? {}
      : { swap: { ...swap, hog: { ...about(swapped), swapBytes: swapped.swapBytes } } }),
  };
}

/** Null when none has any. */
function most(processes: readonly Process[], size: (one: Process) => number): Process | null {
  let found: Process | null = null;
  for (const one of processes) if (size(one) > (found === null ? 0 : size(found))) found = one;
  return found;
}

function about({ executable, name, pid, ageSeconds, killable, unit, container }: Process) {
  return { name: executable ?? name, pid, ageSeconds, killable, unit, container };
}
