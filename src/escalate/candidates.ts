/** The targets that the model may name: what belongs to the problems it is asked about, and nothing else. Pure. */

import { redact, redactIdentity } from "../system/redact/redact.ts";
import { unitDisplayName } from "../system/systemd.ts";
import type { ActionType, Expectation } from "../types/action.ts";
import { nothingCleanable } from "../types/clean.ts";
import { entityIdentity, type Process, type Service } from "../types/facts.ts";
import type { Finding } from "../types/finding.ts";
import { bytes, duration } from "../types/quantities.ts";
import type { Config } from "../types/settings.ts";
import type { Facts } from "../types/snapshot.ts";
import type { Handled } from "./alerts.ts";
import type { Unresolved } from "./unresolved.ts";

export interface Candidate {
  readonly type: ActionType;
  /** null: the action takes none. */
  readonly target: string | number | null;
  /** Keys of the problems for which it may be proposed. */
  readonly problems: readonly string[];
  readonly expect?: Expectation;
  /** For the model: what the target is. */
  readonly about: string;
}

export interface Offer {
  readonly candidates: readonly Candidate[];
  /** What belongs to a problem and is not offered, one sentence each. */
  readonly withheld: readonly string[];
}

/** Most targets of one action: a list nobody can weigh is no choice. */
const maxTargets = 16;

type Found = Omit<Candidate, "type" | "problems">;

/** @param handled all findings of the cycle: what was tried in it is not offered again. */
export function offerFor(
  unresolved: readonly Unresolved[],
  handled: readonly Handled[],
  facts: Facts,
  { settings }: Pick<Config, "settings">,
): Offer {
  const tried = new Set(
    handled.flatMap(({ actions }) => actions.map(({ type, target }) => `${type} ${target}`)),
  );
  const withheld = new Set<string>();
  const byName = new Map<string, Candidate>();

  const offer = (type: ActionType, problem: string, found: Found): void => {
    const name = `${type} ${found.target}`;
    // To be named it would have to be told, and an answer that names it redacted hits nothing.
    if (typeof found.target === "string" && redact(found.target) !== found.target) {
      withheld.add(`${type} of ${redact(found.target)}: its name holds a secret, so it cannot be named here`);
      return;
    }
    if (tried.has(name)) {
      withheld.add(`${found.target === null ? type : name}: a rule asked for it in this cycle already`);
      return;
    }
    const known = byName.get(name);
    const problems = known === undefined ? [problem] : [...new Set([...known.problems, problem])];
    byName.set(name, { type, ...found, problems });
  };

  const may = new Set<ActionType>(settings.model.mayPropose);
  for (const group of unresolved) {
    if (may.has("restart_service")) {
      for (const unit of unitsOf(group, facts, settings)) {
        const found = restartable(unit, facts, settings);
        if (typeof found === "string") withheld.add(found);
        else if (found !== null) offer("restart_service", group.key, found);
      }
    }
    if (may.has("kill_pid")) {
      for (const process of processesOf(group, facts)) offer("kill_pid", group.key, aboutProcess(process));
    }
    if (may.has("kill_tmux")) {
      for (const found of sessionsOf(group, facts)) offer("kill_tmux", group.key, found);
    }
    if (may.has("clean_disk")) {
      for (const found of disksOf(group, facts)) {
        if (typeof found === "string") withheld.add(found);
        else offer("clean_disk", group.key, found);
      }
    }
    // Words are never withheld: a rule that told something does not stop the model from telling what it makes of it.
    for (const [type, about] of words) {
      if (!may.has(type)) continue;
      const known = byName.get(type);
      byName.set(type, { type, target: null, problems: [...(known?.problems ?? []), group.key], about });
    }
  }
  const counts = new Map<ActionType, number>();
  const candidates = [...byName.values()].filter(({ type }) => {
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    return count <= maxTargets;
  });
  for (const [type, count] of counts) {
    if (count > maxTargets) withheld.add(`${count - maxTargets} more targets of ${type}`);
  }
  return { candidates, withheld: [...withheld] };
}

const words = [
  ["alert", "notifies people"],
  ["log", "notes an observation, and notifies nobody"],
  ["file_bead", "files a ticket, unless one is open for the problem"],
] as const;

/** The units that a problem is about, and one step along what the settings say they require, in both directions. */
function unitsOf({ findings }: Unresolved, facts: Facts, settings: Config["settings"]): string[] {
  const own = new Set<string>();
  for (const { finding } of findings) {
    const { entity } = finding;
    if (entity?.kind === "service") own.add(entity.identity);
    const endpoint = (facts.endpoint ?? []).find(
      ({ name }) => entity?.kind === "endpoint" && name === entity.identity,
    );
    if (endpoint?.service) own.add(unitDisplayName(endpoint.service));
  }
  for (const process of [...processesOf({ findings }, facts, true)]) {
    if (process.unit !== null) own.add(unitDisplayName(process.unit));
  }
  const related = settings.services.flatMap((service) => {
    const unit = unitDisplayName(service.unit);
    const requires = service.requires.map(unitDisplayName);
    return own.has(unit) ? requires : requires.some((each) => own.has(each)) ? [unit] : [];
  });
  return [...new Set([...own, ...related])];
}

