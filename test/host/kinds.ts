/** The kinds of host that the tests run on. Each variable makes every host of a run one of that kind. */
export const releases = ["bullseye", "bookworm", "trixie"] as const;
/** Codename of Debian 11, 12 or 13. */
export type Release = (typeof releases)[number];

export const journals = ["persistent", "volatile", "none"] as const;
/** Storage= of journald. */
export type Journal = (typeof journals)[number];

export const bootIds = ["own", "kernel"] as const;
/**
 * `own`: a container's manager mounted another boot id over the kernel's, as systemd-nspawn, LXC, Incus and Proxmox do.
 * `kernel`: systemd sees the kernel's, as on a machine.
 */
export type BootIds = (typeof bootIds)[number];

export interface Kind {
  /** null: the programs of this machine. */
  readonly release: Release | null;
  readonly journal: Journal;
  readonly bootId: BootIds;
}

/** As ARGUS_HOST_RELEASE, ARGUS_HOST_JOURNAL and ARGUS_HOST_BOOT_ID ask for it. Throws one sentence. */
export function kindAskedFor(env: NodeJS.ProcessEnv = process.env): Kind {
  return {
    release: choice(env, "ARGUS_HOST_RELEASE", releases) ?? null,
    journal: choice(env, "ARGUS_HOST_JOURNAL", journals) ?? "persistent",
    bootId: choice(env, "ARGUS_HOST_BOOT_ID", bootIds) ?? "own",
  };
}

function choice<T extends string>(env: NodeJS.ProcessEnv, name: string, all: readonly T[]): T | undefined {
  const given = env[name] ?? "";
  const found = all.find((each) => each === given);
  if (given !== "" && found === undefined)
    throw new Error(`${name} is "${given}"; say ${all.join(", ")}, or leave it out.`);
  return found;
}
