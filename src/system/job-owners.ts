/**
 * Whether a process belongs to something besides its parent: a unit, a scope, a job of cron or at, a container, a CI
 * system. Whoever set that up can learn what became of it, so it is none of Argus's business. What cannot be read
 * counts as an owner.
 */
import { parseCgroup } from "./cgroup.ts";
import type { Family, Kin } from "./family.ts";
import { firstPidNamespace, listPids, readStat, ticksPerSecond } from "./proc.ts";
import type { Files } from "./system.ts";

/** Clause that follows "it": whose it may be; null when it has no owner of its own. */
export function jobOwner(files: Files, one: Kin, all: Family): string | null {
  return containerOwner(files, one) ?? unitOwner(files, one, all) ?? environmentOwner(files, one);
}

const initialSeconds = 10;

function containerOwner(files: Files, one: Kin): string | null {
  const own = files.tryReadLink("/proc/self/ns/pid");
  const its = files.tryReadLink(`/proc/${one.pid}/ns/pid`);
  if (own === null || its === null) return "cannot be looked into";
  const here = parseCgroup(files.tryRead("/proc/self/cgroup") ?? "").container;
  if (its !== own || one.container !== here) return "runs in a container";
  // Inside a container that has a small init, what that starts is what the container is for; some inits give it a
  // session of its own (dumb-init). Nothing else tells the two apart from inside.
  const init = readStat(files, 1);
  if (own === firstPidNamespace || init === null || init.name === "systemd") return null;
  const isEarly = (one.startTime - init.startTime) / ticksPerSecond < initialSeconds;
  return isEarly ? "may be what the container is for" : null;
}

/** Daemons whose children are jobs, by the name of their executable and of their unit. */
const schedulers = new Set([
  ...["cron", "crond", "atd", "anacron", "fcron", "supercronic", "jobber", "systemd-cron"],
  ...["gitlab-runner", "act_runner", "forgejo-runner", "buildkite-agent", "drone-runner", "woodpecker-agent"],
  ...["Runner.Listener", "Runner.Worker", "circleci-agent", "circleci-runner", "concourse", "java"],
]);
const schedulerUnits =
  /^(?:cron|crond|cronie|atd|anacron|fcron|gitlab-runner|actions\.runner\.|buildkite-agent|jenkins|act_runner|forgejo-runner|woodpecker|drone)/;

/** A process whose jobs run without it, such as cron. */
export const isScheduler = (name: string, executable: string | null): boolean =>
  schedulers.has(executable ?? "") || ["cron", "crond", "atd", "anacron", "CRON", "CROND"].includes(name);

/** Terminal emulators and tmux give each window a scope: it belongs to the terminal, not to what runs there. */
const windowScope = /^(?:tmux-spawn-|vte-spawn-)/;
const multiplexers = new Set(["tmux", "screen", "zellij", "dtach", "abduco"]);

function unitOwner(files: Files, one: Kin, all: Family): string | null {
  const { unit, unitPath } = one;
  if (unit === null || unitPath === null || all.withoutUnits) return null;
  const login = /^session-(\w+)\.scope$/.exec(unit)?.[1];
  if (login !== undefined) return loginOwner(files, login);
  if (unit.endsWith(".scope")) {
    if (windowScope.test(unit)) return null;
    return hasMultiplexer(files, one, unitPath) ? null : `has a scope of its own (${unit})`;
  }
  if (/^user@\d+\.service$/.test(unit)) return `is a part of ${unit}`;
  if (schedulerUnits.test(unit)) return `is a job of ${unit}`;
  const main = mainOf(one, all);
  if (main === null) return `may be what ${unit} stands on`;
  if (isScheduler(main.name, main.executable)) return `is a job of ${unit}`;
  return null;
}

/** pam_systemd gives jobs of cron and at a session too. logind keeps its file for as long as anything runs in it. */
function loginOwner(files: Files, session: string): string | null {
  const text = files.tryRead(`/run/systemd/sessions/${session}`) ?? "";
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(text)?.[1] ?? "";
  if (/^(?:cron|crond|atd|anacron|systemd-cron)/.test(value("SERVICE")) || value("CLASS") === "background") {
    return "is a job of cron or at";
  }
  return null;
}

