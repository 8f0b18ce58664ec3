/** Another Date for the processes of Argus alone: the machine's own clock is not touched. */
import type { Host } from "./harness.ts";

const preload = "--import=/srv/clock.mjs";
const offset = "/srv/clock-offset";

/** Date as of a clock that is set while the program runs; /proc/uptime and process.hrtime stay what they are. */
const shifted = `import { readFileSync } from "node:fs";
const True = Date;
const now = () => True.now() + 1000 * Number(readFileSync("${offset}", "utf8"));
globalThis.Date = class extends True {
  constructor(...given) { given.length === 0 ? super(now()) : super(...given); }
  static now() { return now(); }
};
`;

/** For a program that is started by hand. */
export const clockEnvironment = { NODE_OPTIONS: preload };

export function setClock(host: Host, seconds: number): void {
  host.write(offset, String(seconds));
}

/** Before Argus is installed: from its start on it goes by the clock that `setClock` sets. */
export function layClock(host: Host): void {
  setClock(host, 0);
  host.write("/srv/clock.mjs", shifted);
  for (const unit of ["argus", "argus-executor"]) {
    const environment = `[Service]\nEnvironment=NODE_OPTIONS=${preload}\n`;
    host.write(`/etc/systemd/system/${unit}.service.d/clock.conf`, environment);
  }
}
