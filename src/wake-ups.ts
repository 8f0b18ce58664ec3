/** What rings the bell of the daemon: units that go down, thresholds that are crossed, a signal. */
import { createPulse } from "./collect/pulse.ts";
import type { Parts } from "./cycle.ts";
import { createCrossings } from "./detect/crossings.ts";
import { isOpen } from "./record/problems.ts";
import type { Log } from "./system/log.ts";
import { isSystemdRunning, normaliseUnit } from "./system/systemd.ts";
import { watchUnitEvents } from "./system/unit-events.ts";
import type { PulseFacts } from "./types/pulse.ts";
import { createWatchedNames } from "./watched-names.ts";

/** Pressure averages over ten seconds; a disk that fills at 200 MB/s gains a gigabyte in this time. */
const pulseMs = 5_000;
const retryMs = { first: 1_000, most: 60_000 };
/** A source that was heard for less than this is asked ever less often, however often it comes back. */
const steadyMs = 60_000;

export interface WakeUpOptions {
  readonly parts: () => Parts;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly ring: (reason: string) => void;
}

export interface WakeUps {
  /** What the pulse sees as a cycle begins is that cycle's business, and wakes nobody again a moment later. */
  cycleBegins(scheduled: boolean): void;
}

/** Goes on until the signal aborts. A source that is lost is said, and tried again; the others go on. */
export function watchForWakeUps(options: WakeUpOptions): WakeUps {
  const { log, signal } = options;
  const pulse = createPulseWatch(options);
  for (const watching of [watchUnits(options), pulse.watch()]) {
    watching.catch((error: unknown) => {
      if (!signal.aborted) log.error({ err: error }, "a source of wake-ups is lost for good");
    });
  }
  return { cycleBegins: pulse.cycleBegins };
}

async function watchUnits({ parts, log, signal, ring }: WakeUpOptions): Promise<void> {
  const { system } = parts();
  if (!isSystemdRunning(system.files)) {
    log.info("systemd is not running here: no unit wakes Argus, the schedule goes on");
    return;
  }
  const say = (sentence: string) => {
    log.warn(sentence);
    parts().notes.push(sentence);
  };
  let delayMs = retryMs.first;
  let isSaid = false;
  while (!signal.aborted) {
    let heardMs = Number.POSITIVE_INFINITY;
    try {
      const lost = await listen({ parts, log, signal, ring }, () => {
        heardMs = system.clock.monotonicMs();
        if (!isSaid) return;
        isSaid = false;
        say("systemd reports units that go down again");
        // Nobody has told of what went down meanwhile.
        ring("systemd can be heard again");
      });
      if (signal.aborted) return;
      throw new Error(lost);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!isSaid)
        say(
          `no unit that goes down wakes Argus until systemd can be heard again: ${why}; the schedule goes on`,
        );
      isSaid = true;
    }
    if (system.clock.monotonicMs() - heardMs >= steadyMs) delayMs = retryMs.first;
    await system.clock.sleep(delayMs, signal);
    delayMs = Math.min(retryMs.most, delayMs * 2);
  }
}

/** Resolves with the reason when the source is lost, or when the signal aborts. */
async function listen({ parts, signal, ring }: WakeUpOptions, onHeard: () => void): Promise<string> {
  let lost: (why: string) => void = () => undefined;
  const ended = new Promise<string>((resolve) => {
    lost = resolve;
  });
  const names = createWatchedNames(parts);
  const say = (look: Promise<string | null>) =>
    void look.then((reason) => {
      if (reason !== null && !signal.aborted) ring(reason);
    });
  const onDown = (unit: string, state: "failed" | "inactive") => {
    if (state === "failed") ring(`${unit} failed`);
    // That it is one of ours is noted in any case: what it needs may come back.
    say(
      names.wentDown(unit).then((ours) => (ours && state === "inactive" ? `${unit} became inactive` : null)),
    );
  };
  const onUp = (unit: string) => {
    if (isAwaited(parts(), unit)) ring(`${unit} is active`);
    say(names.cameUp(unit));
  };
  const stop = await watchUnitEvents(parts().system, onDown, lost, onUp);
  onHeard();
  const abort = () => lost("Argus was told to stop");
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await ended;
  } finally {
    signal.removeEventListener("abort", abort);
    stop();
  }
}

/** Its end is looked for at once: somebody brought it back. What a cycle brings back, that cycle sees. */
function isAwaited({ registry, state }: Parts, unit: string): boolean {
  if (state.state().state === "running") return false;
  const open = [...registry.problems().values()].filter(isOpen);
  return open.some(({ type, subject, entity }) => {
    const name = entity?.kind === "service" ? entity.identity : subject;
    return type === "service" && normaliseUnit(name) === unit;
  });
}

function createPulseWatch({ parts, log, signal, ring }: WakeUpOptions) {
  const { system } = parts();
  const pulse = createPulse(system);
  const crossings = createCrossings();
  const rules = () => parts().book.rules();
  let isSaid = false;

  async function look(then: (facts: PulseFacts) => void): Promise<void> {
    try {
      then(await pulse(crossings.watches(rules())));
      isSaid = false;
    } catch (error) {
      if (!isSaid) log.warn({ err: error }, "the pulse could not be taken; the schedule goes on");
      isSaid = true;
    }
  }
  return {
    cycleBegins: (scheduled: boolean): void =>
      void look((facts) => crossings.leaveToCycle(rules(), facts, scheduled)),
    async watch(): Promise<void> {
      while (!signal.aborted) {
        await look((facts) => crossings.look(rules(), facts, system.clock.monotonicMs()).forEach(ring));
        await system.clock.sleep(pulseMs, signal);
      }
    },
  };
}
