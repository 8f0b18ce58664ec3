/**
 * Time that passes at once. What waits for it is called in its order; between two moments everything that can go on
 * without time goes on. Only what a simulated process waits for is here: the far ends answer without real input.
 */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

export interface SimulatedTime {
  /** Milliseconds since the day began. True time: nobody can set it. */
  nowMs(): number;
  /** Returns what takes it back. */
  after(milliseconds: number, act: () => void): () => void;
  runUntil(atMs: number): Promise<void>;
  /** `setTimeout` of this process is this time's until what is returned is called. */
  takeTimers(): () => void;
}

/** Time passes whatever one waits for: a remainder that is lost to rounding would be waited for without end. */
const leastMs = 0.01;

export function createTime(): SimulatedTime {
  let nowMs = 0;
  let order = 0;
  const heap: Entry[] = [];
  const gone = new Set<number>();
  const before = (a: Entry, b: Entry) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

  function push(entry: Entry): void {
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Entry;
      if (before(parent, entry)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  function pop(): Entry | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      const right = heap[down + 1];
      if (right !== undefined && before(right, heap[down] as Entry)) down += 1;
      const child = heap[down] as Entry;
      if (before(last, child)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
    return top;
  }

  /** Promises, and the real pauses of a loop that lets others have their turn. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  function after(milliseconds: number, act: () => void): () => void {
    order += 1;
    const mine = order;
    push({ atMs: nowMs + Math.max(leastMs, milliseconds), order: mine, act });
    return () => void gone.add(mine);
  }

  return {
    nowMs: () => nowMs,
    after,
    async runUntil(atMs) {
      await settle();
      for (;;) {
        const next = heap[0];
        if (next === undefined || next.atMs > atMs) break;
        pop();
        if (gone.delete(next.order)) continue;
        nowMs = next.atMs;
        next.act();
        await settle();
      }
      nowMs = atMs;
    },
    takeTimers() {
      const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
      const set = (act: (...given: unknown[]) => void, milliseconds = 0, ...given: unknown[]) => {
        const cancel = after(milliseconds, () => act(...given));
        const handle = { cancel, ref: () => handle, unref: () => handle, hasRef: () => true };
        return handle;
      };
      const clear = (handle: { cancel?: () => void } | undefined) => handle?.cancel?.();
      Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
      return () => void Object.assign(globalThis, real);
    },
  };
}

export interface Random {
  /** 0 to 1. */
  next(): number;
  between(least: number, most: number): number;
  pick<T>(all: readonly T[]): T;
  chance(part: number): boolean;
}

/** mulberry32: the same seed, the same day. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    between: (least, most) => least + (most - least) * next(),
    pick: (all) => all[Math.floor(next() * all.length)] as (typeof all)[number],
    chance: (part) => next() < part,
  };
}
