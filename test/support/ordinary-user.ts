import { chmodSync } from "node:fs";

const nobody = 65_534;

/**
 * Runs something as a user without privileges: root gives them up until it has ended, anybody else has none anyway.
 * @param folder made reachable for that user.
 */
export function asOrdinaryUser<T>(folder: string, act: () => T): T {
  if (process.getuid?.() !== 0) return act();
  chmodSync(folder, 0o755);
  const back = () => process.seteuid?.(0);
  process.seteuid?.(nobody);
  try {
    const result = act();
    if (!(result instanceof Promise)) back();
    return result instanceof Promise ? (result.finally(back) as T) : result;
  } catch (error) {
    back();
    throw error;
  }
}
