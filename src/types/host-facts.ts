/** Facts that exist once for the host, and those about a finding's own problem. */
import * as z from "zod";

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
  brokenRuleDetail: z
    .string()
    .nullable()
    .describe("the first of those errors, and what is in force meanwhile"),
  settingsInForce: flag("whether the settings that stand in argus.json and argus.env are in force"),
  settingsFault: z
    .string()
    .nullable()
    .describe("why they are not: the first error, and what is in force meanwhile"),
  executorAnswers: flag("whether the process that may change the machine answers; true where it is this one"),
  executorError: z.string().nullable().describe("why it does not"),
  writes: flag(
    "whether what Argus does is written down; false: its disk takes nothing, and it is kept in memory",
  ),
  unwrittenSince: z.string().nullable().describe("since when it is not (ISO 8601)"),
  unwrittenDetail: z.string().nullable().describe("what cannot be written, and why"),
  failedCollectors: z
    .array(z.string())
    .describe("collectors that gave no data in three cycles in a row, or more"),
  failedCollectorDetail: z
    .string()
    .nullable()
    .describe("each of them with its number of cycles and the reason"),
  failingChannels: z
    .array(z.string())
    .describe(
      "channels through which alerts do not arrive: what one refuses, and after 15 minutes what one cannot be reached for while another works",
    ),
  failingChannelDetail: z.string().nullable().describe("each of them with its time and the reason"),
});

export const RebootFact = z.strictObject({
  unexpected: flag(
    "whether the host came up without having been shut down before; true for an hour after Argus noticed it",
  ),
  bootedAt: z.string().nullable().describe("then, when it came up (ISO 8601)"),
  detail: z.string().nullable().describe("then, what is known of it, as one sentence"),
  lastLines: z
    .array(z.string())
    .describe("then, the last lines of the journal of the boot before, at most five"),
});

export const ProblemFact = z.strictObject({
  occurrences24h: num("how often the finding's problem was opened in the last 24 hours, this time included"),
  openSeconds: num("how long the finding's problem has been open; 0 when it is new"),
});
