/** Whether somebody is connected to a process: to a port or a socket that it listens on. */
import { errorCode } from "./files.ts";
import type { Files } from "./system.ts";

/** @returns null when it cannot be seen. */
export function hasClient(files: Files, pid: number): boolean | null {
  const sockets = readSockets(files, pid);
  if (sockets === null) return null;
  if (sockets.size === 0) return false;
  const unix = files.tryRead(`/proc/${pid}/net/unix`);
  if (unix === null) return null;
  if (hasUnixClient(unix, sockets)) return true;
  // For its tables of TCP the kernel walks through all it has room for, which takes 5 ms each: most have no such socket.
  const others = [...sockets].filter((inode) => !unix.includes(` ${inode}`));
  if (others.length === 0) return false;
  const tables = ["tcp", "tcp6"].map((table) => files.tryRead(`/proc/${pid}/net/${table}`));
  if (tables[0] === null) return null;
  return hasTcpClient(
    tables.flatMap((text) => tcpRows(text ?? "")),
    sockets,
  );
}

function readSockets(files: Files, pid: number): Set<string> | null {
  const inodes = new Set<string>();
  try {
    for (const name of files.list(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(files.tryReadLink(`/proc/${pid}/fd/${name}`) ?? "")?.[1];
      if (inode !== undefined) inodes.add(inode);
    }
  } catch (error) {
    if (errorCode(error) === "") throw error;
    return null;
  }
  return inodes;
}

interface TcpRow {
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  readonly inode: string;
}

const listening = "0A";
/** ESTABLISHED, SYN_RECV, and CLOSE_WAIT: the client has sent all it wanted to, and may wait for an answer. */
const connected = new Set(["01", "03", "08"]);

/** Columns of /proc/net/tcp: sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode. */
function tcpRows(text: string): TcpRow[] {
  return text.split("\n").flatMap((line) => {
    const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || state === undefined || inode === undefined) return [];
    return [{ local, remote, state, inode }];
  });
}

const portOf = (address: string): string => address.slice(address.lastIndexOf(":") + 1);

function hasTcpClient(rows: readonly TcpRow[], own: ReadonlySet<string>): boolean {
  const ports = new Set(
    rows
      .filter(({ state, inode }) => state === listening && own.has(inode))
      .map(({ local }) => portOf(local)),
  );
  if (ports.size === 0) return false;
  // A server that is its own client, as in many tests, has both ends.
  const ownEnds = new Set(
    rows
      .filter(({ inode }) => own.has(inode))
      .map(({ local, remote }) => `${portOf(local)} ${portOf(remote)}`),
  );
  return rows.some(
    ({ local, remote, state }) =>
      connected.has(state) && ports.has(portOf(local)) && !ownEnds.has(`${portOf(remote)} ${portOf(local)}`),
  );
}

/** What was accepted on a listening unix socket carries the same name. Columns: Num RefCount Protocol Flags Type St Inode Path. */
function hasUnixClient(text: string, own: ReadonlySet<string>): boolean {
  const rows = text.split("\n").flatMap((line) => {
    const [, , , flags, , state, inode, ...path] = line.trim().split(/\s+/);
    return flags === undefined || inode === undefined || path.length === 0
      ? []
      : [{ isListening: flags === "00010000", state, inode, path: path.join(" ") }];
  });
  const names = new Set(
    rows.filter(({ isListening, inode }) => isListening && own.has(inode)).map(({ path }) => path),
  );
  return rows.some(
    ({ isListening, state, path }) => !isListening && (state === "03" || state === "02") && names.has(path),
  );
}
