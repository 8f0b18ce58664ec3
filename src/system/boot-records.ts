/**
 * What wtmp says of the end of the boot before: systemd writes a record of each start and of each shutdown there, which
 * stays where the journal keeps nothing. Read with last(1), as the size of a record differs between machines (utmp(5)).
 */
import type { Run } from "./system.ts";

const timeoutMs = 10_000;

/**
 * Whether a shutdown is the newest thing on record before this boot, and is no older than `sinceMs`. False says nothing:
 * systems without wtmp have no such record, and a shutdown by force writes none.
 */
export async function hasShutdownRecord(run: Run, sinceMs: number): Promise<boolean> {
  const args = ["-x", "--time-format", "iso", "-n", "2", "shutdown", "reboot"];
  const { exitCode, stdout } = await run("last", args, { timeoutMs });
  if (exitCode !== 0) return false;
  const records = stdout.split("\n").flatMap((line) => recordOf(line) ?? []);
  // Newest first: of this boot, if that was written down already, and of what came before it.
  const [newest] = records[0]?.kind === "reboot" ? records.slice(1) : records;
  // They have whole seconds.
  return newest !== undefined && newest.kind === "shutdown" && newest.atMs + 1000 > sinceMs;
}

function recordOf(line: string): { kind: "shutdown" | "reboot"; atMs: number } | null {
  const kind = /^(shutdown|reboot) /.exec(line)?.[1];
  const atMs = Date.parse(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d/.exec(line)?.[0] ?? "");
  return (kind === "shutdown" || kind === "reboot") && Number.isFinite(atMs) ? { kind, atMs } : null;
}
