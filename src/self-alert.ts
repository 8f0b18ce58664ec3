/**
 * What people are told when Argus's own cycles fail, hang, or are cut off again and again. No cycle need complete for
 * it: it goes through the executor's gate into the outbox like every alert and is sent at once; when it cannot be
 * written down there, straight through the channels.
 */
import type { Parts } from "./cycle.ts";
import { sightlessFix, sightlessSentence } from "./detect/sightless.ts";
import type { Parcel } from "./notify/channels/channel.ts";
import { tellDirectly } from "./notify/direct.ts";
import { brokenSentence } from "./report/broken.ts";
import { hostName } from "./system/host-name.ts";
import type { Log } from "./system/log.ts";
import { oneLine } from "./system/printable.ts";
import { problemKey } from "./system/problem-key.ts";
import { redact } from "./system/redact/redact.ts";
import type { ActionRecord, Proposal } from "./types/action.ts";
import { duration } from "./types/quantities.ts";
import type { Broken } from "./types/settings.ts";

export interface SelfAlert {
  /** A cycle failed or was cut off, so many in a row: people hear of every third one. */
  failed(parts: Parts, reason: string, signal: AbortSignal): Promise<void>;
  /** The present cycle goes on for so long. */
  hangs(parts: Parts, seconds: number, signal: AbortSignal): Promise<void>;
  /** A cycle was complete. */
  good(parts: Parts, signal: AbortSignal): Promise<void>;
  /** Of broken files speak rules; where those cannot be read either, this does, and where no rule sees anything. */
  files(parts: Parts, signal: AbortSignal): Promise<void>;
  /** Whatever is notified without the outbox goes on beside the cycles: resolves when none of it does any more. */
  settled(): Promise<void>;
}

const everyNth = 3;
/** A cycle that hangs may hold the executor, which takes one request after the other. */
const patienceMs = 10_000;

const failing = problemKey("argus", "argus", "failing");
const hanging = problemKey("argus", "argus", "hanging");
const unruled = problemKey("argus", "argus", "broken-files");
const sightless = problemKey("argus", "argus", "sightless-rules");

/** @param send sends what waits in the outbox; nobody waits for it. */
export function createSelfAlert(log: Log, send: (parts: Parts) => void): SelfAlert {
  /** An Argus before this one may have told of a cycle that hung. */
  let mayHang = true;
  const mayLack = new Set([unruled, sightless]);
  let telling: Promise<void> = Promise.resolve();

  async function announce(
    parts: Parts,
    problem: string,
    message: string,
    signal: AbortSignal,
  ): Promise<void> {
    const proposal = proposalOf(problem, message);
    const action = await ask(parts, proposal, signal);
    if (action?.result === "success") {
      log.warn(action.detail);
      return send(parts);
    }
    if (action !== null && action.refusal !== null)
      return log.warn({ result: action.result, refusal: action.refusal }, action.detail);
    log.error(`the alert could not be written down: ${action?.detail ?? "the executor is busy"}`);
    // What still waits for the executor must not be told a second time when it is its turn.
    proposal.told = true;
    telling = telling
      .then(async () => {
        proposal.told = await tell(parts, problem, message, signal);
        // Noted as announced, if only in memory: it is told again no sooner than any other, and its end is told.
        if (proposal.told && action !== null) await ask(parts, proposal, signal);
      })
      .catch((error: unknown) => log.error({ err: error }, "nobody could be notified"));
  }

  /** @returns whether somebody has it. */
  async function tell(parts: Parts, problem: string, message: string, signal: AbortSignal): Promise<boolean> {
    const { by, errors } = await tellDirectly(
      parts.system,
      parts.config,
      parcelOf(parts, problem, message),
      signal,
    );
    for (const error of errors) log.error(error);
    if (by.length > 0) log.warn({ channels: by }, "notified without the outbox");
    return by.length > 0;
  }

  /** What rules do not say while some of them are not in force, and that they do again. */
  async function lack(
    parts: Parts,
    problem: string,
    sentences: readonly string[],
    over: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (sentences.length > 0) {
      mayLack.add(problem);
      return await announce(parts, problem, `Argus: ${sentences.join("; ")}`, signal);
    }
    if (!mayLack.delete(problem)) return;
    const action = await ask(parts, { ...proposalOf(problem, `Argus: ${over}`), recovery: true }, signal);
    if (action?.result === "success") send(parts);
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
      // The end of what failed is told by the rule about it.
      if (!mayHang) return;
      mayHang = false;
      const recovery = { ...proposalOf(hanging, "Argus: cycles end again"), recovery: true };
      const action = await ask(parts, recovery, signal);
      if (action?.result === "success") send(parts);
    },
    async files(parts, signal) {
      await lack(
        parts,
        unruled,
        unsaid(parts),
        "the rules that speak of Argus itself are in force again",
        signal,
      );
      await lack(
        parts,
        sightless,
        unseen(parts),
        "rules that see what they should are in force again",
        signal,
      );
    },
    settled: () => telling,
  };
}

/** What is wrong with files while no rule can say so; a rule that somebody switched off is in force as that. */
function unsaid({ book, config }: Parts): string[] {
  const { rules, disabled } = book.rules();
  // Without any rule, nobody chose to hear nothing of this one.
  const names = new Set(
    rules.length === 0 ? [] : [...rules.map(({ compiled }) => compiled.rule.name), ...disabled],
  );
  const of = (rule: string, what: string, broken: Broken | null | undefined): string[] =>
    broken == null || names.has(rule) ? [] : [`${what}: ${brokenSentence(broken)}`];
  return [
    ...of("argus-settings-broken", "the settings cannot be used", config.broken),
    ...of("argus-rules-broken", "rules cannot be used", book.broken()),
  ];
}

/** Rules that can all be used, and see nothing of what is watched. Of broken ones the sentence about those speaks. */
function unseen({ book, config: { settings, localRulesDir } }: Parts): string[] {
  const sentence = sightlessSentence(book.rules(), settings.services.length);
  return sentence === null || book.broken() !== null ? [] : [`${sentence}; ${sightlessFix(localRulesDir)}`];
}

function parcelOf({ system, config }: Parts, problem: string, message: string): Parcel {
  const { wallMs } = system.clock.now();
  const at = new Date(wallMs).toISOString();
  const host = hostName(system.files);
  const summary = oneLine(redact(message.slice(0, 8000)), 2000);
  const text = `${host}: CRITICAL ${summary}`;
  const about = { problem, type: "argus" as const, subject: "argus", severity: "critical" as const };
  return {
    kind: "message",
    id: `self-${wallMs}`,
    files: [],
    createdAt: at,
    host,
    severity: "critical",
    text: config.dashboardUrl === null ? text : `${text}\n${config.dashboardUrl}`,
    notes: [{ ...about, state: "firing", at, summary, actionTaken: "none" }],
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

/** null: no answer in time. */
async function ask(parts: Parts, proposal: Proposal, signal: AbortSignal): Promise<ActionRecord | null> {
  const { config, executor, state, system } = parts;
  const request = {
    cycle: state.state().cycle ?? "none",
    host: hostName(system.files),
    dryRun: config.dryRun,
    proposals: [proposal],
  };
  const done = new AbortController();
  const late = system.clock.sleep(patienceMs, done.signal).then(() => null);
  const reply = await Promise.race([executor.execute(request, signal), late]);
  done.abort();
  return reply?.actions[0] ?? null;
}
