/**
 * What the host's tmpfiles.d(5) names in the folders of the safelist. Packages and administrators protect things there
 * with `x` lines, and give others a life of their own (`r!`: only at boot). systemd-tmpfiles leaves every path that
 * has a line of its own out of the cleaning of the folder around it; so does Argus.
 */
import type { Files } from "../../system/system.ts";

const folders = ["/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"];

/**
 * Tests a path.
 * @param passing it is a folder that is only passed through and never removed: of those stay alone what an `x` line
 * names, with all below it. Packages have a line for each folder that they make (`d /var/log/postgresql`).
 */
export type Exclusions = (path: string, passing?: boolean) => boolean;

/** null when nothing is named there. A masked file counts as well: leaving more alone is never wrong. */
export function readExclusions(files: Files, safelisted: readonly string[]): Exclusions | null {
  const lines = folders
    .filter((folder) => files.stat(folder)?.kind === "directory")
    .flatMap((folder) =>
      files
        .list(folder)
        .filter((name) => name.endsWith(".conf"))
        .map((name) => `${folder}/${name}`),
    )
    .flatMap((path) => linesOf(files.tryRead(path) ?? ""))
    .filter(({ path }) => safelisted.some((folder) => path.startsWith(`${folder}/`)));
  if (lines.length === 0) return null;
  const any = patternOf(lines);
  const ignored = patternOf(lines.filter(({ type }) => type.startsWith("x")));
  return (path, passing = false) => (passing ? ignored : any).test(path);
}

function patternOf(lines: readonly Line[]): RegExp {
  if (lines.length === 0) return /(?!)/;
  return new RegExp(`^(?:${lines.map(({ path }) => globSource(path)).join("|")})$`, "s");
}

interface Line {
  readonly type: string;
  readonly path: string;
}

/** @returns the paths of all lines, as globs; what stands for a value of the host (`%b`) becomes `*`. */
export function parseTmpfiles(text: string): string[] {
  return linesOf(text).map(({ path }) => path);
}

function linesOf(text: string): Line[] {
  return text.split("\n").flatMap((line) => {
    const [, type, rest] = /^\s*([A-Za-z]\S*)\s+(\S.*)$/s.exec(line) ?? [];
    if (type === undefined || rest === undefined) return [];
    const path = firstField(rest)
      .replace(/%(.)/g, (_, specifier: string) => specifiers[specifier] ?? "*")
      .replace(/(?<=.)\/+$/, "");
    return path === "" ? [] : [{ type, path }];
  });
}

/** A field may have quotes around any part of it, and escapes as C has them: `/tmp/my\x20files` (tmpfiles.d(5)). */
function firstField(text: string): string {
  const [field] = /^(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s\\])+/s.exec(text) ?? [""];
  return field.replace(
    /["']|\\(x[0-9A-Fa-f]{2}|[0-7]{3}|u[0-9A-Fa-f]{4}|.)/gs,
    (_, escaped: string | undefined) => (escaped === undefined ? "" : unescaped(escaped)),
  );
}

const letters: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  s: " ",
  t: "\t",
  v: "\v",
};

function unescaped(escaped: string): string {
  if (/^[xu]./.test(escaped)) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  if (/^[0-7]{3}$/.test(escaped)) return String.fromCharCode(Number.parseInt(escaped, 8));
  return letters[escaped] ?? escaped;
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
