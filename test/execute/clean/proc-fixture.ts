/** A /proc for a tree that stands for the machine: its own processes, mounts, locks and sockets. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface ProcFixture {
  /** Lines for /proc/self/mountinfo, after those of the real machine. */
  readonly mounts?: readonly string[];
  readonly locks?: string;
  readonly swaps?: string;
  /** Lines for /proc/net/unix. null: the file cannot be read. */
  readonly sockets?: readonly string[] | null;
  readonly processes?: Readonly<Record<string, ProcessFixture>>;
  /** Process 1 is not to be seen, as with hidepid. */
  readonly hidden?: boolean;
}

export interface ProcessFixture {
  /** Path that a descriptor leads to, by its number. */
  readonly fd?: Readonly<Record<string, string>>;
  readonly fdinfo?: Readonly<Record<string, string>>;
  /** Descriptors of further threads, by their id. */
  readonly threads?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly maps?: string;
  /** Path of its program. */
  readonly exe?: string;
  /** Its own mount namespace. */
  readonly mounts?: readonly string[];
  /** Its own network namespace. */
  readonly sockets?: readonly string[];
}

const socketHead = "Num       RefCount Protocol Flags    Type St Inode Path";

/** @param proc a path that does not exist yet. Process 1 and this one are in it, and real. */
export function makeProc(proc: string, fixture: ProcFixture = {}): void {
  const write = (path: string, text: string) => writeFileSync(join(proc, path), text);
  const real = readFileSync("/proc/self/mountinfo", "utf8");
  mkdirSync(join(proc, "self"), { recursive: true });
  write("self/mountinfo", `${real}${(fixture.mounts ?? []).map((line) => `${line}\n`).join("")}`);
  symlinkSync("/proc/self/ns", join(proc, "self/ns"));
  symlinkSync(`/proc/${process.pid}`, join(proc, String(process.pid)));
  if (fixture.hidden !== true) symlinkSync(`/proc/${process.pid}`, join(proc, "1"));
  mkdirSync(join(proc, "net"));
  const { sockets = [] } = fixture;
  if (sockets !== null) write("net/unix", [socketHead, ...sockets, ""].join("\n"));
  write("locks", fixture.locks ?? "");
  write("swaps", fixture.swaps ?? "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
  for (const [pid, each] of Object.entries(fixture.processes ?? {})) addProcess(join(proc, pid), pid, each);
}

function addProcess(base: string, pid: string, fixture: ProcessFixture): void {
  addThread(base, pid, fixture, fixture.fd ?? {});
  if (fixture.exe !== undefined) symlinkSync(fixture.exe, join(base, "exe"));
  mkdirSync(join(base, "task"));
  symlinkSync("..", join(base, "task", pid));
  for (const [thread, fd] of Object.entries(fixture.threads ?? {})) {
    addThread(join(base, "task", thread), pid, fixture, fd);
  }
}

function addThread(
  base: string,
  pid: string,
  fixture: ProcessFixture,
  fd: Readonly<Record<string, string>>,
): void {
  for (const folder of ["fd", "fdinfo", "ns", "net"]) mkdirSync(join(base, folder), { recursive: true });
  const namespaces = { mnt: fixture.mounts, net: fixture.sockets };
  for (const [kind, own] of Object.entries(namespaces)) {
    const target = own === undefined ? `/proc/self/ns/${kind}` : `${kind}:[${pid}]`;
    symlinkSync(target, join(base, "ns", kind));
  }
  writeFileSync(join(base, "mountinfo"), (fixture.mounts ?? []).map((line) => `${line}\n`).join(""));
  writeFileSync(join(base, "net/unix"), [socketHead, ...(fixture.sockets ?? []), ""].join("\n"));
  writeFileSync(join(base, "maps"), fixture.maps ?? "");
  writeFileSync(join(base, "status"), "Name:\tfixture\nVmSize:\t100 kB\n");
  for (const [number, target] of Object.entries(fd)) {
    symlinkSync(target, join(base, "fd", number));
    const info =
      fixture.fdinfo?.[number] ?? `pos:\t0\nflags:\t0100000\nmnt_id:\t${mountIdOf(base)}\nino:\t1\n`;
    writeFileSync(join(base, "fdinfo", number), info);
  }
}

/** Of the mount that the fixture itself lies on: `fdinfo` of a real descriptor would say the same. */
function mountIdOf(path: string): number {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , , , point = "/"]) => point === "/" || path.startsWith(`${point}/`))
    .sort(([, , , , a = ""], [, , , , b = ""]) => a.length - b.length);
  return Number(mounts.at(-1)?.[0]);
}

/** A line of mountinfo for a directory of the file system that the tree lies on. */
export function mountLine(
  at: string,
  { id = 900_001, mountPoint, root = "/" }: { id?: number; mountPoint: string; root?: string },
): string {
  const own = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${mountIdOf(at)} `));
  const device = own?.split(" ")[2] ?? "0:0";
  return `${id} 1 ${device} ${root} ${mountPoint} rw,relatime - ext4 /dev/fixture rw`;
}
