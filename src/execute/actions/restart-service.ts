/** Restarts a unit that the settings allow: three attempts with growing delays, then an hour of cooldown. */
import * as z from "zod";
import { isOwnUnit } from "../../system/killable.ts";
import { oneLine } from "../../system/printable.ts";
import { readProcessIdentity } from "../../system/proc.ts";
import { normaliseUnit, showUnits, unitDisplayName } from "../../system/systemd.ts";
import { resetFailed, restartUnit } from "../../system/unit-jobs.ts";
import { stopWasRequested } from "../../system/unit-journal.ts";
import type { UnitState } from "../../system/unit-state.ts";
import type { Answer, Context, Look, MachineAction, Question } from "../action.ts";
import { backoffAnswer } from "../backoff.ts";
import { firstInRequest, notPaused, offeredToModel, seconds, withinBudget } from "../questions.ts";
import { notSilenced } from "../silences.ts";

/** A stop may take a unit 90 s by systemd's own default (DefaultTimeoutStopSec), and its start comes after that. */
const restartTimeoutMs = 120_000;

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
    const up = `the host has been up for ${Math.floor(now.uptimeSeconds)} s`;
    return now.uptimeSeconds >= policy.bootGraceSeconds
      ? {
          pass: true,
          detail: `${up}, past the ${policy.bootGraceSeconds} s after boot in which nothing is restarted`,
        }
      : {
          pass: false,
          reason: "boot_grace",
          detail: `${up}; nothing is restarted in the first ${policy.bootGraceSeconds} s`,
        };
  },
};

const afterBackoff: Question<string> = {
  step: "backoff",
  ask({ task, policy, history, now }) {
    const answer = backoffAnswer(history.backoffs[task.target], policy, now);
    if (answer.attempts === 0) return { pass: true, detail: "no attempt within an hour of health" };
    const passed = `attempt ${answer.attempts} of 3 was ${Math.floor(answer.passedSeconds)} s ago`;
    if (answer.state === "ready")
      return { pass: true, detail: `${passed}; the delay is ${answer.delaySeconds} s` };
    const next = `the next is allowed in ${seconds(answer.delaySeconds - answer.passedSeconds)}`;
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
    if (looks.every((look) => look.answer.pass)) {
      looks.push({
        step: "operator",
        answer: notStoppedByOperator(state, name, await stopWasRequested(system.run, state)),
      });
      if (requires.length > 0) looks.push({ step: "requires", answer: requiredAreActive(others, name) });
    }
    return { looks, seen: state };
  },

  async perform({ target: unit, name }, seen, { system, state, signal }) {
    const options = { timeoutMs: restartTimeoutMs, signal };
    // systemd refuses every start of a unit that began too often, until this is forgotten. The result does not tell:
    // it stays `exit-code` or `signal`, and is `start-limit-hit` only after a run that ended cleanly.
    if (seen.activeState === "failed") await resetFailed(system, unit, options);
    const result = await restartUnit(system, unit, options);
    const attempt = state.backoffs()[unit]?.attempts ?? 1;
    const what = `systemctl restart ${name} (attempt ${attempt} of 3)`;
    const values = { attempt };
    if (result.ok) return { ok: true, detail: what, done: null, values };
    if (signal.aborted) return { ok: false, detail: `${what} was begun`, done: null, values };
    const why = result.timedOut
      ? `did not end within ${restartTimeoutMs / 1000} s; systemd may still be at it`
      : `failed: ${oneLine(result.why, 300)}`;
    return { ok: false, detail: `${what} ${why}`, done: null, values };
  },

  async verify({ target: unit }, _, context) {
    const first = await look(unit, context);
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
        detail: `it was active, and ${settle} s later it is ${words(second)}`,
        values,
      };
    }
    if (second.mainPid !== first.mainPid) {
      const changed = `within ${settle} s its main process changed from ${first.mainPid} to ${second.mainPid}`;
      return { ok: false, verified: false, detail: `${changed}: it died and was started again`, values };
    }
    return {
      ok: true,
      verified: true,
      detail: `active, and still so after ${settle} s with the same main process`,
      values,
    };
  },
};

async function look(unit: string, { system, signal }: Context): Promise<UnitState> {
  const [state] = await showUnits(system, [unit], signal);
  if (state === undefined) throw new Error(`systemd said nothing about ${unit}`);
  return state;
}

const isUp = (unit: UnitState): boolean => unit.activeState === "active" || unit.activeState === "reloading";

function words(unit: UnitState): string {
  const result = unit.result === "" || unit.result === "success" ? "" : `: ${unit.result}`;
  return `${unit.activeState} (${unit.subState}${result})`;
}

function notArgusItself(unit: string, name: string | number | null, own: string | null | undefined): Answer {
  const never = (detail: string): Answer => ({ pass: false, reason: "protected_target", detail });
  if (unit !== own && isOwnUnit(unit)) return never(`${name} is a part of Argus`);
  return unit === own
    ? never(`${name} is the unit that Argus itself runs in`)
    : { pass: true, detail: `Argus itself does not run in ${name}` };
}

function isDown(unit: UnitState, name: string | number | null): Answer {
  const no = (reason: "target_gone" | "operator_stopped" | "recovered", detail: string): Answer => ({
    pass: false,
    reason,
    detail,
  });
  if (unit.loadState === "not-found") return no("target_gone", `${name} is not installed`);
  if (unit.loadState === "masked" || unit.unitFileState.startsWith("masked")) {
    return no("operator_stopped", `${name} is masked`);
  }
  if (unit.loadState !== "loaded") return no("target_gone", `systemd cannot load ${name}: ${unit.loadState}`);
  if (unit.activeState === "active") return no("recovered", `${name} is ${words(unit)}`);
  if (unit.job || !["inactive", "failed"].includes(unit.activeState)) {
    return no("recovered", `${name} is ${words(unit)}: systemd is at it already`);
  }
  if (unit.unitFileState === "disabled") return no("operator_stopped", `${name} is disabled`);
  return { pass: true, detail: `${name} is ${words(unit)}` };
}

/** @param requested null: the journal cannot tell. */
function notStoppedByOperator(
  unit: UnitState,
  name: string | number | null,
  requested: boolean | null,
): Answer {
  const no = (detail: string): Answer => ({ pass: false, reason: "operator_stopped", detail });
  if (requested === true) return no(`somebody asked for ${name} to stop`);
  if (requested === false) return { pass: true, detail: `nobody asked for ${name} to stop` };
  // A clean end and a stop by hand look the same without the journal; a crash does not.
  if (unit.activeState === "inactive" && unit.result === "success") {
    return no(`the journal cannot tell whether somebody stopped ${name}, and it ended cleanly`);
  }
  return {
    pass: true,
    detail: `the journal cannot tell whether somebody stopped ${name}, but it did not end cleanly`,
  };
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
