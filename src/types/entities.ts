/** Facts about one thing of many: a disk, a service, a process, a tmux session, an endpoint. */
import * as z from "zod";
import { RememberedAgent } from "./agent.ts";

const num = (what: string) => z.number().describe(what);
const text = (what: string) => z.string().describe(what);
const flag = (what: string) => z.boolean().describe(what);

export const DiskEntity = z.strictObject({
  mount: text("mount point"),
  device: text("device or source"),
  type: text("file system type"),
  totalBytes: num("size"),
  usedBytes: num("in use"),
  availableBytes: num("available to an unprivileged user"),
  usedPercent: num("used / (used + available), as df says it, not rounded up"),
  inodesUsedPercent: z
    .number()
    .nullable()
    .describe("inodes in use; null where the file system has no fixed number"),
  cleanableRoots: z
    .array(z.string())
    .optional()
    .describe("folders on it that `clean_disk` may look through; missing between two cycles"),
  fullInHours: z
    .number()
    .nullable()
    .describe(
      "when it will be full at the rate of the last hours; at most 8760; null before an hour of history",
    ),
});

export const ServiceEntity = z.strictObject({
  name: text("unit name without .service"),
  installed: flag("whether systemd has a unit of that name"),
  watched: flag("whether argus.json names it"),
  restartable: flag("whether argus.json lets Argus restart it"),
  loadState: text("systemd LoadState"),
  activeState: text("systemd ActiveState: active, reloading, inactive, failed, activating, deactivating"),
  subState: text("systemd SubState"),
  result: text("systemd Result: success, exit-code, signal, oom-kill, ..."),
  mainPid: num("main process; 0 without one"),
  restarts: num("systemd's own automatic restarts (NRestarts)"),
  restartsLastHour: z
    .number()
    .nullable()
    .describe("how much NRestarts rose in the last hour; null at the first look"),
  restarts24h: z
    .number()
    .nullable()
    .describe("how much NRestarts rose in the last 24 hours; null at the first look"),
  sinceSeconds: z.number().nullable().describe("how long it has been in its present active state"),
  stoppedByOperator: z
    .boolean()
    .nullable()
    .describe(
      "whether a person asked for the stop (systemctl stop, a package upgrade), or masked it; null when the journal cannot tell",
    ),
  unitFileState: text("systemd UnitFileState: enabled, disabled, masked, static, ..."),
  nature: text(
    "continuous (should run all the time), oneshot, triggered (a timer, socket, path or the bus starts it), conditional (a condition in its file is not met)",
  ),
  status: text(
    "up, starting, stopping, reloading, stuck, waiting (inactive by nature), down, stopped (by a person), masked, not-installed, unreadable (systemd refuses to show it)",
  ),
  down: flag("whether it should be up and is not"),
  downBecause: z
    .string()
    .nullable()
    .describe(
      "why it is down: crashed, ended, dependency, conflict, own-stop, never-started, last-run-failed, trigger-dead, not-loadable, removed, stuck, unknown; null when it is not",
    ),
  downWhy: text("the same as a clause for people, also of what rests; empty when it is up"),
  stopKnown: flag("whether the journal says how it went down; true when it is not down"),
  stoppedBy: z
    .string()
    .nullable()
    .describe(
      "who asked for the stop: person, dependency, itself; null when nobody did or the journal cannot tell",
    ),
  stoppedWith: z.string().nullable().describe("the unit that took it down, when a dependency did"),
  stuck: flag("whether it has been starting, stopping or reloading for longer than its limit, or 10 minutes"),
  tasks: z
    .number()
    .nullable()
    .describe("its processes and threads, as its cgroup counts them; null while nobody counts"),
  tasksMax: z.number().nullable().describe("how many it may have (TasksMax=); null without a limit"),
  tasksUsedPercent: z
    .number()
    .nullable()
    .describe(
      "tasks as a share of tasksMax; 0 without a limit and while it does not run; null while nobody counts",
    ),
  memoryMaxBytes: z
    .number()
    .nullable()
    .describe("how much memory it may have (MemoryMax=); null without a limit of its own"),
  wasInstalled: flag("whether it was ever seen to be installed here while argus.json named it"),
  triggers: z.array(z.string()).describe("units that start it: timers, sockets, paths"),
  hints: z
    .array(z.string())
    .describe(
      "what else explains its state: an unmet condition, a file that changed, an endpoint that answers",
    ),
});

export const ProcessEntity = z.strictObject({
  pid: num("process id"),
  startTime: num("start, in clock ticks since boot (field 22 of /proc/PID/stat)"),
  parentPid: num("parent process"),
  user: text("name of the effective user, or the number"),
  name: text("the kernel's name of the process (comm, 15 bytes, settable by the process)"),
  executable: z.string().nullable().describe("file name of /proc/PID/exe; null when it may not be read"),
  executablePath: z.string().nullable().describe("path of /proc/PID/exe"),
  commandLine: text(
    "arguments joined by spaces, at most 4096 characters; empty for kernel threads and zombies",
  ),
  arguments: z.array(z.string()).describe("arguments, one string each"),
  runtimeOptions: z
    .array(z.string())
    .describe(
      "names of Node's own options, which stand before the script, such as --test; empty for other programs",
    ),
  state: text("one letter: R, S, D, Z, T, I"),
  terminal: z.string().nullable().describe("controlling terminal, such as pts/3"),
  sessionId: num("session leader's pid"),
  rssBytes: num("resident memory"),
  rssGrowthPerHour: z
    .number()
    .nullable()
    .describe("bytes gained an hour since first seen; null before ten minutes"),
  swapBytes: num("memory in swap"),
  cpuPercent: num("share of one core since the last cycle; since its start at the first look"),
  ageSeconds: num("how long it has been running"),
  unit: z.string().nullable().describe("systemd unit, by its cgroup"),
  container: z.string().nullable().describe("container, by its cgroup (12 digits of its id)"),
  orphan: flag("whether it lost its parent and no unit, terminal session or container owns it"),
  abandoned: z
    .boolean()
    .nullable()
    .describe(
      "whether nobody waits for it and nobody can learn what becomes of it; null when that could not be asked",
    ),
  abandonedBecause: z.string().nullable().describe("why it is abandoned; null when it is not"),
  notAbandonedBecause: z
    .string()
    .nullable()
    .optional()
    .describe("why it is not abandoned, where it lost its parent; null for the others"),
  agent: RememberedAgent.nullable().describe(
    "the nearest living one of the coding agents that were ever seen above it; where none lives, the nearest",
  ),
  killable: flag("whether the policy lets Argus kill it"),
  notKillableBecause: z.string().nullable().describe("why it is not killable"),
});

export const SessionEntity = z.strictObject({
  socket: text("path of the tmux socket"),
  name: text("session name"),
  windows: num("windows"),
  ageSeconds: num("since it was created"),
  idleSeconds: num("since its last activity"),
  attached: flag("whether a client is attached"),
  watched: flag("whether argus.json names its socket"),
});

export const EndpointEntity = z.strictObject({
  name: text("name from argus.json, or the service's"),
  url: text("http://..., https://... or tcp://host:port"),
  ok: flag("whether it answered as expected"),
  status: z.number().nullable().describe("HTTP status; null for tcp and without an answer"),
  latencyMilliseconds: z
    .number()
    .nullable()
    .describe("until the answer's head, or the connection; null without one"),
  error: z.string().nullable().describe("what went wrong"),
  service: z.string().nullable().describe("the service it belongs to"),
});
