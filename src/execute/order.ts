/** In which order the proposals of a request are considered. Pure. */
import { normaliseUnit } from "../system/systemd.ts";
import type { Policy } from "./policy.ts";

/**
 * As they were given, but what a unit requires comes before it: a unit whose database went down with it would be
 * refused for a database that runs again a moment later, and people would be told so.
 */
export function requiredFirst<T extends { readonly raw: unknown }>(
  cases: readonly T[],
  { restartable }: Policy,
): T[] {
  const requires = new Map(restartable.map((each) => [each.unit, each.requires]));
  const units = cases.map(({ raw }) => unitOf(raw));
  /** A request may hold the ends of many thousand problems: only the few that name a unit are looked through. */
  const withUnit = [...cases.entries()].flatMap(([index, one]) => {
    const unit = units[index] ?? null;
    return unit === null ? [] : [{ one, unit }];
  });
  const ordered = new Set<T>();
  const begun = new Set<T>();
  const take = (one: T, unit: string | null): void => {
    if (begun.has(one)) return;
    begun.add(one);
    const required = (unit === null ? undefined : requires.get(unit)) ?? [];
    if (required.length > 0)
      for (const other of withUnit) if (required.includes(other.unit)) take(other.one, other.unit);
    ordered.add(one);
  };
  for (const [index, one] of cases.entries()) take(one, units[index] ?? null);
  return [...ordered];
}

function unitOf(raw: unknown): string | null {
  if (typeof raw !== "object" || raw === null || !("type" in raw) || !("target" in raw)) return null;
  return raw.type === "restart_service" && typeof raw.target === "string" ? normaliseUnit(raw.target) : null;
}