/** The process that a service is for, when that is another one and lives; null when there may be none. */
function mainOf(one: Kin, all: Family): Kin | null {
  const known = all.unit(one);
  // A oneshot unit that is done, or at work, is never active and running: what it left behind is its job.
  if (known === null || !known.running || known.mainPid === 0 || known.mainPid === one.pid) return null;
  const main = all.get(known.mainPid);
  return main === undefined || main.state === "Z" || main.unitPath !== one.unitPath ? null : main;
}

/** A terminal multiplexer in the same scope that was there before. */
function hasMultiplexer(files: Files, one: Kin, unitPath: string): boolean {
  return listPids(files).some((pid) => {
    const stat = readStat(files, pid);
    if (stat === null || stat.state === "Z" || stat.startTime >= one.startTime) return false;
    if (!multiplexers.has(stat.name.toLowerCase().replace(/: .*$/, ""))) return false;
    return parseCgroup(files.tryRead(`/proc/${pid}/cgroup`) ?? "").unitPath === unitPath;
  });
}

/** What only a CI system sets. */
const ciVariables = [
  ...["GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "HUDSON_URL", "BUILDKITE", "CIRCLECI", "TRAVIS", "DRONE"],
  ...[
    "APPVEYOR",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "CI_JOB_ID",
  ],
  ...["CI_PIPELINE_ID", "SEMAPHORE", "WOODPECKER", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "bamboo_buildKey"],
  ...["GO_PIPELINE_NAME", "CIRRUS_CI", "CF_BUILD_ID", "CONCOURSE", "PROW_JOB_ID", "TASKCLUSTER_ROOT_URL"],
  ...["HEROKU_TEST_RUN_ID", "ZUUL_UUID", "SCREWDRIVER", "EAS_BUILD", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"],
  ...["JENKINS_NODE_COOKIE", "BUILD_NUMBER", "BUILD_ID", "CONTINUOUS_INTEGRATION"],
];
/** What a scheduler of batch jobs sets: Slurm, PBS, LSF, HTCondor, Nomad, AWS Batch. */
const batchVariables = [
  ...["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "_CONDOR_JOB_AD", "NOMAD_ALLOC_ID", "AWS_BATCH_JOB_ID"],
];
const agentVariables = ["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CODEX_SANDBOX", "CODEX_THREAD_ID"];
const off = new Set(["", "0", "false", "no"]);

function environmentOwner(files: Files, one: Kin): string | null {
  const text = files.tryRead(`/proc/${one.pid}/environ`);
  if (text === null) return "has an environment that cannot be read";
  const values = new Map<string, string>();
  for (const entry of text.split("\0")) {
    const equals = entry.indexOf("=");
    if (equals > 0) values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  const isOn = (name: string) => !off.has((values.get(name) ?? "").toLowerCase());
  if (ciVariables.some(isOn)) return "belongs to a CI system";
  if (batchVariables.some(isOn)) return "is a batch job";
  // Agents, images and people set the plain CI too, to keep programs from asking questions; a CI system says more of itself.
  if (isOn("CI") && [...values.keys()].some((name) => name.startsWith("CI_")))
    return "belongs to a CI system";
  return looksLikeCron(values) ? "is a job of cron" : null;
}

/**
 * Without systemd nothing but the environment is left of cron, and cron gives a job no more than this (crontab(5)).
 * Everything a person or an agent starts has a terminal's name or a session's variables, and many others besides.
 */
function looksLikeCron(values: ReadonlyMap<string, string>): boolean {
  if (!["HOME", "LOGNAME", "SHELL", "PATH"].every((name) => values.has(name))) return false;
  if (["TERM", "INVOCATION_ID", "SSH_CONNECTION", ...agentVariables].some((name) => values.has(name)))
    return false;
  return [...values.keys()].filter((name) => !name.startsWith("npm_")).length <= 12;
}
