/**
 * What the journal says of this boot, and of how the one before ended. Asked without `--boot`, and counted from the
 * journal's own end: in a container a service with a sandbox sees the kernel's boot id in place of the container's, and
 * journald has the container's.
 */
import { oneLine } from "./printable.ts";
import { redact } from "./redact/redact.ts";
import type { Run, RunResult } from "./system.ts";

export interface PresentBoot {
  readonly id: string;
  readonly newestEntryMs: number;
}

export interface BootBefore {
  /** Somebody asked for its end, or journald was told to stop at it. */
  readonly wasShutDown: boolean;
  readonly lastEntryMs: number;
  /** The very last ones, oldest first: a line each, without secrets. */
  readonly lastLines: readonly string[];
}

const timeoutMs = 10_000;
const mostLines = 5;
const longestLine = 200;

const asJson = ["--quiet", "--no-pager", "--output=json"];
const ask = (run: Run, ...args: string[]): Promise<RunResult> =>
  run("journalctl", [...asJson, ...args], { timeoutMs });

/** null: the journal does not say. */
export async function readPresentBoot(run: Run): Promise<PresentBoot | null> {
  const [entry] = entriesOf(await ask(run, "--lines=1", "--output-fields=_BOOT_ID", "_PID=1"));
  return entry === undefined ? null : { id: entry.boot, newestEntryMs: entry.atMs };
}

// systemd.journal-fields(7), messages of systemd itself: `journalctl --catalog` explains each.
const started = "39f53479d3a045ac8e11786248231fbf";
const stopped = "9d1aaa27d60140bd96365438aad20286";
const shuttingDown = "98268866d1d54a499c4e98921d93bc40";
const journalStopped = "d93fb3c9c24d451a97cea615ce59c00b";

const finalUnits = ["shutdown", "umount", "final", "reboot", "poweroff", "halt", "kexec"];
/**
 * Fields that begin with an underscore are journald's own: no other program can write these. systemd reaches the targets
 * of a shutdown; before those, and before /var is given up where that is a file system of its own, it stops
 * sysinit.target; logind says whose reboot it carries out; systemd-shutdown speaks for one by force.
 */
const marks = [
  ["_PID=1", `MESSAGE_ID=${started}`, ...finalUnits.map((name) => `UNIT=${name}.target`)],
  ["_PID=1", `MESSAGE_ID=${stopped}`, "UNIT=sysinit.target"],
  ["_SYSTEMD_UNIT=systemd-logind.service", `MESSAGE_ID=${shuttingDown}`],
  ["_TRANSPORT=kernel", "SYSLOG_IDENTIFIER=systemd-shutdown"],
].flatMap((match, index) => (index === 0 ? match : ["+", ...match]));

/** null: the journal has nothing of it, or may not be read. */
export async function readBootBefore(run: Run, present: PresentBoot): Promise<BootBefore | null> {
  const fields = "MESSAGE,MESSAGE_ID,SYSLOG_IDENTIFIER,_COMM,_TRANSPORT,_BOOT_ID";
  const last = entriesOf(
    await ask(run, "--boot=-1", `--lines=${mostLines}`, `--output-fields=${fields}`),
  ).slice(-mostLines);
  const end = last.at(-1);
  if (end === undefined || end.boot === present.id) return null;
  const marked = entriesOf(await ask(run, "--boot=-1", "--lines=1", "--output-fields=MESSAGE_ID", ...marks));
  const journalWasStopped = end.transport === "driver" && end.messageId === journalStopped;
  return {
    wasShutDown: journalWasStopped || marked.length > 0,
    lastEntryMs: end.atMs,
    lastLines: last.map(({ atMs, who, text }) => {
      const time = new Date(atMs).toISOString().slice(11, 19);
      return oneLine(redact(`${time} ${who}: ${text}`), longestLine);
    }),
  };
}

interface Entry {
  readonly boot: string;
  readonly atMs: number;
  readonly messageId: string;
  readonly transport: string;
  readonly who: string;
  readonly text: string;
}

/** Oldest first. What failed, or is no entry, is none. */
function entriesOf({ exitCode, stdout }: RunResult): Entry[] {
  if (exitCode !== 0) return [];
  return stdout.split("\n").flatMap((line) => entryOf(line) ?? []);
}

function entryOf(line: string): Entry | null {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const atMs = Number(entry["__REALTIME_TIMESTAMP"]) / 1000;
  const boot = entry["_BOOT_ID"];
  if (typeof boot !== "string" || !Number.isFinite(atMs)) return null;
  // A message that is no text comes as a list of bytes.
  const { MESSAGE: message } = entry;
  const text = Array.isArray(message) ? Buffer.from(message as number[]).toString("utf8") : message;
  return {
    boot,
    atMs,
    messageId: String(entry["MESSAGE_ID"] ?? ""),
    transport: String(entry["_TRANSPORT"] ?? ""),
    who: String(entry["SYSLOG_IDENTIFIER"] ?? entry["_COMM"] ?? "unknown"),
    text: String(text ?? ""),
  };
}
