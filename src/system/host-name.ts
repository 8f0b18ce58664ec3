import { printable } from "./printable.ts";
import type { Files } from "./system.ts";

/** As the kernel has it (hostname(7)); what tells hosts apart in messages. */
export const hostName = (files: Pick<Files, "tryRead">): string =>
  printable(files.tryRead("/proc/sys/kernel/hostname")?.trim() ?? "unknown host");
