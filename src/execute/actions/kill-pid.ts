/** Ends one process: the very one that was observed, and only one that the policy lets Argus end. */
import * as z from "zod";
import { errorCode } from "../../system/files.ts";
import { objectionToKill } from "../../system/killable.ts";
import { ancestorsOf, readStat } from "../../system/proc.ts";
import { processAlive } from "../../system/process-start.ts";
import { isSystemdRunning, showUnits } from "../../system/systemd.ts";
import { readKillTarget } from "../../system/unit-main.ts";
import type { Answer, Context, Look, MachineAction, Question } from "../action.ts";
import { oneLine, reasonOf } from "../one-line.ts";
import { firstInRequest, notPaused, offeredToModel, withinBudget } from "../questions.ts";

const termGraceMs = 5_000;
/** After SIGKILL only the kernel's own work is left; a process in state D may take longer, or for ever. */
const killGraceMs = 2_000;
const pollMs = 50;

const wantedPid = { error: "target must be a process id: a whole number from 1 to 4194304" };
const ProcessTarget = z
  .object({
    // pid_max cannot be set higher; a negative number would signal a whole process group.
    target: z.int(wantedPid).min(1, wantedPid).max(4_194_304, wantedPid),
    expect: z.object(
      {
        startTime: z.int({ error: "expect.startTime is missing: a pid alone may be another process by now" }),
      },
      { error: "expect.startTime is missing: a pid alone may be another process by now" },
    ),
  })
  .transform(({ target, expect }) => ({ pid: target, startTime: expect.startTime }));
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

export const killPid: MachineAction<ProcessTarget, string, null> = {
  kind: "machine",
  type: "kill_pid",
  budget: "kills",
  targetSchema: ProcessTarget,
  gateSteps: [notProtected, offeredToModel, notPaused, firstInRequest, withinBudget("kills")],
  nameOf: ({ pid }) => pid,
  claimOf: ({ pid }) => String(pid),
  forecast: ({ target }) => `would end process ${target.pid}: SIGTERM, and SIGKILL if it is there 5 s later`,

  async recheck({ target }, context) {
    const looks = lookAt(target, context);
    const found = readKillTarget(context.system.files, target.pid);
    if (looks.some((look) => !look.answer.pass) || found === null) return { looks, seen: null };
    if (found.unit !== null && isSystemdRunning(context.system.files)) {
      looks.push({ step: "main process", answer: await notMainProcess(target.pid, found.unit, context) });
    }
    return { looks, seen: found.executable ?? found.name };
  },

  async perform({ target }, program, context) {
    const { system, signal } = context;
    const { pid, startTime } = target;
    // From here to the signal there is no await: nothing of Argus runs in between.
    const refused = lookAt(target, context).find((look) => !look.answer.pass)?.answer;
    if (refused?.pass === false) {
      return { ok: false, refusal: refused.reason, detail: refused.detail, done: null };
    }
    const what = `${oneLine(program, 64)} (pid ${pid})`;
    const gone = `${what} was gone when the signal was to be sent`;
    try {
      if (!system.signal(pid, "SIGTERM"))
        return { ok: false, refusal: "target_gone", detail: gone, done: null };
    } catch (error) {
      const why = errorCode(error) === "EPERM" ? "it belongs to another user" : reasonOf(error);
      return { ok: false, detail: `${what} could not be sent SIGTERM: ${why}`, done: null };
    }
    const started = system.clock.monotonicMs();
    const waited = () => `${((system.clock.monotonicMs() - started) / 1000).toFixed(1)} s`;
    if (await isGoneWithin(termGraceMs, target, context)) {
      const detail = `SIGTERM ended ${what} within ${waited()}`;
      return { ok: true, detail, done: null, values: { signals: ["SIGTERM"] } };
    }
    const values = { signals: ["SIGTERM", "SIGKILL"] };
    if (signal.aborted) {
      const detail = `SIGTERM was sent to ${what}, and it was still there`;
      return { ok: false, detail, done: null, values: { signals: ["SIGTERM"] } };
    }
    // Asked again: in five seconds the pid may have become another process.
    if (processAlive(system.files, pid, startTime)) system.signal(pid, "SIGKILL");
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

/** Is it the one that was seen, and may it be ended? Synchronous, so that a signal can follow at once. */
function lookAt({ pid, startTime }: ProcessTarget, { system, policy }: Context): Look[] {
  const found = readKillTarget(system.files, pid);
  if (found === null) {
    return [
      {
        step: "identity",
        answer: { pass: false, reason: "target_gone", detail: `there is no process ${pid} any more` },
      },
    ];
  }
  const name = oneLine(found.executable ?? found.name, 64);
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
          ? { pass: true, detail: `the settings let Argus end ${name}` }
          : {
              pass: false,
              reason: objection.reason,
              detail: oneLine(`process ${pid} may not be ended, because ${objection.because}`, 500),
            },
    },
  ];
}

/** What systemd says counts more than what the process tree suggests. */
async function notMainProcess(pid: number, unit: string, { system }: Context): Promise<Answer> {
  try {
    const [state] = await showUnits(system.run, [unit]);
    if (state !== undefined && (state.mainPid === pid || state.controlPid === pid)) {
      return {
        pass: false,
        reason: "protected_target",
        detail: `process ${pid} is the main process of ${unit}`,
      };
    }
    return { pass: true, detail: `process ${pid} is not the main process of ${unit}` };
  } catch (error) {
    const detail = `systemd cannot be asked whether process ${pid} is the main process of ${unit}: ${reasonOf(error)}`;
    return { pass: false, reason: "protected_target", detail };
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
