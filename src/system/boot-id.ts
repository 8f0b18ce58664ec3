/**
 * Which boot this is. In a container a service whose sandbox makes /proc/sys read-only sees the kernel's boot id there
 * (systemd up to 252), while systemd, the journal and every shell have the container's. So the units hand down the one
 * that systemd itself goes by: Environment=ARGUS_BOOT_ID=%b.
 */
import type { Files } from "./system.ts";

const path = "/proc/sys/kernel/random/boot_id";

/**
 * With dashes, as the kernel writes it; `unknown` when it cannot be read.
 * @param given by the unit, with or without dashes; what is no id of 128 bits is no answer.
 */
export function readBootId(files: Pick<Files, "tryRead">, given?: string): string {
  const hex = hexOf(given?.trim() ?? "");
  if (hex !== null) return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return files.tryRead(path)?.trim() ?? "unknown";
}

/**
 * Arguments of journalctl for entries of this boot that match one of the alternatives. Not `--boot`: it reads the very
 * file that a sandbox may hide.
 */
export function entriesOfBoot(bootId: string, ...alternatives: readonly (readonly string[])[]): string[] {
  const hex = hexOf(bootId);
  const boot = hex === null ? [] : [`_BOOT_ID=${hex}`];
  const matches = alternatives.flatMap((matches, index) => [
    ...(index === 0 ? [] : ["+"]),
    ...boot,
    ...matches,
  ]);
  return hex === null ? ["--boot", ...matches] : matches;
}

/** As systemd writes it: 32 digits, all zeros being none. */
function hexOf(bootId: string): string | null {
  const hex = bootId.replaceAll("-", "").toLowerCase();
  return /^(?!0{32})[0-9a-f]{32}$/.test(hex) ? hex : null;
}
