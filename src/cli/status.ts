import type { Command } from "commander";
import { sightlessSentence } from "../detect/sightless.ts";
import { createEscalation } from "../escalate/escalation.ts";
import { isOpenAt } from "../execute/maintenance.ts";
import { viewOutbox } from "../notify/view.ts";
import { isInterrupted, readCycleState } from "../record/cycle-state.ts";
import { readSnapshot } from "../record/history.ts";
import { readHolder } from "../record/lock.ts";
import { isOpen } from "../record/problems.ts";
import { readProblems, registryNotes, registryPath } from "../record/registry-reader.ts";
import { readTrail } from "../record/trail.ts";
import { unwrittenSentence } from "../record/unwritten.ts";
import { acknowledged } from "../report/acks.ts";
import { type StatusData, statusReport } from "../report/status.ts";
import { hostName } from "../system/host-name.ts";
import { refusalsIn } from "../system/json-folder.ts";
import { readOnly } from "../system/read-only.ts";
import type { System } from "../system/system.ts";
import { normaliseUnit, unitDisplayName } from "../system/systemd.ts";
import { viewTickets } from "../system/ticket-book.ts";
import type { Service } from "../types/facts.ts";
import { isoTime } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import { type Context, lookAtState, printJson } from "./context.ts";
import { knownView } from "./executor-view.ts";
import { openBook } from "./parts.ts";
import { brokenSettings, keptSnapshot } from "./seen.ts";

export function statusCommand(program: Command, context: Context): void {
  program
    .command("status")
    .description("health at a glance: open problems, restarts, budgets, the last cycle")
    .option("--json", "print data instead of text")
    .action((options: { json?: true }) => {
      const config = lookAtState(context, false);
      const data = statusData(context.system, config);
      if (options.json) printJson(context, data);
      else context.print(statusReport(data, context.style));
    });
}

/** A folder that somebody handed over with all that is in it would fill the screen. */
const mostRefusals = 5;

export function statusData(
  machine: System,
  config: Config,
  { view, asOf } = knownView(machine, config),
): StatusData {
  const system = readOnly(machine);
  const { files, clock } = system;
  const { stateDir, logDir } = config;
  const now = clock.now();
  const trail = readTrail(files, stateDir);
  const lastCycle = trail.newest();
  const cycles = readCycleState(files, logDir);
  const registry = readProblems(files, stateDir);
  const holder = readHolder(files, stateDir, now.bootId);
  const read = readSnapshot(files, stateDir);
  const kept = keptSnapshot(lastCycle, read);
  const services = kept.snapshot?.facts.service;
  const book = openBook(system, config);
  const stale = unwrittenSentence(files, config, now.bootId);
  const notes = [
    ...config.notes,
    kept.note ?? [],
    ...(asOf === null ? [] : [asOf]),
    ...[...new Set([stateDir, logDir])].flatMap((folder) => refusalsIn(files, folder)).slice(0, mostRefusals),
    stale ?? [],
    view.settingsFault === null ? [] : `the executor: ${view.settingsFault}`,
    trail.passedOver() ?? [],
    registryNotes(registryPath(stateDir), registry),
  ].flat();
  return {
    host: lastCycle?.cycle.host ?? hostName(files),
    now: isoTime(now),
    stateDir,
    broken: {
      settings: config.broken ?? brokenSettings(files, config, kept.snapshot),
      rules: book.broken(),
    },
    sightless: sightlessSentence(book.rules(), config.settings.services.length),
    intervalSeconds: config.intervalSeconds,
    running: holder === null ? null : { pid: holder.pid, what: holder.what, since: holder.since },
    stale,
    unkept: kept.why,
    lastCycle,
    cycles:
      cycles === null
        ? null
        : {
            failuresInARow: cycles.failuresInARow,
            lastError: cycles.lastError,
            interrupted: isInterrupted(files, cycles, now.bootId),
          },
    problems: [...registry.problems.values()]
      .filter(isOpen)
      .map((problem) => ({ ...problem, acknowledged: acknowledged(view.acks, problem) })),
    ...view,
    maintenance: config.settings.maintenance.filter((each) => isOpenAt(each, now)).map(({ name }) => name),
    model: createEscalation(system, config, () => {}).view(),
    outbox: viewOutbox(
      files,
      stateDir,
      config.channels.map(({ name }) => name),
      now.wallMs,
    ),
    tickets: viewTickets(files, stateDir, config.settings.tickets.enabled),
    services: watchedServices(services, config, lastCycle, kept.why),
    absentUnits: (services ?? [])
      .filter(({ watched, status }) => watched && status === "not-installed")
      .map(({ name }) => name),
    notes,
  };
}

function watchedServices(
  services: readonly Service[] | undefined,
  { settings }: Config,
  lastCycle: StatusData["lastCycle"],
  unkept: string | null,
): NonNullable<StatusData["services"]> {
  if (services === undefined)
    return settings.services.map(({ unit }) => ({
      name: unitDisplayName(normaliseUnit(unit)),
      status: unkept === null ? null : "unknown",
      why: unkept ?? (lastCycle === null ? "no cycle has run yet" : "the last cycle did not see it"),
      sinceSeconds: null,
    }));
  const restarted = restartedIn(lastCycle);
  const watched = services.filter((one) => one.watched);
  return watched.map(({ name, status, downWhy: why, sinceSeconds }) =>
    restarted.has(name)
      ? { name, status: "up", why: "", sinceSeconds: null }
      : { name, status, why, sinceSeconds },
  );
}

/** What a cycle saw to be down and started again: its snapshot is of before. */
const restartedIn = (cycle: StatusData["lastCycle"]): ReadonlySet<string> =>
  new Set(
    (cycle?.actions ?? []).flatMap(({ type, target, result, verified }) =>
      type === "restart_service" && result === "success" && verified === true ? [String(target)] : [],
    ),
  );
