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

  /** systemd that is just executed anew refuses root on its own socket for a moment; the bus may stand meanwhile. */
  async function openFirst(paths: readonly string[], onLost: () => void): Promise<BusConnection> {
    const faults: string[] = [];
    for (const path of paths) {
      try {
        return await openConnection(files.realPath(path), uid, path === direct, onLost);
      } catch (error) {
        faults.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new Error(faults.join("; "));
  }

  function open(): Promise<BusConnection> | null {
    const paths = [...(uid === 0 ? [direct] : []), shared].filter((each) => files.stat(each) !== null);
    if (paths.length === 0) return null;
    const forget = () => {
      if (standing === opening) standing = null;
    };
    const opening = openFirst(paths, forget);
    opening.catch(forget);
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
