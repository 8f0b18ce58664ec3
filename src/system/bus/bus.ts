/** Where the messages to systemd go: its own socket for root, else the system's message bus. */
import type { Bus, Files } from "../system.ts";

/** Nobody is asked over it: what systemd says comes from systemctl. */
export const noBus: Bus = {
  connect: async () => ({ why: "there is no message bus here" }),
};

export function createBus(_files: Files): Bus {
  return noBus;
}
