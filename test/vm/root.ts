/**
 * The root file system, kernel and first RAM disk of a test machine: Debian with its cloud kernel, made once and kept
 * outside of the checkout. Every boot throws its writes away.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Root {
  /** ext4, a file of 2 GiB of which some 300 MB are there. */
  readonly image: string;
  readonly kernel: string;
  readonly ramDisk: string;
}

const suite = "bookworm";
const packages = [
  ...["linux-image-cloud-amd64", "systemd", "systemd-sysv", "dbus", "procps", "iproute2", "passwd"],
  ...["util-linux", "tmux"],
];
const agentUnit = fileURLToPath(new URL("guest/test-agent.service", import.meta.url));

/** What would work beside the tests: the lists of packages are not refreshed, and nobody logs in at a console. */
const idle = [
  ...["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer"],
  ...["e2scrub_all.timer", "e2scrub_reap.service", "getty.target", "systemd-timesyncd.service"],
];

/** Inside mmdebstrap, where "$1" is the root. */
const hooks = [
  `install -D -m 644 "${agentUnit}" "$1/etc/systemd/system/test-agent.service"`,
  'chroot "$1" systemctl --quiet enable test-agent.service',
  `chroot "$1" systemctl --quiet mask ${idle.join(" ")}`,
  'rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*',
  'echo machine >"$1/etc/hostname"',
  'printf "127.0.0.1 localhost machine\\n::1 localhost\\n" >"$1/etc/hosts"',
];

/** Makes it unless it is there; some 40 s. Throws one sentence. */
export function testRoot(): Root {
  const cache = cacheFolder();
  const recipe = [suite, ...packages, ...hooks, readFileSync(agentUnit, "utf8")];
  const key = createHash("sha256").update(recipe.join("\n")).digest("hex").slice(0, 16);
  const folder = join(cache, `vm-${suite}-${key}`);
  if (!existsSync(folder)) make(cache, folder);
  return {
    image: join(folder, "root.img"),
    kernel: join(folder, "vmlinuz"),
    ramDisk: join(folder, "initrd"),
  };
}

function cacheFolder(): string {
  const { XDG_CACHE_HOME } = process.env;
  if (XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== "") return join(XDG_CACHE_HOME, "argus-test-roots");
  return process.geteuid?.() === 0
    ? "/var/cache/argus-test-roots"
    : join(homedir(), ".cache/argus-test-roots");
}

function make(cache: string, folder: string): void {
  // What a run that was killed left behind, and what an older recipe made.
  mkdirSync(cache, { recursive: true });
  for (const name of readdirSync(cache)) {
    const maker = /^making-(\d+)$/.exec(name)?.[1];
    if (maker !== undefined ? !existsSync(`/proc/${maker}`) : name.startsWith(`vm-${suite}-`))
      rmSync(join(cache, name), { recursive: true, force: true });
  }
  const making = join(cache, `making-${process.pid}`);
  const root = join(making, "root");
  const done = join(making, "done");
  try {
    mkdirSync(done, { recursive: true });
    const given = [`--include=${packages.join(",")}`, ...hooks.map((hook) => `--customize-hook=${hook}`)];
    const mirror = `deb ${debianMirror()} ${suite} main`;
    command("mmdebstrap", "--quiet", "--variant=minbase", ...given, suite, root, mirror);
    for (const [from, to] of [
      ["vmlinuz", "vmlinuz"],
      ["initrd.img", "initrd"],
    ] as const) {
      const file = readdirSync(join(root, "boot")).find((name) => name.startsWith(`${from}-`));
      if (file === undefined) throw new Error(`The root that mmdebstrap made has no /boot/${from}-*.`);
      cpSync(join(root, "boot", file), join(done, to));
    }
    const image = join(done, "root.img");
    command("truncate", "--size=2G", image);
    command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", "-d", root, image);
    renameSync(done, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** Where this machine has its own packages from. */
function debianMirror(): string {
  const folder = "/etc/apt/sources.list.d";
  const more = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name)) : [];
  const files = ["/etc/apt/sources.list", ...more.map((name) => join(folder, name))];
  for (const file of files.filter((each) => existsSync(each))) {
    const text = readFileSync(file, "utf8");
    const found =
      /^URIs:\s*(\S+\/debian\/?)(\s|$)/m.exec(text) ??
      /^deb\s+(?:\[[^\]]*\]\s+)?(\S+\/debian\/?)\s/m.exec(text);
    if (found?.[1] !== undefined) return found[1];
  }
  throw new Error(
    "No Debian mirror stands in the apt sources of this machine; the test machine is made from one.",
  );
}

/** Ends, with its children and its mounts, when this process does. */
function command(program: string, ...args: string[]): void {
  const bound = [
    "--pdeathsig",
    "KILL",
    "--",
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--",
  ];
  const given = [...bound, program, ...args];
  const result = spawnSync("setpriv", given, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(`${program} failed while the test machine was made: ${result.stderr.trim()}`);
}
