import { chmodSync } from "node:fs";

const nobody = 65_534;

/**
 * Runs something as a user without privileges: root gives them up meanwhile, anybody else has none anyway.
 * @param folder made reachable for that user.
 */
export function asOrdinaryUser<T>(folder: string, act: () => T): T {
  if (process.getuid?.() !== 0) return act();
  chmodSync(folder, 0o755);
  process.seteuid?.(nobody);
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}
