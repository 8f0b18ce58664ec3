/**
 * What the host's tmpfiles.d(5) names in the folders of the safelist. Packages and administrators protect things there
 * with `x` lines, and give others a life of their own (`r!`: only at boot). systemd-tmpfiles leaves every path that
 * has a line of its own out of the cleaning of the folder around it; so does Argus.
 */
import type { Files } from "../../system/system.ts";

const folders = ["/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"];

/**
 * @returns a test for a path, null when nothing is named there. A masked file counts as well: leaving more alone is
 * never wrong.
 */
export function readExclusions(
  files: Files,
  safelisted: readonly string[],
): ((path: string) => boolean) | null {
  const patterns = folders
    .filter((folder) => files.stat(folder)?.kind === "directory")
    .flatMap((folder) =>
      files
        .list(folder)
        .filter((name) => name.endsWith(".conf"))
        .map((name) => `${folder}/${name}`),
    )
    .flatMap((path) => parseTmpfiles(files.tryRead(path) ?? ""))
    .filter((pattern) => safelisted.some((folder) => pattern.startsWith(`${folder}/`)));
  if (patterns.length === 0) return null;
  const any = new RegExp(`^(?:${patterns.map(globSource).join("|")})$`, "s");
  return (path) => any.test(path);
}

/** @returns the paths of all lines, as globs; what stands for a value of the host (`%b`) becomes `*`. */
export function parseTmpfiles(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const field = /^\s*[A-Za-z]\S*\s+("[^"]*"|'[^']*'|\S+)/.exec(line)?.[1];
    if (field === undefined) return [];
    const path = /^["']/.test(field) ? field.slice(1, -1) : field;
    return path
      .replace(/%(.)/g, (_, specifier: string) => specifiers[specifier] ?? "*")
      .replace(/(?<=.)\/+$/, "");
  });
}

const specifiers: Readonly<Record<string, string>> = { "%": "%", T: "/tmp", V: "/var/tmp" };

/** glob(7) with FNM_PATHNAME: no wildcard matches a slash. */
function globSource(glob: string): string {
  return glob.replace(/\[[!^]?\]?(?:\[:\w+:\]|[^\]])*\]|[\s\S]/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length === 1) return part.replace(/[.*+?^${}()|[\]\\]/, "\\$&");
    if (part.includes("[:")) return "[^/]"; // a class by name: any character, which only protects more
    const negated = /^\[[!^]/.test(part);
    const members = part.slice(negated ? 2 : 1, -1).replace(/[\\\]^[]/g, "\\$&");
    return negated ? `[^${members}/]` : `[${members}]`;
  });
}