/** null: the settings do not let Argus restart it. Text: why it is not offered all the same. */
function restartable(unit: string, facts: Facts, settings: Config["settings"]): Found | string | null {
  const allowed = settings.services.some(
    (service) => service.restart && unitDisplayName(service.unit) === unit,
  );
  const service = (facts.service ?? []).find(({ name }) => unitDisplayName(name) === unit);
  if (!allowed || service === undefined || !service.installed) return null;
  if (service.stoppedByOperator === true) return `restart_service ${unit}: somebody stopped it on purpose`;
  return { target: unit, about: aboutService(service) };
}

const aboutService = ({ activeState, subState, result, restarts, sinceSeconds }: Service): string =>
  `${activeState} (${subState}), result ${result}, ${restarts} automatic restarts` +
  (sinceSeconds === null ? "" : `, for ${duration(sinceSeconds)}`);

/**
 * The processes a problem is about: its own, and the largest where memory, swap or load is short.
 * @param all those too that the policy does not let Argus end.
 */
function processesOf({ findings }: Pick<Unresolved, "findings">, facts: Facts, all = false): Process[] {
  const processes = (facts.process ?? []).filter((process) => all || process.killable);
  const largest = (by: (process: Process) => number) =>
    [...processes]
      .sort((a, b) => by(b) - by(a))
      .slice(0, 8)
      .filter((process) => by(process) > 0);
  return findings.flatMap(({ finding }) => {
    const { entity, type } = finding;
    if (entity?.kind === "process") {
      return processes.filter(
        (process) => redactIdentity(entityIdentity("process", process)) === entity.identity,
      );
    }
    if (type === "swap") return largest(({ swapBytes }) => swapBytes);
    if (type === "process") return largest(({ cpuPercent }) => cpuPercent);
    if (type === "memory" || isOutOfMemory(entity, facts)) return largest(({ rssBytes }) => rssBytes);
    return [];
  });
}

/** By systemd's own word: a summary holds names and errors that others choose. */
const isOutOfMemory = (entity: Finding["entity"], facts: Facts): boolean =>
  entity?.kind === "service" &&
  (facts.service ?? []).some(({ name, result }) => name === entity.identity && result === "oom-kill");

const aboutProcess = ({
  pid,
  startTime,
  name,
  executable,
  user,
  rssBytes,
  ageSeconds,
  orphan,
}: Process): Found => ({
  target: pid,
  expect: { startTime },
  about:
    `${executable ?? name} of ${user}, ${bytes(rssBytes)} resident, running ${duration(ageSeconds)}` +
    (orphan ? ", without its parent" : ""),
});

/** Sessions that a finding is about, on sockets that the settings name, and that nobody looks at. */
function sessionsOf({ findings }: Unresolved, facts: Facts): Found[] {
  const sessions = facts.session ?? [];
  const named = new Set(
    findings.flatMap(({ finding: { entity } }) => (entity?.kind === "session" ? [entity.identity] : [])),
  );
  const own = sessions.filter(
    (session) =>
      named.has(redactIdentity(entityIdentity("session", session))) &&
      session.watched &&
      !session.attached &&
      plainName.test(session.name),
  );
  return own.flatMap(({ name, socket, windows, idleSeconds }) => {
    // The same name on two sockets: the target alone would not say which one is meant.
    if (sessions.filter((other) => other.name === name && other.watched).length > 1) return [];
    return [
      {
        target: name,
        expect: { socket },
        about: `${windows} windows, idle for ${duration(idleSeconds)}`,
      },
    ];
  });
}

/** The file systems that a problem is about. Text: why one is not offered. */
function disksOf({ findings }: Unresolved, facts: Facts): (Found | string)[] {
  const disks = facts.disk ?? [];
  const mounts = new Set(
    findings.flatMap(({ finding: { entity, type, subject } }) => {
      if (entity?.kind === "disk") return [entity.identity];
      return type === "disk" && disks.some(({ mount }) => mount === subject) ? [subject] : [];
    }),
  );
  return [...mounts].map((mount) => {
    const roots = disks.find((disk) => disk.mount === mount)?.cleanableRoots;
    if (roots?.length === 0) return `clean_disk ${mount}: ${nothingCleanable(mount)}`;
    const where = roots === undefined ? "a fixed list of safe folders" : roots.join(", ");
    return { target: mount, about: `removes what is old and unused below ${where}` };
  });
}

const plainName = /^[A-Za-z0-9._][A-Za-z0-9._-]{0,127}$/;
