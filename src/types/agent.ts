/** A coding agent that was seen above a process, and is remembered after its end. */
import * as z from "zod";

export const RememberedAgent = z.strictObject({
  pid: z.int().min(1).max(4_194_304).describe("its process id"),
  startTime: z.int().nonnegative().describe("its start (field 22 of /proc/PID/stat)"),
  name: z.string().min(1).max(32).describe("claude or codex"),
});
export type RememberedAgent = z.infer<typeof RememberedAgent>;
