/** Ends one process: the very one that was observed, and only one that the policy lets Argus end. */

import * as z from "zod";
import type { Ground } from "../../system/abandoned.ts";
import { errorCode } from "../../system/files.ts";
import { objectionToKill } from "../../system/killable.ts";
import { oneLine, shortName } from "../../system/printable.ts";
import { ancestorsOf, readStat } from "../../system/proc.ts";
import { processAlive } from "../../system/process-start.ts";
import { isSystemdRunning, showUnits } from "../../system/systemd.ts";
import { isSystemUnit, leadsUnit, readKillTarget } from "../../system/unit-main.ts";
import { Expectation } from "../../types/action.ts";
import { took } from "../../types/quantities.ts";
import type { Answer, Context, Look, MachineAction, Question, Refusal } from "../action.ts";
import { firstInRequest, notPaused, offeredToModel, withinBudget } from "../questions.ts";
import { reasonOf } from "../reason.ts";
import { notSilenced } from "../silences.ts";
import { askWhetherLost, lookWhetherLost, lostBecause } from "./still-lost.ts";

const termGraceMs = 5_000;
/** After SIGKILL only the kernel's own work is left; a process in state D may take longer, or for ever. */
const killGraceMs = 2_000;
const pollMs = 50;

const wantedPid = { error: "target must be a process id: a whole number from 1 to 4194304" };
const unseen = "expect.startTime is missing: a pid alone may be another process by now";
const ProcessTarget = z
  .object({
    // pid_max cannot be set higher; a negative number would signal a whole process group.
    target: z.int(wantedPid).min(1, wantedPid).max(4_194_304, wantedPid),
    expect: z.object({ ...Expectation.shape, startTime: z.int({ error: unseen }) }, { error: unseen }),
  })
  .transform(({ target, expect }) => ({
    pid: target,
    startTime: expect.startTime,
    because: lostBecause(expect),
    agent: expect.agent ?? null,
  }));
type ProcessTarget = z.infer<typeof ProcessTarget>;

const notProtected: Question<ProcessTarget> = {
  step: "protected",
  ask({ task: { target }, history }) {
    const never = (detail: string): Answer => ({ pass: false, reason: "protected_target", detail });
    if (target.pid === 1) return never("process 1 is the one from which all others come");
    if (history.ownPids.includes(target.pid))
      return never(`process ${target.pid} is Argus itself or its parent`);
    return { pass: true, detail: `process ${target.pid} is neither process 1 nor Argus` };
  },
};

interface Seen {
  readonly program: string;
  /** Whether it is its unit's main process, as systemd says; null: systemd does not know. */
  readonly main: boolean | null;
  /** What was found out about its owner and readers; null where that does not matter. */
  readonly ground: Ground | null;
}

export const killPid: MachineAction<ProcessTarget, Seen, null> = {
  kind: "machine",
  type: "kill_pid",
  budget: "kills",
  targetSchema: ProcessTarget,
  gateSteps: [notProtected, offeredToModel, notPaused, notSilenced, firstInRequest, withinBudget("kills")],
  nameOf: ({ pid }) => pid,
  claimOf: ({ pid }) => String(pid),
  forecast: ({ target }) => `would kill process ${target.pid}: SIGTERM, and SIGKILL if it is there 5 s later`,

  async recheck({ target }, context) {
    const { files } = context.system;
    const found = readKillTarget(files, target.pid);
    const asks = found !== null && isSystemUnit(found) && found.unit !== null && isSystemdRunning(files);
    const main = asks && found.unit !== null ? await mainProcess(target.pid, found.unit, context) : null;
    const lost = target.because === null ? null : await askWhetherLost(target, target.because, context);
    // In a user's unit only that user's manager can say so.
    const isMain = main?.isMain ?? (lost?.isOther === true ? false : null);
    const looks = lookAt(target, isMain, context);
    // Said in systemd's name rather than as a guess of ours.
    if (main?.isMain === true) looks.splice(1, 1);
    if (looks.some((look) => !look.answer.pass) || found === null) return { looks, seen: null };
    if (main !== null) looks.push({ step: "main process", answer: main.answer });
    if (lost !== null && target.because !== null) looks.push({ step: target.because, answer: lost.answer });
    const isRefused = looks.some((look) => !look.answer.pass);
    const program = found.executable ?? found.name;
    return { looks, seen: isRefused ? null : { program, main: isMain, ground: lost?.ground ?? null } };
  },

  async perform({ target }, { program, main, ground }, context) {
    const { system, signal } = context;
    const { pid, startTime } = target;
    // From here to the signal there is no await: nothing of Argus runs in between.
    const refused =
      lookAt(target, main, context).find((look) => !look.answer.pass)?.answer ??
      whyKeep(target, ground, context);
    if (refused?.pass === false) {
      return { ok: false, refusal: refused.reason, detail: refused.detail, done: null };
    }
    const what = `${shortName(program, 64)} (pid ${pid})`;
    const gone = `${what} was gone when the signal was to be sent`;
    try {
      if (!system.signal(pid, "SIGTERM"))
        return { ok: false, refusal: "target_gone", detail: gone, done: null };
    } catch (error) {
      const why = errorCode(error) === "EPERM" ? "it belongs to another user" : reasonOf(error);
      return { ok: false, detail: `${what} could not be sent SIGTERM: ${why}`, done: null };
    }
    const started = system.clock.monotonicMs();
    const waited = () => took(system.clock.monotonicMs() - started);
    if (await isGoneWithin(termGraceMs, target, context)) {
      const detail = `SIGTERM terminated ${what} within ${waited()}`;
      return { ok: true, detail, done: null, values: { signals: ["SIGTERM"] } };
    }
    const values = { signals: ["SIGTERM", "SIGKILL"] };
    if (signal.aborted) {
      const detail = `SIGTERM was sent to ${what}, and it was still there`;
      return { ok: false, detail, done: null, values: { signals: ["SIGTERM"] } };
    }
    // Asked again: in five seconds the pid may have become another process, or somebody may have come for this one.
    if (processAlive(system.files, pid, startTime)) {
      const kept = whyKeep(target, ground, context);
      if (kept !== null) {
        const detail = `${what} ignored SIGTERM for 5 s, and SIGKILL was not sent: ${kept.detail}`;
        return { ok: false, detail, done: null, values: { signals: ["SIGTERM"] } };
      }
      system.signal(pid, "SIGKILL");
    }
    await isGoneWithin(killGraceMs, target, context);
    return { ok: true, detail: `${what} ignored SIGTERM for 5 s and was sent SIGKILL`, done: null, values };
  },

  async verify({ target }, _, { system }) {
    // A zombie holds nothing but its number: it counts as gone.
    if (!processAlive(system.files, target.pid, target.startTime))
      return { ok: true, verified: true, detail: "it is gone" };
    const state = readStat(system.files, target.pid)?.state ?? "?";
    const why =
      state === "D"
        ? "it waits inside the kernel (state D), where no signal reaches it"
        : `its state is ${state}`;
    return { ok: false, verified: false, detail: `it is still there: ${why}` };
  },
};

