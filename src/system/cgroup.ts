/** Which unit and which container a process belongs to, by the cgroups it is in. Pure. */

export interface Cgroup {
  /** Innermost `.service` or `.scope`; null outside of any, and where systemd does not manage cgroups. */
  readonly unit: string | null;
  /** Path of that unit's own cgroup. A name alone is not enough: each user may have a `foo.service`. */
  readonly unitPath: string | null;
  /** 12 digits of the container's id, as `docker ps` and `podman ps` show it. */
  readonly container: string | null;
}

export const noCgroup: Cgroup = { unit: null, unitPath: null, container: null };

// docker-ID.scope, /docker/ID, libpod-ID.scope, cri-containerd-ID.scope, /kubepods/burstable/podUID/ID, slice:cri-containerd:ID
const containerSegment = /^(?:.*[-:_])?([0-9a-f]{64})(?:\.scope)?$/;

/**
 * @param text `/proc/PID/cgroup`, cgroups(7): a line `number:controllers:path` for each hierarchy. With version 2 alone
 * that is `0::PATH`; with version 1 and in mixed set-ups systemd's own tree is the one called `name=systemd`.
 */
export function parseCgroup(text: string): Cgroup {
  let version2 = "";
  let systemdTree = "";
  let container: string | null = null;
  for (const line of text.split("\n")) {
    const first = line.indexOf(":");
    const second = line.indexOf(":", first + 1);
    if (first < 0 || second < 0) continue;
    const controllers = line.slice(first + 1, second);
    const path = line.slice(second + 1);
    if (controllers === "" && line.startsWith("0:")) version2 = path;
    else if (controllers === "name=systemd") systemdTree = path;
    container = containerOf(path) ?? container;
  }
  const path = systemdTree === "" || systemdTree === "/" ? version2 : systemdTree;
  return { ...unitOf(path), container };
}

function unitOf(path: string): { unit: string | null; unitPath: string | null } {
  const segments = path.split("/");
  for (let last = segments.length - 1; last >= 0; last -= 1) {
    const segment = segments[last] ?? "";
    if (segment.endsWith(".service") || segment.endsWith(".scope")) {
      return { unit: segment, unitPath: segments.slice(0, last + 1).join("/") };
    }
  }
  return { unit: null, unitPath: null };
}

function containerOf(path: string): string | null {
  // Most paths hold no id at all, and a split of each would cost more than this look.
  if (path.length < 64) return null;
  let container: string | null = null;
  for (const segment of path.split("/")) {
    // conmon watches a podman container from outside.
    if (segment.startsWith("libpod-conmon-") || segment.startsWith("crio-conmon-")) continue;
    container = containerSegment.exec(segment)?.[1]?.slice(0, 12) ?? container;
  }
  return container;
}
