/**
 * The folders in which `clean_disk` may remove, and the only ones. This list is code on purpose: neither settings,
 * nor a rule, nor the model can make it longer.
 */
import { join, normalize } from "node:path";

export interface SafelistFolder {
  /** Absolute. Never removed itself. */
  readonly path: string;
  /**
   * `tree`: whatever lies below it. `rotated archives`: regular files with such names in it and in the folders below it,
   * never a folder. Otherwise only regular files directly in it whose name matches.
   */
  readonly holds: "tree" | "rotated archives" | RegExp;
  /**
   * How many levels below the folder lie the things that go as a whole or not at all. In /tmp that is 1: a directory
   * there is one program's work, and half of it is worth nothing. A directory above that level is a shelf: its
   * contents are judged each by itself, and it goes when all of them went and it is old. `Infinity`: every file is
   * one thing, as in caches that fetch a missing file again.
   */
  readonly unitLevel: number;
  /** The home it belongs to: there only entries of the home's owner are removed. */
  readonly home: string | null;
  /** Whether names such as .X11-unix directly in it mean what they mean in /tmp. */
  readonly hasWellKnownNames: boolean;
}

const everyFile = Number.POSITIVE_INFINITY;

const temporary = ["/tmp", "/var/tmp"];

const caches: readonly { below: string; unitLevel: number }[] = [
  { below: ".cache/pip", unitLevel: everyFile },
  // v6/npm-left-pad-1.3.0-<hash>/…: yarn takes a package that lacks a file for whole.
  { below: ".cache/yarn", unitLevel: 2 },
  { below: ".cache/go-build", unitLevel: everyFile },
  // _npx/<hash>/node_modules/… is an installed program.
  { below: ".cache/npm", unitLevel: 2 },
  { below: ".cache/npm/_cacache", unitLevel: everyFile },
  { below: ".npm/_cacache", unitLevel: everyFile },
];

/** What is rotated in Argus's own log folder: `daemon.log.2.gz`. As in a shell, `*` does not match a leading dot. */
export const rotatedLog = /^[^.].*\.log\.[0-9]{1,2}\.gz$/s;

/**
 * @param homes absolute paths; what is not one is left out.
 * @param logDir Argus's own log folder.
 */
export function safelist(homes: readonly string[], logDir: string): SafelistFolder[] {
  const folders: SafelistFolder[] = [];
  const add = (folder: SafelistFolder) => {
    if (!folders.some((each) => each.path === folder.path)) folders.push(folder);
  };
  for (const path of temporary) {
    add({ path, holds: "tree", unitLevel: 1, home: null, hasWellKnownNames: true });
  }
  for (const home of homes.filter(isAbsolute).map(withoutDots)) {
    for (const { below, unitLevel } of caches) {
      add({ path: join(home, below), holds: "tree", unitLevel, home, hasWellKnownNames: false });
    }
  }
  add({
    path: "/var/log",
    holds: "rotated archives",
    unitLevel: everyFile,
    home: null,
    hasWellKnownNames: false,
  });
  for (const path of [logDir].filter(isAbsolute).map(withoutDots)) {
    add({ path, holds: rotatedLog, unitLevel: 1, home: null, hasWellKnownNames: false });
  }
  return folders;
}

/**
 * Folders of /var/log that are not looked into. journald rotates its own; how long an audit trail is kept is for the
 * law to say; and a backup is named like a rotated log, but is needed.
 */
export function holdsOtherThanLogs(name: string, level: number): boolean {
  return (level === 1 && (name === "journal" || name === "audit")) || /^(?:backups?|dumps?)$/i.test(name);
}

const isAbsolute = (path: string) => path.startsWith("/");

/** A `..` would be opened as the parent it is. */
function withoutDots(path: string): string {
  const plain = normalize(path);
  return plain.length > 1 && plain.endsWith("/") ? plain.slice(0, -1) : plain;
}

/**
 * Names directly in /tmp and /var/tmp that a running system needs for as long as it runs, whatever their age.
 * @param bootId of the running kernel, `unknown` when it could not be read.
 */
export function isWellKnownName(name: string, bootId: string): boolean {
  if (wellKnown.test(name)) return true;
  // systemd-private-<boot id without dashes>-<unit>-<random>: the private /tmp of a service. systemd removes it when
  // the service stops, so one of this boot belongs to a running service. One of an earlier boot is a leftover.
  if (!name.startsWith("systemd-private-")) return false;
  const boot = bootId.replaceAll("-", "");
  return !/^[0-9a-f]{32}$/.test(boot) || name.startsWith(`systemd-private-${boot}`);
}

const wellKnown =
  /^(?:\.(?:X11|ICE|XIM|font|Test)-unix|\.X\d+-lock|snap-private-tmp|snap\..*|lost\+found|\.journal|aquota\.(?:user|group))$/;
