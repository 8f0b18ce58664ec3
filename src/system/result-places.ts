/** Ways in which the result of a test run is learned that are not its output and not its end. */
import { z } from "zod";
import { hasClientAtPort } from "./clients.ts";
import { allBelow, type Family, type Kin } from "./family.ts";
import { errorCode } from "./files.ts";
import { mayHang, mountOf, parseMountInfo } from "./mounts.ts";
import {
  isNode,
  type NodeCommand,
  parseNodeCommand,
  reportsElsewhere,
  splitNodeOptions,
} from "./node-options.ts";
import type { Files } from "./system.ts";

/**
 * @param wrappers what only waits for it.
 * @returns a clause that follows "because"; null: nobody learns it otherwise.
 */
export function whoElseLearns(files: Files, one: Kin, wrappers: readonly Kin[], all: Family): string | null {
  const command = parseNodeCommand(one.arguments);
  if (command === null) return "its options are not known";
  const environment = `\0${files.tryRead(`/proc/${one.pid}/environ`) ?? ""}`;
  const added = splitNodeOptions(/\0NODE_OPTIONS=([^\0]*)/.exec(environment)?.[1] ?? "");
  const inherited = added === null ? null : parseNodeCommand(["node", ...added]);
  if (inherited === null || inherited.script !== null) return "its NODE_OPTIONS are not understood";
  const options = [command, inherited];
  if (options.some(reportsElsewhere)) return "its reporter has a destination";
  if (options.some(readsOptions)) return "a file may give its reporter a destination";
  if (options.some(leavesFiles) || /\0NODE_V8_COVERAGE=[^\0]/.test(environment))
    return "it leaves files from which its result is learned";
  if (wrappers.some(({ executable }) => isNode(executable)) && hasPostScript(files, one.pid, environment))
    return "npm goes on with what follows the tests";
  const below = allBelow(one.pid, all);
  if ([one.pid, ...below].some((pid) => isTraced(files, pid))) return "somebody is debugging it";
  // SIGUSR1 opens a debugger's port without any option, also in the processes that run the tests.
  return hasClientAtPort(files, one.pid, below) === false ? null : "somebody may be debugging it";
}

/** What is in such a file now need not be what Node read there; and a .env may set NODE_OPTIONS (seen on Node 20). */
const fromFiles = new Set([
  ...["--env-file", "--env-file-if-exists"],
  ...["--experimental-config-file", "--experimental-default-config-file"],
]);
const readsOptions = ({ options }: NodeCommand): boolean => options.some((name) => fromFiles.has(name));

const writing = new Set([
  ...["--cpu-prof", "--heap-prof", "--test-rerun-failures", "--test-update-snapshots"],
]);
const leavesFiles = ({ options }: NodeCommand): boolean => options.some((name) => writing.has(name));

/** npm and yarn run `posttest` after `test`. True also when the package's file cannot be understood. */
function hasPostScript(files: Files, pid: number, environment: string): boolean {
  const value = (name: string) => new RegExp(`\\0${name}=([^\\0]*)`).exec(environment)?.[1] ?? "";
  const [event, path] = [value("npm_lifecycle_event"), value("npm_package_json")];
  if (event === "" || path === "") return false;
  const mounts = parseMountInfo(files.tryRead(`/proc/${pid}/mountinfo`) ?? "");
  if (!path.startsWith("/") || mayHang(mountOf(mounts, path)?.type ?? "")) return true;
  try {
    const parsed: unknown = JSON.parse(files.tryReadHead(path, maxPackageBytes) ?? "");
    const { scripts } = z.object({ scripts: z.record(z.string(), z.unknown()).optional() }).parse(parsed);
    return scripts !== undefined && Object.hasOwn(scripts, `post${event}`);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError || errorCode(error) !== "") return true;
    throw error;
  }
}
const maxPackageBytes = 1_000_000;

/** ptrace(2): gdb, strace. What cannot be read is somebody else's process, or gone. */
function isTraced(files: Files, pid: number): boolean {
  return /^TracerPid:\t[1-9]/m.test(files.tryRead(`/proc/${pid}/status`) ?? "");
}
