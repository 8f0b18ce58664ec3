/**
 * Which process systemd names as a unit's main one. Units of a user are asked of that user's own manager, by the
 * socket that it keeps for its user.
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
  { files, bus, run, self }: Pick<System, "files" | "bus" | "run" | "self">,
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
      : showUsers(run, self, uid, names, signal)
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

/** Group of nobody (nogroup, nobody): the socket's folder is open to its user alone, by number. */
const noGroup = 65_534;

/** systemctl talks to a manager of its own user only, so root becomes that user for it. */
async function showUsers(
  run: System["run"],
  self: System["self"],
  uid: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<UnitState[]> {
  const properties = "Id,Names,ActiveState,SubState,MainPID";
  const command = ["systemctl", "--user", "--no-pager", `--property=${properties}`, "show", "--", ...names];
  const asUser = ["setpriv", `--reuid=${uid}`, `--regid=${noGroup}`, "--clear-groups", "--", ...command];
  const [program = "", ...args] = String(self.uid) === uid ? command : asUser;
  const { exitCode, stdout } = await run(program, args, {
    timeoutMs,
    signal,
    environment: { XDG_RUNTIME_DIR: `/run/user/${uid}` },
  });
  return exitCode === 0 ? parseUnits(stdout) : [];
}
