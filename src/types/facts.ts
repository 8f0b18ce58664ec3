/**
 * The facts of a snapshot: what rules read. Names are part of the contract with users' rule files.
 * Percentages run 0 to 100. A `null` field was not observed; a condition on it can neither hold nor fail.
 */
import { z } from "zod";

const num = (what: string) => z.number().describe(what);
const text = (what: string) => z.string().describe(what);
const flag = (what: string) => z.boolean().describe(what);

export const HostFact = z.strictObject({
  name: text("host name"),
  bootId: text("kernel's random id of this boot (/proc/sys/kernel/random/boot_id)"),
  uptimeSeconds: num("seconds since boot (/proc/uptime)"),
  cores: num("online processors"),
});

const hog = {
  name: text("executable's name"),
  pid: num("process id"),
  ageSeconds: num("how long it has been running"),
  killable: flag("whether the policy lets Argus kill it"),
  unit: z.string().nullable().describe("systemd unit it belongs to, by its cgroup"),
  container: z.string().nullable().describe("container it belongs to, by its cgroup (12 digits of its id)"),
};

export const MemoryHog = z.strictObject({
  ...hog,
  rssBytes: num("resident memory"),
  percent: num("resident memory as a share of totalBytes"),
});

export const SwapHog = z.strictObject({
  ...hog,
  swapBytes: num("memory it has in swap (VmSwap)"),
});

export const MemoryFact = z.strictObject({
  totalBytes: num("memory of the host, or the limit of the cgroup Argus is confined to"),
  availableBytes: num("memory that can be had without swapping (MemAvailable)"),
  usedPercent: num("share of totalBytes that is not available"),
  limitedByCgroup: flag("whether totalBytes is a cgroup limit"),
  hog: MemoryHog.nullable().describe("the process with the most resident memory"),
});

export const SwapFact = z.strictObject({
  totalBytes: num("size of all swap; 0 without swap"),
  usedBytes: num("swap in use"),
  usedPercent: num("share of swap in use; 0 without swap"),
  inMegabytesPerSecond: num("read back from swap, in 10^6 bytes a second"),
  outMegabytesPerSecond: num("written to swap, in 10^6 bytes a second"),
  thrashMegabytesPerSecond: num("in plus out"),
  thrashLimitMegabytesPerSecond: num("ARGUS_SWAP_THRASH_MBPS: what counts as thrashing here"),
  hog: SwapHog.nullable().describe("the process with the most memory in swap"),
});

export const LoadFact = z.strictObject({
  one: num("load average over 1 minute"),
  five: num("load average over 5 minutes"),
  fifteen: num("load average over 15 minutes"),
  perCore: num("one, divided by the number of cores"),
});

export const PressureFact = z.strictObject({
  memorySome10: num("percent of the last 10 s in which some task waited for memory (PSI)"),
  memoryFull10: num("percent of the last 10 s in which all tasks waited for memory"),
  ioSome10: num("percent of the last 10 s in which some task waited for input or output"),
  ioFull10: num("percent of the last 10 s in which all tasks waited for input or output"),
  cpuSome10: num("percent of the last 10 s in which some task waited for a processor"),
});

export const SelfFact = z.strictObject({
  cycles: num("cycles that this state directory has seen"),
  failuresInARow: num("cycles that failed since the last good one"),
  interrupted: flag("whether the cycle before this one was cut off (killed, power lost)"),
  lastDurationMilliseconds: z.number().nullable().describe("how long the last complete cycle took"),
  lastError: z.string().nullable().describe("why the last failed cycle failed"),
  brokenRuleFiles: num("rule files that are not in force because they have an error"),
  brokenRuleDetail: z.string().nullable().describe("the first of those errors"),
});

export const ProblemFact = z.strictObject({
  occurrences24h: num("how often the finding's problem was opened in the last 24 hours, this time included"),
  openSeconds: num("how long the finding's problem has been open; 0 when it is new"),
});

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
      "whether somebody asked for the stop (systemctl stop, a package upgrade); null when the journal cannot tell",
    ),
  unitFileState: text("systemd UnitFileState: enabled, disabled, masked, static, ..."),
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

/** Facts that exist once for the host. */
export const hostFacts = {
  host: HostFact,
  memory: MemoryFact,
  swap: SwapFact,
  load: LoadFact,
  pressure: PressureFact,
  self: SelfFact,
} as const;

/** Facts that a rule with `forEach` is judged on, one entity at a time. */
export const entityFacts = {
  disk: DiskEntity,
  service: ServiceEntity,
  process: ProcessEntity,
  session: SessionEntity,
  endpoint: EndpointEntity,
} as const;

/** Facts about the finding's own problem, out of the registry. */
export const historyFacts = { problem: ProblemFact } as const;

export const allFacts = { ...hostFacts, ...entityFacts, ...historyFacts } as const;

export type HostFactName = keyof typeof hostFacts;
export type EntityKind = keyof typeof entityFacts;
export type FactName = keyof typeof allFacts;
export const entityKinds = Object.keys(entityFacts) as EntityKind[];

export type Host = z.infer<typeof HostFact>;
export type Memory = z.infer<typeof MemoryFact>;
export type Swap = z.infer<typeof SwapFact>;
export type Load = z.infer<typeof LoadFact>;
export type Pressure = z.infer<typeof PressureFact>;
export type Self = z.infer<typeof SelfFact>;
export type Problem24h = z.infer<typeof ProblemFact>;
export type Disk = z.infer<typeof DiskEntity>;
export type Service = z.infer<typeof ServiceEntity>;
export type Process = z.infer<typeof ProcessEntity>;
export type Session = z.infer<typeof SessionEntity>;
export type Endpoint = z.infer<typeof EndpointEntity>;

export interface Entities {
  disk: Disk;
  service: Service;
  process: Process;
  session: Session;
  endpoint: Endpoint;
}
export type Entity = Entities[EntityKind];

/** What makes an entity the same one in the next cycle. A process is its pid and its start time. */
export function entityIdentity<K extends EntityKind>(kind: K, entity: Entities[K]): string {
  switch (kind) {
    case "process": {
      const process = entity as Process;
      return `${process.pid}@${process.startTime}`;
    }
    case "disk":
      return (entity as Disk).mount;
    case "session": {
      const session = entity as Session;
      return `${session.socket}:${session.name}`;
    }
    default:
      return (entity as Service | Endpoint).name;
  }
}
