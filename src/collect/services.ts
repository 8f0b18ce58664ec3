/** The units that argus.json names, and every unit that failed. */
import { isMasked } from "../system/unit-health.ts";
import type { Service } from "../types/facts.ts";
import type { Collect } from "./collector.ts";
import { hintsOf, whyClause } from "./service-text.ts";
import type { LookedAt, UnitsLook } from "./unit-look.ts";
import { count, list } from "./words.ts";

export function createServiceCollector(): Collect {
  return async ({ units }) => {
    const look = await units();
    if (look === null) return { absent: true, facts: {}, detail: "systemd is not running here" };
    const watched = look.units.filter(({ settings }) => settings.length > 0);
    const service = [
      ...watched.map(serviceOf),
      ...look.refused.map(unreadable),
      ...look.units.filter(({ settings }) => settings.length === 0).map(serviceOf),
    ];
    const { journal } = look;
    return {
      facts: { service },
      detail: sentence(service),
      ...(journal === null
        ? {}
        : { also: [{ name: "journal", status: "failed" as const, detail: journal }] }),
    };
  };
}

function serviceOf(looked: LookedAt): Service {
  const { name, settings, unit, triggers, cause, health } = looked;
  const masked = isMasked(unit) && health.status === "masked";
  const isAsked = cause !== null && cause.by !== "nobody";
  return {
    name,
    installed: unit.loadState !== "not-found",
    watched: settings.length > 0,
    restartable: settings.some(({ restart }) => restart),
    loadState: unit.loadState,
    activeState: unit.activeState,
    subState: unit.subState,
    result: unit.result,
    mainPid: unit.mainPid,
    restarts: unit.restarts,
    restartsLastHour: null,
    restarts24h: null,
    sinceSeconds: looked.sinceSeconds,
    stoppedByOperator:
      masked || (unit.loadState === "masked" && cause === null)
        ? true
        : cause?.by === null
          ? null
          : cause?.by === "person",
    unitFileState: unit.unitFileState,
    nature: health.nature,
    status: health.status,
    down: health.down,
    downBecause: health.because,
    downWhy: whyClause(looked),
    stopKnown: cause?.by !== null,
    stoppedBy: masked ? "person" : isAsked ? (cause.by as Service["stoppedBy"]) : null,
    stoppedWith: cause?.unit ?? null,
    stuck: health.status === "stuck",
    wasInstalled: unit.loadState !== "not-found" || unit.activeState !== "inactive",
    tasks: unit.tasks,
    tasksMax: unit.tasksMax,
    tasksUsedPercent: tasksUsedPercent(unit),
    memoryMaxBytes: unit.memoryMaxBytes,
    triggers: triggers.map(({ id }) => id),
    hints: hintsOf(looked),
  };
}

/** What does not run, or has no limit, has room. */
function tasksUsedPercent({ controlGroup, tasks, tasksMax }: LookedAt["unit"]): number | null {
  if (controlGroup === "" || tasksMax === null || tasksMax === 0) return 0;
  return tasks === null ? null : (tasks / tasksMax) * 100;
}

/** An entry that systemd does not show still stands in every list, so that nobody takes it for watched. */
function unreadable({ name, setting, why }: UnitsLook["refused"][number]): Service {
  return {
    name,
    installed: false,
    watched: true,
    restartable: setting.restart,
    loadState: "error",
    activeState: "unknown",
    subState: "unknown",
    result: "",
    mainPid: 0,
    restarts: 0,
    restartsLastHour: null,
    restarts24h: null,
    sinceSeconds: null,
    stoppedByOperator: null,
    unitFileState: "",
    nature: "continuous",
    status: "unreadable",
    down: false,
    downBecause: null,
    downWhy: why,
    stopKnown: false,
    stoppedBy: null,
    stoppedWith: null,
    stuck: false,
    tasks: null,
    tasksMax: null,
    tasksUsedPercent: null,
    memoryMaxBytes: null,
    wasInstalled: false,
    triggers: [],
    hints: [],
  };
}

function sentence(services: readonly Service[]): string {
  const watched = services.filter((each) => each.watched);
  const readable = watched.filter(({ status }) => status !== "unreadable");
  const installed = readable.filter((each) => each.installed || each.activeState !== "inactive");
  const active = installed.filter((each) => each.activeState === "active");
  const rest = installed
    .filter((each) => each.activeState !== "active")
    .map((each) => `${each.name} is ${each.activeState}`);
  const absent = readable.filter((each) => !installed.includes(each)).map((each) => each.name);
  const unread = watched.filter(({ status }) => status === "unreadable").map(({ name }) => name);
  const failed = services.filter((each) => !each.watched).map((each) => each.name);
  return [
    watched.length === 0
      ? "no service is watched"
      : `${active.length} of ${count(installed.length, "watched service")} active`,
    ...(rest.length === 0 ? [] : [list(rest)]),
    ...(absent.length === 0 ? [] : [`not installed here: ${list(absent)}`]),
    ...(unread.length === 0 ? [] : [`systemd does not show ${list(unread)}`]),
    failed.length === 0
      ? "no other unit has failed"
      : `${count(failed.length, "other unit")} failed: ${list(failed)}`,
  ].join("; ");
}
