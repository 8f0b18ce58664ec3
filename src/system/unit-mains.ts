/**
 * Which process systemd names as a unit's main one. Units of a user are asked of that user's own manager, by the
 * socket that it keeps for root and for its user.
 */
import type { UnitKnown } from "./family.ts";
import type { System } from "./system.ts";
import { isSystemdRunning, parseUnits, showUnits } from "./systemd.ts";
import { inService, isSystemUnit, type UnitMember } from "./unit-main.ts";
import type { UnitState } from "./unit-state.ts";

const timeoutMs = 2_000;

/**
 * By the path of the unit's cgroup: a user's unit may have the name of another. What no manager answered for has no
 * main process here, so nobody can tell what the unit stands on.
 */
export async function askMains(
  { files, bus, run }: Pick<System, "files" | "bus" | "run">,
  members: readonly UnitMember[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, UnitKnown>> {
  const known = new Map<string, UnitKnown>();
  if (!isSystemdRunning(files)) return known;
  const byManager = new Map<string, Map<string, string>>();
  for (const member of members) {
    const { unit, unitPath } = member;
    if (unit === null || unitPath === null || !inService(member)) continue;
    const manager = isSystemUnit(member) ? "" : (/\/user@(\d+)\.service\//.exec(unitPath)?.[1] ?? null);
    known.set(unitPath, { mainPid: 0, running: false });
    if (manager !== null) byManager.set(manager, (byManager.get(manager) ?? new Map()).set(unit, unitPath));
  }
  for (const [uid, paths] of byManager) {
    const names = [...paths.keys()];
    const shown = await (uid === ""
      ? showUnits({ bus, run }, names, signal)
      : showUsers(run, uid, names, signal)
    )
      // The units stay without a main process, which keeps everything in them.
      .catch(() => []);
    signal.throwIfAborted();
    for (const { id, mainPid, activeState, subState } of shown) {
      const path = paths.get(id);
      if (path !== undefined)
        known.set(path, { mainPid, running: activeState === "active" && subState === "running" });
    }
  }
  return known;
}

async function showUsers(
  run: System["run"],
  uid: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<UnitState[]> {
  const properties = "Id,Names,ActiveState,SubState,MainPID";
  const { exitCode, stdout } = await run(
    "systemctl",
    ["--user", "--no-pager", `--property=${properties}`, "show", "--", ...names],
    { timeoutMs, signal, environment: { XDG_RUNTIME_DIR: `/run/user/${uid}` } },
  );
  return exitCode === 0 ? parseUnits(stdout) : [];
}
