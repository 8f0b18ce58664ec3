/** systemd on the bus (org.freedesktop.systemd1(5)): where it is, and how it writes the names of units into paths. */
import type { BusCall } from "../system.ts";

export const systemdName = "org.freedesktop.systemd1";
export const unitsPath = "/org/freedesktop/systemd1/unit";

/** A method of its manager. */
export function managerCall(member: string, signature = "", body: BusCall["body"] = []): BusCall {
  return {
    destination: systemdName,
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
    member,
    signature,
    body,
  };
}

/** A method of the bus itself: of no use where systemd itself is at the other end. */
export function busCall(member: string, signature = "", body: BusCall["body"] = []): BusCall {
  return {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
    member,
    signature,
    body,
  };
}

/** `getty@tty1.service` -> `/org/freedesktop/systemd1/unit/getty_40tty1_2eservice`, as sd_bus_path_encode(3) does. */
export function unitPath(unit: string): string {
  let label = "";
  for (const [index, byte] of Buffer.from(unit).entries()) {
    const character = String.fromCharCode(byte);
    const isPlain = index === 0 ? /[A-Za-z]/.test(character) : /[A-Za-z0-9]/.test(character);
    label += isPlain ? character : `_${byte.toString(16).padStart(2, "0")}`;
  }
  return `${unitsPath}/${label === "" ? "_" : label}`;
}

/** The way back; null for what is no path of a unit. */
export function unitOfPath(path: string): string | null {
  if (!path.startsWith(`${unitsPath}/`)) return null;
  const label = path.slice(unitsPath.length + 1);
  if (label === "_") return "";
  const bytes: number[] = [];
  for (let at = 0; at < label.length; at += 1) {
    const isEscaped = /^_[0-9a-f]{2}/.test(label.slice(at, at + 3));
    bytes.push(isEscaped ? Number.parseInt(label.slice(at + 1, at + 3), 16) : label.charCodeAt(at));
    if (isEscaped) at += 2;
  }
  return Buffer.from(bytes).toString("utf8");
}
