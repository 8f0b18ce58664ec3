/** What this installation can see and do, and what it cannot, each with the mend. For `argus doctor`. */
import { listPids, readProcessIdentity } from "../system/proc.ts";
import type { System } from "../system/system.ts";
import { isSystemdRunning } from "../system/systemd.ts";
import type { Config } from "../types/settings.ts";
import { type Ability, broken, limited, ok } from "./ability.ts";
import { findInstalledAbilities } from "./installed-abilities.ts";
import { findJournal } from "./journal-ability.ts";
import { lookAtNamedUnits } from "./natures.ts";
import { findOwnership } from "./ownership.ts";

/** Only looks, but for the self-test, which ends a process that it started for that. */
export async function findAbilities(system: System, config: Config): Promise<Ability[]> {
  const { executorSocket } = config;
  return [
    ...(executorSocket === null
      ? [user(system), processes(system), cleaning(system)]
      : [
          ...(await findInstalledAbilities(system, config, executorSocket)),
          ...findOwnership(system, config),
        ]),
    await killing(system),
    ...(await services(system, config)),
    await tmux(system, config),
    pressure(system),
    model(config),
    secrets(system, config),
  ];
}

function user({ self }: System): Ability {
  if (self.uid === 0) return ok("privileges", "runs as root: every action of the policy can be carried out");
  const detail = `runs as user ${self.uid}: it can kill only its own processes, and asks systemd as that user`;
  return limited("privileges", detail, "install it as a service (sudo ./install.sh), or run it with sudo");
}

/** Docker's root has no CAP_SYS_PTRACE, so root is no remedy for whoever is that already. */
const lookIntoOthers = ({ self }: System): string =>
  self.uid === 0
    ? "give Argus CAP_SYS_PTRACE, unless it has it (docker run --cap-add=SYS_PTRACE); else a security module denies it"
    : "run as root, or with CAP_SYS_PTRACE";

function processes(system: System): Ability {
  const { files } = system;
  const pids = listPids(files);
  if (pids.length === 0) return broken("processes", "/proc shows no process", "mount /proc");
  const identities = pids
    .flatMap((pid) => readProcessIdentity(files, pid) ?? [])
    .filter(({ kernelThread }) => !kernelThread);
  const unreadable = identities.filter(({ executable }) => executable === null).length;
  if (unreadable === 0) return ok("processes", `sees the executable of every process (${identities.length})`);
  const detail = `cannot see the executables of ${unreadable} of ${identities.length} processes, so it never kills those`;
  return limited("processes", detail, lookIntoOthers(system));
}

/** The path that must not fail when it is needed: a process is started, recognised by its identity, and ended. */
async function killing(system: System): Promise<Ability> {
  const controller = new AbortController();
  const known = new Set(listPids(system.files));
  const ended = system.run("sleep", ["60"], { timeoutMs: 30_000, signal: controller.signal });
  const started = await findSleeper(system, known);
  try {
    if (started === null)
      return broken(
        "self-test",
        "a test process was started and not found in /proc",
        "mount /proc, and install coreutils (sleep)",
      );
    system.signal(started.pid, "SIGTERM");
    await ended;
    const gone = readProcessIdentity(system.files, started.pid)?.startTime !== started.startTime;
    if (gone) return ok("self-test", "a test process was recognised by pid and start time, and terminated");
    return broken(
      "self-test",
      "a test process did not end on SIGTERM",
      "look for a security module that forbids kill(2)",
    );
  } finally {
    controller.abort();
    await ended;
  }
}

async function findSleeper({ files, clock, self }: System, known: ReadonlySet<number>) {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const fresh = listPids(files)
      .filter((pid) => !known.has(pid))
      .flatMap((pid) => readProcessIdentity(files, pid) ?? []);
    const own = fresh.find((identity) => identity.parentPid === self.pid && identity.state !== "Z");
    if (own !== undefined) return own;
    await clock.sleep(20);
  }
  return null;
}

