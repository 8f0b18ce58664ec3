/** A coding agent that was seen above a process, and is remembered after its end. */
import * as z from "zod";

export const RememberedAgent = z.strictObject({
  pid: z.int().min(1).max(4_194_304),
  /** Field 22 of /proc/PID/stat. */
  startTime: z.int().nonnegative(),
  /** Such as `claude`. */
  name: z.string().min(1).max(32),
});
export type RememberedAgent = z.infer<typeof RememberedAgent>;
