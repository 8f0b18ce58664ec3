/**
 * What people are told when Argus's own cycles fail, hang, or are cut off again and again. No cycle need complete for
 * it: it goes through the executor's gate into the outbox like every alert and is sent at once; when it cannot be
 * written down there, straight through the channels, once.
 */
import type { Parts } from "./cycle.ts";
import type { Parcel } from "./notify/channels/channel.ts";
import { tellDirectly } from "./notify/direct.ts";
import type { Log } from "./system/log.ts";
import { problemKey } from "./system/problem-key.ts";
import { redact } from "./system/redact/redact.ts";
import type { ActionRecord, Proposal } from "./types/action.ts";
import { duration } from "./types/quantities.ts";

export interface SelfAlert {
  /** A cycle failed or was cut off, so many in a row: people hear of every third one. */
  failed(parts: Parts, reason: string, signal: AbortSignal): Promise<void>;
  /** The present cycle goes on for so long. */
  hangs(parts: Parts, seconds: number, signal: AbortSignal): Promise<void>;
  /** A cycle was complete. */
  good(parts: Parts, signal: AbortSignal): Promise<void>;
  /** Whatever is told without the outbox goes on beside the cycles: resolves when none of it does any more. */
  settled(): Promise<void>;
}

const everyNth = 3;
/** A cycle that hangs may hold the executor, which takes one request after the other. */
const patienceMs = 10_000;

const failing = problemKey("argus", "argus", "failing");
const hanging = problemKey("argus", "argus", "hanging");
const over = { [failing]: "Argus: cycles complete again", [hanging]: "Argus: cycles end again" };

/** @param send sends what waits in the outbox; nobody waits for it. */
export function createSelfAlert(log: Log, send: (parts: Parts) => void): SelfAlert {
  /** Told without the outbox, and not yet that it is over. */
  const direct = new Set<string>();
  /** An Argus before this one may have told of a cycle that hung. */
  let mayHang = true;
  let telling: Promise<void> = Promise.resolve();

  async function announce(
    parts: Parts,
    problem: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const action = await ask(parts, proposalOf(problem, message), signal);
    if (action !== null && action.refusal !== null) {
      log.warn({ result: action.result, refusal: action.refusal }, action.detail);
    } else if (action?.result === "success") {
      log.warn(action.detail);
      send(parts);
    } else {
      log.error(`the alert could not be written down: ${action?.detail ?? "the executor is busy"}`);
      tell(parts, problem, message, signal);
    }
  }

  /** @param message null: it is over. */
  function tell(parts: Parts, problem: string, message: string | null, signal: AbortSignal): void {
    telling = telling.then(async () => {
      if (direct.has(problem) !== (message === null)) return;
      const parcel = parcelOf(parts, problem, message);
      const { by, errors } = await tellDirectly(parts.system, parts.config, parcel, signal);
      for (const error of errors) log.error(error);
      if (by.length === 0) return;
      log.warn({ channels: by }, "told without the outbox");
      if (message === null) direct.delete(problem);
      else direct.add(problem);
    });
    telling = telling.catch((error: unknown) => log.error({ err: error }, "nobody could be told"));
  }

  return {
    async failed(parts, reason, signal) {
      const { failuresInARow } = parts.state.state();
      if (failuresInARow === 0 || failuresInARow % everyNth !== 0) return;
      await announce(parts, failing, `Argus: ${failuresInARow} cycles in a row failed: ${reason}`, signal);
    },
    async hangs(parts, seconds, signal) {
      mayHang = true;
      await announce(parts, hanging, `Argus: a cycle has not ended for ${duration(seconds)}`, signal);
    },
    async good(parts, signal) {
      for (const problem of direct) tell(parts, problem, null, signal);
      if (!mayHang) return;
      mayHang = false;
      const recovery = { ...proposalOf(hanging, over[hanging] ?? ""), recovery: true };
      const action = await ask(parts, recovery, signal);
      if (action?.result === "success") send(parts);
    },
    settled: () => telling,
  };
}

function parcelOf({ system, config }: Parts, problem: string, message: string | null): Parcel {
  const { wallMs } = system.clock.now();
  const at = new Date(wallMs).toISOString();
  const host = hostOf(system);
  const summary = redact((message ?? over[problem] ?? "").slice(0, 2000));
  const isOver = message === null;
  const text = `${host}: ${isOver ? "RECOVERED" : "CRITICAL"} ${summary}`;
  const about = { problem, type: "argus" as const, subject: "argus", severity: "critical" as const };
  return {
    kind: "message",
    id: `self-${wallMs}`,
    files: [],
    createdAt: at,
    host,
    severity: isOver ? "info" : "critical",
    text: config.dashboardUrl === null ? text : `${text}\n${config.dashboardUrl}`,
    notes: [{ ...about, state: isOver ? "resolved" : "firing", at, summary, actionTaken: "none" }],
  };
}

const proposalOf = (problem: string, message: string): Proposal => ({
  type: "alert",
  message: message.slice(0, 8192),
  source: "self",
  problem,
  problemType: "argus",
  severity: "critical",
  subject: "argus",
});

const hostOf = ({ files }: Parts["system"]): string =>
  files.tryRead("/proc/sys/kernel/hostname")?.trim() ?? "unknown host";

/** null: no answer in time. */
async function ask(parts: Parts, proposal: Proposal, signal: AbortSignal): Promise<ActionRecord | null> {
  const { config, executor, state, system } = parts;
  const request = {
    cycle: state.state().cycle ?? "none",
    host: hostOf(system),
    dryRun: config.dryRun,
    proposals: [proposal],
  };
  const done = new AbortController();
  const late = system.clock.sleep(patienceMs, done.signal).then(() => null);
  const reply = await Promise.race([executor.execute(request, signal), late]);
  done.abort();
  return reply?.actions[0] ?? null;
}