async function services(system: System, { settings, executorSocket }: Config): Promise<Ability[]> {
  if (!isSystemdRunning(system.files)) {
    return [
      limited(
        "services",
        "systemd is not running here: services are neither watched nor restarted",
        "nothing to fix, unless this host should have systemd",
      ),
    ];
  }
  const shown = await system.run("systemctl", ["is-system-running"], { timeoutMs: 3000 });
  const answers = shown.stdout.trim() !== "" && !shown.timedOut;
  const bus = answers
    ? ok("services", `systemd answers (${shown.stdout.trim()})`)
    : broken("services", "systemctl does not answer", "look at: systemctl status dbus");
  const named = answers ? await units(system, settings.services) : [];
  return [bus, ...named, ...(executorSocket === null ? [await findJournal(system)] : [])];
}

async function units(system: System, services: Config["settings"]["services"]): Promise<Ability[]> {
  if (services.length === 0) {
    return [
      limited(
        "units",
        "argus.json names no service, so none is watched but those that fail",
        "name your services in argus.json",
      ),
    ];
  }
  try {
    const named = await lookAtNamedUnits(system, services);
    if (named === null) return [];
    const { absent, refused, natures } = named;
    const here = services.length - absent.length - refused.length;
    const watched = `${here} of ${services.length} services of argus.json are installed here`;
    const present =
      absent.length === 0
        ? ok("units", watched)
        : limited("units", `${watched}; not ${absent.join(", ")}`, "name your own services in argus.json");
    return [
      present,
      ...refused.map((why) =>
        broken("units", `${why}, so it is not watched`, "write its right name into argus.json"),
      ),
      ...natures.map((what) => ok("units", what)),
    ];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      broken("units", `systemd does not answer about the services: ${why}`, "look at: systemctl status dbus"),
    ];
  }
}

async function tmux({ run, files }: System, { settings }: Config): Promise<Ability> {
  const version = await run("tmux", ["-V"], { timeoutMs: 2000 });
  if (version.missing)
    return limited(
      "tmux",
      "tmux is not installed: sessions are not watched",
      "apt-get install tmux, if agents run in it",
    );
  const there = settings.tmuxSockets.filter((socket) => files.stat(socket) !== null);
  return ok(
    "tmux",
    `${version.stdout.trim()}; ${there.length} of ${settings.tmuxSockets.length} configured sockets exist`,
  );
}

function pressure({ files }: System): Ability {
  return files.tryRead("/proc/pressure/memory") === null
    ? limited(
        "pressure",
        "this kernel gives no pressure stall information",
        "boot with psi=1, on a kernel of 4.20 or newer",
      )
    : ok("pressure", "the kernel gives pressure stall information");
}

function cleaning(system: System): Ability {
  const { files, self } = system;
  if (self.uid === 0 && files.tryReadLink("/proc/1/exe") !== null)
    return ok("disk cleaning", "sees the open files of every process, so it can clean /tmp safely");
  return limited(
    "disk cleaning",
    "cannot see the open files of all processes, so it leaves what belongs to other users",
    lookIntoOthers(system),
  );
}

function model({ anthropicKey }: Config): Ability {
  if (anthropicKey !== null) return ok("model", "is asked about what no rule resolves");
  return limited(
    "model",
    "no key: what no rule resolves goes to people only",
    "set ANTHROPIC_API_KEY in argus.env, if a model should look at it",
  );
}

function secrets({ files }: System, { envFile, unreadEnvFile }: Config): Ability {
  if (unreadEnvFile !== undefined)
    return limited(
      "secrets",
      `this user cannot read ${unreadEnvFile}, so nothing in it is checked`,
      "sudo argus doctor",
    );
  const status = envFile === null ? null : files.stat(envFile);
  if (envFile === null || status === null)
    return ok("secrets", "no argus.env is read; settings come from the environment");
  if ((status.mode & 0o077) === 0) return ok("secrets", `${envFile} is readable by its owner alone`);
  return broken("secrets", `${envFile} can be read by others`, `chmod 600 ${envFile}`);
}
