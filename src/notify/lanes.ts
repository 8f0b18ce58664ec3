/**
 * One piece of work after the other under each name, whatever the other names are at. Of those that wait only the
 * newest is done: it finds what the ones before it would have found.
 */
interface Lane<T> {
  next: (() => Promise<T>) | null;
  /** What is done before `next`, all of it. */
  readonly between: (() => Promise<void>)[];
  end: Promise<void>;
}

export function createLanes<T>() {
  const lanes = new Map<string, Lane<T>>();

  function start<R>(name: string, work: () => Promise<R>, between: Lane<T>["between"] = []): Promise<R> {
    const done = work();
    const lane: Lane<T> = { next: null, between, end: Promise.resolve() };
    const leave = async () => {
      for (let each = between.shift(); each !== undefined; each = between.shift()) await each();
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
      return waits
        ? Promise.resolve(null)
        : lane.end.then(() => start(name, lane.next ?? work, lane.between));
    },
    /** When what is done now has ended, and whatever else waits: no newer work takes its place. */
    between<R>(name: string, work: () => Promise<R>): Promise<R> {
      const lane = lanes.get(name);
      if (lane === undefined) return start(name, work);
      return new Promise((resolve, reject) => {
        lane.between.push(() => work().then(resolve, reject));
      });
    },
    isIdle: (): boolean => lanes.size === 0,
  };
}
