/** Where the messages to systemd go: its own socket for root, else the system's message bus. */
import type { Bus, BusConnection, Files } from "../system.ts";
import { openConnection } from "./connection.ts";

/** Nobody is asked over it: what systemd says comes from systemctl. */
export const noBus: Bus = {
  connect: async () => ({ why: "there is no message bus here" }),
};

/** systemd answers root there also when the message bus is gone. Its path is part of no contract, but as old as systemctl. */
const direct = "/run/systemd/private";
const shared = "/run/dbus/system_bus_socket";

export function createBus(files: Files, uid: number): Bus {
  let standing: Promise<BusConnection> | null = null;

  function open(): Promise<BusConnection> | null {
    const path = [...(uid === 0 ? [direct] : []), shared].find((each) => files.stat(each) !== null);
    if (path === undefined) return null;
    const opening = openConnection(files.realPath(path), uid, path === direct, () => {
      if (standing === opening) standing = null;
    });
    opening.catch(() => {
      if (standing === opening) standing = null;
    });
    return opening;
  }

  return {
    async connect() {
      standing ??= open();
      if (standing === null) return { why: "there is no message bus here" };
      try {
        return { connection: await standing };
      } catch (error) {
        return { why: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}
