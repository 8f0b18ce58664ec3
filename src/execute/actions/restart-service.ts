/** Restarts a unit that the settings allow: three attempts with growing delays, then an hour of cooldown. */

import * as z from "zod";
import { isOwnUnit } from "../../system/killable.ts";
import { oneLine } from "../../system/printable.ts";
import { readProcessIdentity } from "../../system/proc.ts";
import { normaliseUnit, showEach, showUnits, unitDisplayName } from "../../system/systemd.ts";
import { resetFailed, restartUnit } from "../../system/unit-jobs.ts";
import { isRefused, isUp, type UnitState } from "../../system/unit-state.ts";
import { whoStopped } from "../../system/unit-stop.ts";
import { duration, timeLimit } from "../../types/quantities.ts";
import type { Answer, Context, Look, MachineAction, Question } from "../action.ts";
import { backoffAnswer } from "../backoff.ts";
import { firstInRequest, notPaused, offeredToModel, withinBudget } from "../questions.ts";
import { notSilenced } from "../silences.ts";
import {
  dependencyIsUp,
  isDown,
  mayBeStarted,
  notStoppedByOperator,
  describeState as words,
} from "./unit-answers.ts";

/**
 * What is waited for the end of a start. A unit may take the minutes that its file gives it; systemd goes on without
 * anybody who waits, and what else is down must not wait for it.
 */
const startWaitMs = 2_000;

const Unit = z
  .object({
    target: z
      .string({ error: "target must be the name of a unit" })
      .regex(/^[A-Za-z0-9:_.@\\][A-Za-z0-9:_.@\\-]{0,254}$/, { error: "target must be the name of a unit" }),
  })
  .transform(({ target }) => normaliseUnit(target));

const inAllowlist: Question<string> = {
  step: "allowlist",
  ask({ task, policy }) {
    const allowed = policy.restartable.some((each) => each.unit === task.target);
    return allowed
      ? { pass: true, detail: `the settings let Argus restart ${task.name}` }
      : {
          pass: false,
          reason: "not_allowlisted",
          detail: `the settings do not let Argus restart ${task.name}`,
        };
  },
};

const afterBootGrace: Question<string> = {
  step: "boot grace",
  ask({ policy, now }) {
    const up = `the host has been up for ${duration(Math.floor(now.uptimeSeconds))}`;
    return now.uptimeSeconds >= policy.bootGraceSeconds
      ? {
          pass: true,
          detail: `${up}, past the ${duration(policy.bootGraceSeconds)} after boot in which nothing is restarted`,
        }
      : {
          pass: false,
          reason: "boot_grace",
          detail: `${up}; nothing is restarted in the first ${duration(policy.bootGraceSeconds)}`,
        };
  },
};

const afterBackoff: Question<string> = {
  step: "backoff",
  ask({ task, policy, history, now }) {
    const answer = backoffAnswer(history.backoffs[task.target], policy, now);
    if (answer.attempts === 0) return { pass: true, detail: "no attempt within an hour of health" };
    const passed = `attempt ${answer.attempts} of 3 was ${duration(Math.floor(answer.passedSeconds))} ago`;
    if (answer.state === "ready")
      return { pass: true, detail: `${passed}; the delay is ${duration(answer.delaySeconds)}` };
    const next = `the next is allowed in ${duration(Math.ceil(answer.delaySeconds - answer.passedSeconds))}`;
    return { pass: false, reason: answer.state, detail: `${passed}; ${next}` };
  },
};

