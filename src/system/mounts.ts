/** What is mounted where, by `/proc/PID/mountinfo` of proc(5). Pure. */

export interface Mount {
  /** Unique among the mounts there are; `mnt_id` of /proc/PID/fdinfo. */
  readonly id: number;
  /** Mount point. */
  readonly mount: string;
  /** Path inside the file system that is mounted there: not `/` for a bind mount of a part. */
  readonly root: string;
  /** As in `st_dev`: the same for every mount of one file system. */
  readonly deviceNumber: number;
  /** Block device, or what else the file system calls its source. */
  readonly device: string;
  readonly type: string;
  readonly readOnly: boolean;
  /** Options of the file system, such as `size=1024k`. */
  readonly options: readonly string[];
}

/** @param text `ID PARENT MAJOR:MINOR ROOT MOUNT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS`, a line each. */
export function parseMountInfo(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    // The number of tags before the dash varies.
    const dash = fields.indexOf("-", 6);
    const [id, , numbers, root, mount, flags] = fields;
    const [type, source, superOptions] = fields.slice(dash + 1);
    if (dash < 0 || type === undefined || source === undefined) continue;
    if (numbers === undefined || root === undefined || mount === undefined || flags === undefined) continue;
    const [major, minor] = numbers.split(":");
    const options = (superOptions ?? "").split(",");
    mounts.push({
      id: Number(id),
      mount: unescapeOctal(mount),
      root: unescapeOctal(root),
      deviceNumber: deviceNumber(Number(major), Number(minor)),
      device: unescapeOctal(source),
      type,
      readOnly: flags.split(",").includes("ro") || options.includes("ro"),
      options,
    });
  }
  return mounts;
}

/** By the id of a mount that of the one on which its mount point lies. */
export function parseMountParents(text: string): Map<number, number> {
  const parents = new Map<number, number>();
  for (const [, id, parent] of text.matchAll(/^(\d+) (\d+) \d+:\d+ /gm))
    parents.set(Number(id), Number(parent));
  return parents;
}

/** The kernel writes space, tab, newline, backslash and # as `\040` and so on, byte by byte. */
export function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** `st_dev` of a major and a minor number (makedev(3)). */
export function deviceNumber(major: number, minor: number): number {
  // Multiplied, not shifted: a major number above 127 would make a shift negative.
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x10_0000;
}

export function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** The mount that an absolute path without links lies on: of those above it the deepest, of equal ones the latest. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  let found: Mount | null = null;
  for (const mount of mounts) {
    if (isWithin(path, mount.mount) && mount.mount.length >= (found?.mount.length ?? 0)) found = mount;
  }
  return found;
}

/** Behind these is another machine or program, which may never answer. */
export function mayHang(type: string): boolean {
  return type.startsWith("fuse") || networkTypes.has(type);
}

/** Without links: the file system itself, or one on the way to it, is of such a type. */
export function liesBehindNetwork(mounts: readonly Mount[], path: string): boolean {
  const parts = path.split("/");
  return parts.some((_, index) =>
    mayHang(mountOf(mounts, parts.slice(0, index + 1).join("/") || "/")?.type ?? ""),
  );
}

/** What is mounted there now: a later mount on the same place hides the earlier one. */
export function mountAt(mounts: readonly Mount[], path: string): Mount | null {
  return mounts.findLast((each) => each.mount === path) ?? null;
}

const networkTypes = new Set([
  "9p",
  "afs",
  "autofs", // to look at what lies below it is to have a server asked for it
  "ceph",
  "cifs",
  "davfs",
  "gfs2",
  "glusterfs",
  "lustre",
  "ncpfs",
  "nfs",
  "nfs4",
  "ocfs2",
  "smb3",
  "smbfs",
]);
