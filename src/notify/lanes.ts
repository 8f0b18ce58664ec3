/**
 * One piece of work after the other under each name, whatever the other names are at. Of those that wait only the
 * newest is done: it finds what the ones before it would have found.
 */
interface Lane<T> {
  next: (() => Promise<T>) | null;
  end: Promise<void>;
}

export function createLanes<T>() {
  const lanes = new Map<string, Lane<T>>();

  function start(name: string, work: () => Promise<T>): Promise<T> {
    const done = work();
    const lane: Lane<T> = { next: null, end: Promise.resolve() };
    const leave = () => {
      if (lane.next === null) lanes.delete(name);
    };
    lane.end = done.then(leave, leave);
    lanes.set(name, lane);
    return done;
  }

  return {
    /** @returns null when another one waits already: that one's caller hears what became of this. */
    enter(name: string, work: () => Promise<T>): Promise<T | null> {
      const lane = lanes.get(name);
      if (lane === undefined) return start(name, work);
      const waits = lane.next !== null;
      lane.next = work;
      return waits ? Promise.resolve(null) : lane.end.then(() => start(name, lane.next ?? work));
    },
    isIdle: (): boolean => lanes.size === 0,
  };
}
