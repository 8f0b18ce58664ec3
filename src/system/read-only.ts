/** The machine for commands that only look: what would write does nothing. A state file that is broken stays where it is. */
import type { Files, System } from "./system.ts";

export function readOnly(system: System): System {
  const nothing = () => {};
  const files: Files = {
    ...system.files,
    makeDirectory: nothing,
    writeAtomic: nothing,
    writeExclusive: nothing,
    overwrite: () => false,
    append: nothing,
    truncate: nothing,
    rename: nothing,
    remove: nothing,
    removeDirectory: nothing,
    link: nothing,
  };
  return { ...system, files };
}
