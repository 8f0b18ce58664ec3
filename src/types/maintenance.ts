/** Maintenance windows, as `argus.json` names them. */
import * as z from "zod";
import { ProblemType } from "./problem.ts";

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day such as 22:30");

/** Intl knows the zones of the system's database. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

export const Maintenance = z.strictObject({
  name: z.string().min(1).max(128).describe("what it is called where it holds something back"),
  days: z
    .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
    .min(1)
    .default(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
    .describe("days on which it begins"),
  from: timeOfDay.describe("when it begins, by the clock of `timeZone`"),
  to: timeOfDay.describe("when it ends; before `from` it is the next day"),
  timeZone: z
    .string()
    .refine(isTimeZone, "is no time zone such as Europe/Berlin or UTC")
    .default("UTC")
    .describe("such as `Europe/Berlin`"),
  rules: z.array(z.string()).min(1).optional().describe("of these rules alone"),
  subjects: z.array(z.string()).min(1).optional().describe("about these alone, such as names of services"),
  types: z.array(ProblemType).min(1).optional().describe("of these types alone"),
  actions: z.boolean().default(false).describe("whether Argus does nothing about it either"),
});
export type Maintenance = z.infer<typeof Maintenance>;