export const restartService: MachineAction<string, UnitState, null> = {
  kind: "machine",
  type: "restart_service",
  budget: "restarts",
  targetSchema: Unit,
  gateSteps: [
    inAllowlist,
    offeredToModel,
    notPaused,
    notSilenced,
    firstInRequest,
    afterBootGrace,
    afterBackoff,
    withinBudget("restarts"),
  ],
  nameOf: unitDisplayName,
  claimOf: (unit) => unit,
  backoffUnitOf: (unit) => unit,
  forecast: ({ name }) => `would run systemctl restart ${name}`,

  async recheck({ target: unit, name }, { system, policy, signal }) {
    const requires = policy.restartable.find((each) => each.unit === unit)?.requires ?? [];
    const [state, ...others] = await showUnits(system, [unit, ...requires], signal);
    if (state === undefined) throw new Error(`systemd said nothing about ${unit}`);
    const looks: Look[] = [
      {
        step: "self",
        answer: notArgusItself(unit, name, readProcessIdentity(system.files, system.self.pid)?.unit),
      },
      { step: "unit state", answer: isDown(state, name) },
    ];
    const passes = () => looks.every((look) => look.answer.pass);
    const triggers = state.triggeredBy.length === 0 ? [] : await showEach(system, state.triggeredBy, signal);
    const nature = mayBeStarted(
      state,
      triggers.flatMap((each) => (isRefused(each) ? [] : [each])),
      name,
    );
    if (passes() && nature !== null) looks.push({ step: "nature", answer: nature });
    if (passes()) {
      // Whether it asked for its own stop makes no difference here: root reads no scripts for that.
      const cause = await whoStopped({ ...system, files: null }, state, signal);
      looks.push({ step: "operator", answer: notStoppedByOperator(state, name, cause) });
      if (cause.by === "dependency" && cause.unit !== null) {
        const [other] = await showEach(system, [cause.unit], signal);
        looks.push({ step: "dependency", answer: dependencyIsUp(cause, other, name) });
      }
      if (requires.length > 0) looks.push({ step: "requires", answer: requiredAreActive(others, name) });
    }
    return { looks, seen: state };
  },

  async perform({ target: unit, name }, seen, { system, state, signal }) {
    const options = { timeoutMs: startWaitMs, signal };
    // systemd refuses every start of a unit that began too often, until this is forgotten. The result does not tell:
    // it stays `exit-code` or `signal`, and is `start-limit-hit` only after a run that ended cleanly.
    if (seen.activeState === "failed") await resetFailed(system, unit, options);
    const result = await restartUnit(system, unit, options);
    const attempt = state.backoffs()[unit]?.attempts ?? 1;
    const what = `systemctl restart ${name} (attempt ${attempt} of 3)`;
    const values = { attempt };
    if (result.ok) return { ok: true, detail: what, done: null, values };
    if (signal.aborted) return { ok: false, detail: `${what} was begun`, done: null, values };
    // It is looked at in a moment, and again in the next cycles.
    if (result.timedOut) return { ok: true, detail: what, done: null, values };
    const why = `failed: ${oneLine(result.why, 300)}`;
    return { ok: false, detail: `${what} ${why}`, done: null, values };
  },

  async verify({ target: unit }, _, context) {
    const first = await look(unit, context);
    if (isStarting(first)) {
      const limit = first.startLimitMicroseconds;
      const time =
        limit === null ? "it may take as long as it likes" : `it may take ${timeLimit(limit / 1000)}`;
      const detail = `systemd is still starting it, for which ${time}`;
      return { ok: true, verified: null, detail, values: { starting: true } };
    }
    if (!isUp(first)) return { ok: false, verified: false, detail: `afterwards it is ${words(first)}` };
    const settle = context.policy.restartSettleSeconds;
    await context.system.clock.sleep(settle * 1000, context.signal);
    if (context.signal.aborted) return { ok: true, verified: null, detail: "" };
    const second = await look(unit, context);
    const values = { mainPid: second.mainPid };
    if (!isUp(second)) {
      return {
        ok: false,
        verified: false,
        detail: `it was active, and ${duration(settle)} later it is ${words(second)}`,
        values,
      };
    }
    if (second.mainPid !== first.mainPid) {
      const changed = `within ${duration(settle)} its main process changed from ${first.mainPid} to ${second.mainPid}`;
      return { ok: false, verified: false, detail: `${changed}: it died and was started again`, values };
    }
    return {
      ok: true,
      verified: true,
      detail: `active, and still so after ${duration(settle)} with the same main process`,
      values: { ...values, settledSeconds: settle },
    };
  },
};

async function look(unit: string, { system, signal }: Context): Promise<UnitState> {
  const [state] = await showUnits(system, [unit], signal);
  if (state === undefined) throw new Error(`systemd said nothing about ${unit}`);
  return state;
}

/** A unit that waits for systemd's next attempt has failed the one that was asked for. */
const isStarting = ({ activeState, subState, job }: UnitState): boolean =>
  (activeState === "activating" && !subState.startsWith("auto-restart")) ||
  (job && activeState !== "active" && activeState !== "failed");

function notArgusItself(unit: string, name: string | number | null, own: string | null | undefined): Answer {
  const never = (detail: string): Answer => ({ pass: false, reason: "protected_target", detail });
  if (unit !== own && isOwnUnit(unit)) return never(`${name} is a part of Argus`);
  return unit === own
    ? never(`${name} is the unit that Argus itself runs in`)
    : { pass: true, detail: `Argus itself does not run in ${name}` };
}

function requiredAreActive(others: readonly UnitState[], name: string | number | null): Answer {
  const missing = others.find((other) => !isUp(other));
  if (missing === undefined) return { pass: true, detail: `what ${name} requires is active` };
  const other = unitDisplayName(missing.id);
  // The settings are what forbids it here, as they do for a unit that they do not name.
  return {
    pass: false,
    reason: "not_allowlisted",
    detail: `the settings let Argus restart ${name} only while ${other} is active, and ${other} is ${words(missing)}`,
  };
}
