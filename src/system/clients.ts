/** Whether somebody is connected to a process, or to one below it: to a port or a socket that it listens on. */
import { errorCode } from "./files.ts";
import type { Files } from "./system.ts";

/**
 * @param below of its family: `npm run dev` listens on nothing, the server that it started does. What they say to each
 * other makes nobody a client.
 * @returns null when it cannot be seen.
 */
export function hasClient(files: Files, pid: number, below: readonly number[] = []): boolean | null {
  const sockets = socketsOf(files, [pid, ...below]);
  if (sockets === null) return null;
  if (sockets.size === 0) return false;
  const unix = files.tryRead(`/proc/${pid}/net/unix`);
  if (unix === null) return null;
  if (hasUnixClient(unix, sockets)) return true;
  // For its tables of TCP the kernel walks through all it has room for, which takes 5 ms each: most have no such socket.
  const others = [...sockets].filter((inode) => !unix.includes(` ${inode}`));
  return others.length === 0 ? false : asksTcp(files, pid, sockets);
}

/** The same of ports alone, as a debugger has one: of two ends of a unix socket nobody can tell which is whose. */
export function hasClientAtPort(files: Files, pid: number, below: readonly number[]): boolean | null {
  const sockets = socketsOf(files, [pid, ...below]);
  return sockets === null ? null : sockets.size > 0 && asksTcp(files, pid, sockets);
}

function asksTcp(files: Files, pid: number, sockets: ReadonlySet<string>): boolean | null {
  const tables = ["tcp", "tcp6"].map((table) => files.tryRead(`/proc/${pid}/net/${table}`));
  if (tables[0] === null) return null;
  return hasTcpClient(
    tables.flatMap((text) => tcpRows(text ?? "")),
    sockets,
  );
}

/** Of a family in one network namespace. */
function socketsOf(files: Files, pids: readonly number[]): Set<string> | null {
  const network = files.tryReadLink(`/proc/${pids[0]}/ns/net`);
  const sockets = new Set<string>();
  for (const each of pids) {
    const its = readSockets(files, each);
    if (its === null) return null;
    if (its.size > 0 && files.tryReadLink(`/proc/${each}/ns/net`) !== network) return null;
    for (const inode of its) sockets.add(inode);
  }
  return sockets;
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
