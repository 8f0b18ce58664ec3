/** Whether anybody waits in open(2) for the other end of a named pipe: there is no descriptor of it yet. */
import { tryNames, tryText } from "./proc-bytes.ts";

/** The function of the kernel in which it waits; until Linux 5.4 whoever reads an empty pipe waits there, too. */
const waiting = /^(?:wait_for_partner|fifo_open|pipe_wait)/;

/**
 * Opening a pipe to find out would wake whoever waits. So all threads are asked where they are; which pipe it is about
 * they do not say.
 * @param proc the folder of processes. @returns true also when the kernel does not say where threads wait.
 */
export function somebodyWaitsAtPipe(proc: string): boolean {
  let isSaid = false;
  for (const pid of tryNames(proc).filter((name) => /^\d+$/.test(name))) {
    for (const thread of tryNames(`${proc}/${pid}/task`)) {
      const where = tryText(`${proc}/${pid}/task/${thread}/wchan`) ?? "0";
      if (waiting.test(where)) return true;
      if (where !== "0" && where !== "") isSaid = true;
    }
  }
  return !isSaid;
}
