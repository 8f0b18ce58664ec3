/** Whether anybody listens on a unix socket, asked of the socket itself. */
import { closeSync } from "node:fs";
import { connect } from "node:net";
import { type Directory, type Entry, openEntry } from "./safe-tree.ts";

/**
 * /proc/net/unix names sockets by the path they were bound to, in one network namespace: a renamed socket, or one of
 * a container, is not found there. A connection is refused if and only if nobody has the socket any more, so what is
 * old and not in the list is asked. The connection goes to the very inode, whatever takes its name meanwhile.
 * @returns true when somebody answers, and when it cannot be told.
 */
export async function isSocketAlive(directory: Directory, name: string, judged: Entry): Promise<boolean> {
  const { descriptor, entry } = openEntry(directory, name);
  try {
    if (entry.device !== judged.device || entry.inode !== judged.inode || entry.kind !== "socket")
      return true;
    return await answers(`/proc/self/fd/${descriptor}`);
  } finally {
    closeSync(descriptor);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (alive: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    const timer = setTimeout(() => settle(true), 1_000);
    socket.on("connect", () => settle(true));
    // EPROTOTYPE: a living socket of another type. EAGAIN: its queue is full. EACCES: not ours to ask.
    socket.on("error", (error) => settle(!("code" in error) || error.code !== "ECONNREFUSED"));
  });
}
