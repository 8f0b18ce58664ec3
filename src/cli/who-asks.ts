import type { Context } from "./context.ts";

/** The user at the command line, for what is recorded under a name. */
export function whoAsks({ env, system: { self } }: Context): string {
  const name = env["SUDO_USER"] ?? env["USER"] ?? (self.uid === 0 ? "root" : `uid ${self.uid}`);
  return name.slice(0, 256);
}
