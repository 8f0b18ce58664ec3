/** Which true/false fields of an entity must be true for a rule to fire, whatever else it looks at. Pure. */
import type { Condition } from "../types/rules.ts";

/** True only where the conditions cannot hold while the field is anything but true. */
export function requiresTrue(condition: Condition, fact: string, path: string): boolean {
  if ("all" in condition) return condition.all.some((each) => requiresTrue(each, fact, path));
  if ("any" in condition) return condition.any.every((each) => requiresTrue(each, fact, path));
  const isNegated = "not" in condition;
  const leaf = isNegated ? condition.not : condition;
  if (!("operator" in leaf) || leaf.fact !== fact || leaf.path !== path) return false;
  const { operator, value } = leaf;
  const wanted = !isNegated;
  if (operator === "equal") return value === wanted;
  return operator === "notEqual" && value === !wanted;
}
