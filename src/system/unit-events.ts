/** Hears of each unit that goes down, at once, from systemd's PropertiesChanged signals (org.freedesktop.systemd1(5)). */
import type { BusMessage, System } from "./system.ts";

const manager = {
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
};
const units = "/org/freedesktop/systemd1/unit";
const matches = [
  `type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='${units}',arg0='org.freedesktop.systemd1.Unit'`,
  // systemd that was executed anew has forgotten who subscribed.
  "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.systemd1'",
];

/** Scopes of logins and the like go down once and never come again. */
const mostDown = 1_000;

/**
 * @param onDown each time a unit enters `failed` or `inactive`: its full name, such as `nginx.service`.
 * @param onLost once, when nothing more will be told: connect again by another call. One sentence.
 * @returns what stops it. It does not keep the process alive. Throws one sentence when there is no source to be had.
 */
export async function watchUnitEvents(
  { bus }: Pick<System, "bus">,
  onDown: (unit: string, state: "failed" | "inactive") => void,
  onLost: (why: string) => void,
): Promise<() => void> {
  const found = await bus.connect();
  if ("why" in found) throw new Error(found.why);
  const { connection } = found;
  /**
   * Units that are down, as was told already. One whose failure is reset before its restart becomes `inactive`: that
   * is no news, and would cost a second wake-up for every restart.
   */
  const down = new Set<string>();

  const stop = connection.listen({
    onSignal(message) {
      if (message.member === "NameOwnerChanged" && message.body()[0] === manager.destination) {
        stop();
        onLost("systemd was started anew");
      }
      const change = stateOf(message);
      if (change === null) return;
      const { unit, state } = change;
      if (state !== "failed" && state !== "inactive") down.delete(unit);
      else if (!down.has(unit)) {
        down.add(unit);
        if (down.size > mostDown) down.delete(down.values().next().value ?? unit);
        onDown(unit, state);
      }
    },
    onLost,
  });
  try {
    if (!connection.isDirect) {
      const dbus = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus" };
      for (const rule of matches) {
        const member = {
          interface: "org.freedesktop.DBus",
          member: "AddMatch",
          signature: "s",
          body: [rule],
        };
        await connection.call({ ...dbus, ...member });
      }
    }
    // Without anybody who did, systemd tells nobody.
    await connection.call({ ...manager, member: "Subscribe" });
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}

function stateOf(message: BusMessage): { unit: string; state: string } | null {
  if (message.member !== "PropertiesChanged" || !message.path.startsWith(`${units}/`)) return null;
  const [of, changed] = message.body();
  if (of !== "org.freedesktop.systemd1.Unit" || !Array.isArray(changed)) return null;
  const pair = (changed as readonly (readonly [string, unknown])[]).find(([name]) => name === "ActiveState");
  const state = pair?.[1];
  return typeof state === "string"
    ? { unit: unescapePath(message.path.slice(units.length + 1)), state }
    : null;
}

/** systemd writes what is no letter or digit as `_` and two hexadecimal digits (sd_bus_path_encode(3)). */
export function unescapePath(label: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < label.length; at += 1) {
    const code = /^_[0-9a-f]{2}/.test(label.slice(at, at + 3))
      ? Number.parseInt(label.slice(at + 1, at + 3), 16)
      : null;
    bytes.push(code ?? label.charCodeAt(at));
    if (code !== null) at += 2;
  }
  return Buffer.from(bytes).toString("utf8");
}
