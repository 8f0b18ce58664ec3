/**
 * Whether a unit asked for its own stop: a process of it is seen with `systemctl stop`, its own log says so, or its
 * commands do. What only looks like it costs a message too many, never a restart.
 */
import { entriesOfBoot } from "./boot-id.ts";
import type { Files, System } from "./system.ts";
import type { UnitState } from "./unit-state.ts";

const mostBytes = 256 * 1024;
const mostProcesses = 200;

/**
 * `systemctl --no-block stop gateway`, `systemctl stop "$UNIT"`, `["systemctl", "stop", "gateway"]`, a call of
 * StopUnit over the bus; not a stop of some other unit.
 */
function namesStop(text: string, { id, names }: Pick<UnitState, "id" | "names">): boolean {
  const own = new Set([id, ...names].flatMap((name) => [name, name.replace(/\.service$/, "")]));
  const plain = text.replace(/["'`,[\](){}]/g, " ");
  for (const [, rest = ""] of plain.matchAll(stopCommand)) {
    const words = rest.split(/\s+/).filter((word) => word !== "" && !word.startsWith("-"));
    if (words.some((word) => own.has(word) || /[$%]/.test(word))) return true;
  }
  return false;
}

const stopCommand = /\b(?:systemctl[ \t]+(?:-\S+[ \t]+)*stop|StopUnit)[ \t]([^\n;&|]{1,500})/g;

/** By its processes while some are left, by its file, and by the scripts that the file names. */
export function asksForOwnStop(files: Files, unit: UnitState): boolean {
  if (processesOf(files, unit).some((text) => namesStop(text, unit))) return true;
  const file = unit.file === "" ? null : read(files, unit.file);
  if (file === null) return false;
  const commands = [...file.matchAll(/^Exec(?:Start|StartPre|StartPost|Reload)=(.*)$/gm)].map(
    ([, text = ""]) => text,
  );
  if (commands.some((text) => namesStop(text, unit))) return true;
  const scripts = commands.flatMap((text) => text.match(/(?<=^|[\s"'=:+!@-])\/[^\s"';]+/g) ?? []);
  return [...new Set(scripts)].slice(0, 20).some((path) => namesStop(read(files, path) ?? "", unit));
}

function processesOf(files: Files, { controlGroup }: UnitState): string[] {
  if (!controlGroup.startsWith("/") || controlGroup === "/") return [];
  // cgroups(7): the unified hierarchy, mixed set-ups, version 1.
  const roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];
  const pids = roots.flatMap((root) =>
    (read(files, `${root}${controlGroup}/cgroup.procs`) ?? "").split("\n"),
  );
  const wanted = [...new Set(pids)].filter((pid) => /^\d+$/.test(pid)).slice(0, mostProcesses);
  return wanted.map((pid) => (read(files, `/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " "));
}

/** null: it cannot be read, is no file, or no script. */
function read(files: Files, path: string): string | null {
  try {
    if (files.stat(path)?.kind !== "file") return null;
    const text = files.tryReadHead(path, mostBytes);
    return text === null || (text.includes("\0") && !path.startsWith("/proc/")) ? null : text;
  } catch {
    // Not to be allowed to look is the same as to see nothing: the stop then counts as a person's, who sees it in status.
    return null;
  }
}

/** Whether one of its processes said so in the seconds before, or systemd names one of them as who asked (since 254). */
export async function logsOwnStop(
  { run, clock }: Pick<System, "run" | "clock">,
  unit: UnitState,
  stopMicroseconds: number,
  windowMicroseconds: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const args = [
    ...["--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE,_COMM,_PID"],
    ...["--reverse", "--lines=50"],
    ...entriesOfBoot(clock.now().bootId, [`_SYSTEMD_UNIT=${unit.id}`], ["_PID=1", `UNIT=${unit.id}`]),
  ];
  const result = await run("journalctl", args, {
    timeoutMs: 5_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.exitCode !== 0) return false;
  return result.stdout.split("\n").some((line) => {
    const entry = entryOf(line);
    if (entry === null) return false;
    const at = Number(entry["__MONOTONIC_TIMESTAMP"]);
    if (!(Math.abs(at - stopMicroseconds) <= windowMicroseconds)) return false;
    const message = String(entry["MESSAGE"] ?? "");
    if (String(entry["_PID"]) === "1")
      return message.includes("requested from client PID") && message.includes(`(unit ${unit.id})`);
    return entry["_COMM"] === "systemctl" || namesStop(message, unit) || saysSo.test(message);
  });
}

/** How programs log that they are about to have themselves stopped. */
const saysSo = /\bsystemctl\b.*\bstop\b|\bstopping (myself|itself|own (unit|service))\b|\bself[- ]stop/i;

function entryOf(line: string): Record<string, unknown> | null {
  if (line === "") return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}
