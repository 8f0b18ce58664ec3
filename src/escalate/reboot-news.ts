/** What an alert about an unexpected reboot says besides: the end of the journal before it. */
import type { Finding } from "../types/finding.ts";
import type { Facts } from "../types/snapshot.ts";
import { machineLine } from "./machine-text.ts";

const longestLine = 200;

export function rebootNews({ type, condition }: Finding, { reboot }: Facts): string[] {
  if (type !== "argus" || condition !== "unexpected-reboot" || reboot === undefined) return [];
  if (reboot.lastLines.length === 0) return [];
  return [
    "Last lines of the journal before it:",
    ...reboot.lastLines.map((line) => `> ${machineLine(line, longestLine)}`),
  ];
}
