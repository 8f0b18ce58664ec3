/** Signals of systemd, and of nobody who only looks like it. */
import type { BusConnection, BusListener } from "../system.ts";
import { busCall, systemdName } from "./systemd1.ts";

const ownerChanges = `type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${systemdName}'`;

/**
 * @param rule match rule for a bus; systemd itself at the other end sends all its signals, so look at what comes.
 * @param listener `onLost` once, when nothing more comes: also when another systemd took over, which owes us nothing.
 * @returns what stops it. Throws one sentence.
 */
export async function hearSystemd(
  connection: BusConnection,
  rule: string,
  listener: BusListener,
): Promise<() => void> {
  // Everybody on a bus may send what looks like systemd's signals to one receiver, past all match rules.
  let sender: string | null = null;
  const stopListening = connection.listen({
    onSignal(message) {
      if (connection.isDirect || message.sender === sender) listener.onSignal(message);
      if (message.sender !== "org.freedesktop.DBus" || message.member !== "NameOwnerChanged") return;
      if (message.body()[0] !== systemdName) return;
      stop();
      listener.onLost("systemd was started anew");
    },
    onLost: listener.onLost,
  });
  const matched: string[] = [];
  const match = async (each: string) => {
    await connection.call(busCall("AddMatch", "s", [each]));
    matched.push(each);
  };
  const stop = () => {
    stopListening();
    // When this fails the connection is gone, and its rules with it.
    for (const each of matched.splice(0))
      connection.call(busCall("RemoveMatch", "s", [each])).catch(() => undefined);
  };
  if (connection.isDirect) return stop;
  try {
    await match(ownerChanges);
    const [owner] = (await connection.call(busCall("GetNameOwner", "s", [systemdName]))).body();
    sender = String(owner);
    await match(rule);
    return stop;
  } catch (error) {
    stop();
    throw error;
  }
}
