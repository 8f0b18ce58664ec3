import { createHash } from "node:crypto";
import type { ProblemType } from "../types/problem.ts";

/** Identity of a problem: never prose, never values. A model words the same trouble differently every time. */
export function problemKey(type: ProblemType, subject: string, condition: string): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([type, subject, condition]))
    .digest("hex");
  return `${type}:${hash.slice(0, 16)}`;
}
