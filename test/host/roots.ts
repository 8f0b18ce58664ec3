/**
 * Roots of other Debian releases, out of which hosts are booted: made once by mmdebstrap from the mirror that this machine's own apt
 * sources name, and kept outside the checkout.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Release } from "./kinds.ts";

/** What a plain server has, and what the tests call. */
const packages = [
  ...["systemd", "systemd-sysv", "dbus", "passwd", "util-linux", "procps", "tmux"],
  ...["ca-certificates", "python3-minimal"],
];

/** The folder with that root; it is made when it is not there, in half a minute. Throws one sentence. */
export function rootOf(release: Release): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? "/var/cache";
  const key = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 12);
  const folder = join(cache, "argus-test-roots", `${release}-${key}`);
  if (existsSync(folder)) return folder;
  mkdirSync(join(cache, "argus-test-roots"), { recursive: true });
  removeAbandoned(join(cache, "argus-test-roots"));
  const unfinished = `${folder}.${process.pid}`;
  try {
    const made = spawnSync(
      "mmdebstrap",
      [
        ...["--quiet", "--variant=minbase", `--include=${packages.join(",")}`, "--format=directory"],
        ...aptOptions().map((option) => `--aptopt=${option}`),
        ...[release, unfinished, `deb ${mirror()} ${release} main`],
      ],
      { encoding: "utf8", timeout: 300_000 },
    );
    if (made.error !== undefined || made.status !== 0)
      throw new Error(
        `mmdebstrap made no root of ${release}: ${made.error?.message ?? made.stderr.trim().split("\n").slice(-3).join(" / ")}`,
      );
    try {
      renameSync(unfinished, folder);
    } catch (error) {
      // Somebody else was faster.
      if (!existsSync(folder)) throw error;
    }
    return folder;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** What a run that was killed while it made a root left behind: its name ends with the maker's pid. */
function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder)) {
    const maker = /^[a-z]+-[0-9a-f]{12}\.(\d+)$/.exec(name)?.[1];
    if (maker !== undefined && !existsSync(`/proc/${maker}`))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Of Debian's packages, as apt itself reads its sources here. */
function mirror(): string {
  const own = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  const format = "$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)";
  const lines = output("apt-get", "indextargets", "--format", format).split("\n");
  const found = lines
    .map((line) => line.split(" "))
    .find(
      ([by, , suite, component]) =>
        by === "Packages" && component === "main" && (suite === own || suite === "stable"),
    );
  if (found?.[1] === undefined)
    throw new Error("apt's sources here name no mirror of Debian: other releases cannot be made.");
  return found[1];
}

/** A root of its own reads none of this machine's settings: the way to the mirror goes along. */
const aptOptions = (): string[] =>
  output("apt-config", "dump")
    .split("\n")
    .filter((line) => /^Acquire::(?:https?::\S|Retries)/.test(line) && !line.endsWith(' "";'));

function output(program: string, ...args: string[]): string {
  const result = spawnSync(program, args, { encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${program} ${args[0]} failed: ${result.stderr}`);
  return result.stdout;
}