/** Null where it is still what it was to be killed for. Without a pause, so that a signal can follow at once. */
function whyKeep(target: ProcessTarget, ground: Ground | null, context: Context): Refusal | null {
  if (target.because === null) return null;
  if (ground === null)
    return { pass: false, reason: "not_needed", detail: "nobody looked whether it still is" };
  const answer = lookWhetherLost(target, target.because, ground, context);
  return answer.pass ? null : answer;
}

/** Is it the one that was seen, and may it be ended? Synchronous, so that a signal can follow at once. */
function lookAt(
  { pid, startTime }: ProcessTarget,
  main: boolean | null,
  { system, policy }: Context,
): Look[] {
  const read = readKillTarget(system.files, pid);
  // What systemd says counts more than what the process tree suggests: a run that was started detached and lost its
  // parent looks just like a main process there.
  const found = read === null || main === null ? read : { ...read, unitMain: main };
  if (found === null) {
    return [
      {
        step: "identity",
        answer: { pass: false, reason: "target_gone", detail: `there is no process ${pid} any more` },
      },
    ];
  }
  const name = shortName(found.executable ?? found.name, 64);
  if (found.startTime !== startTime) {
    const detail = `process ${pid} is another one now: ${name}, started at ${found.startTime} and not at ${startTime} ticks after boot`;
    return [{ step: "identity", answer: { pass: false, reason: "identity_changed", detail } }];
  }
  const identity = `process ${pid} is still the ${name} that was seen (started ${startTime} ticks after boot)`;
  const own = new Set([system.self.pid, ...ancestorsOf(system.files, system.self.pid)]);
  const objection = objectionToKill(found, { killable: policy.killable, protected: policy.protected, own });
  return [
    { step: "identity", answer: { pass: true, detail: identity } },
    {
      step: "killable",
      answer:
        objection === null
          ? { pass: true, detail: `the settings let Argus kill ${name}` }
          : {
              pass: false,
              reason: objection.reason,
              detail: oneLine(`process ${pid} may not be killed, because ${objection.because}`, 500),
            },
    },
  ];
}

async function mainProcess(
  pid: number,
  unit: string,
  { system, signal }: Context,
): Promise<{ isMain: boolean | null; answer: Answer }> {
  const no = (isMain: boolean | null, detail: string) => ({
    isMain,
    answer: { pass: false, reason: "protected_target", detail } satisfies Answer,
  });
  try {
    const [state] = await showUnits(system, [unit], signal);
    if (state !== undefined && (state.mainPid === pid || state.controlPid === pid)) {
      return no(true, `process ${pid} is the main process of ${unit}`);
    }
    // A main process further down (its number came from a pid file) leaves open what the leader above it is for.
    const isKnown = state !== undefined && state.mainPid > 0 && leadsUnit(system.files, state.mainPid);
    const detail = `process ${pid} is not the main process of ${unit}`;
    return { isMain: isKnown ? false : null, answer: { pass: true, detail } };
  } catch (error) {
    return no(
      null,
      `systemd cannot be asked whether process ${pid} is the main process of ${unit}: ${reasonOf(error)}`,
    );
  }
}

async function isGoneWithin(
  milliseconds: number,
  { pid, startTime }: ProcessTarget,
  { system, signal }: Context,
): Promise<boolean> {
  const started = system.clock.monotonicMs();
  while (processAlive(system.files, pid, startTime)) {
    if (signal.aborted || system.clock.monotonicMs() - started >= milliseconds) return false;
    await system.clock.sleep(pollMs, signal);
  }
  return true;
}
