/** `argus.env`: lines of NAME=value, as systemd's EnvironmentFile= reads them, without its line continuations. */
import { UserError } from "../types/errors.ts";
import { variables } from "../types/settings.ts";
import { nearest } from "./names.ts";
import type { Files } from "./system.ts";

export interface EnvFile {
  readonly path: string;
  readonly state: "absent" | "unreadable" | "read";
  readonly values: ReadonlyMap<string, string>;
}

/** @throws UserError for a line that is none, and for a name that Argus does not know. */
export function readEnvFile(files: Files, path: string): EnvFile {
  if (files.stat(path) === null) return { path, state: "absent", values: new Map() };
  const text = files.tryRead(path);
  if (text === null) return { path, state: "unreadable", values: new Map() };
  const values = new Map<string, string>();
  text.split("\n").forEach((line, index) => {
    const where = `${path}:${index + 1}`;
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) return;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(trimmed);
    if (match === null) throw new UserError(`${where}: must be NAME=value, a comment or empty`);
    const [, name = "", raw = ""] = match;
    if (!Object.hasOwn(variables, name))
      throw new UserError(`${where}: unknown setting ${name}${nearest(name, Object.keys(variables))}`);
    const quoted = /^"(.*)"$|^'(.*)'$/.exec(raw.trim());
    values.set(name, quoted === null ? raw.trim() : (quoted[1] ?? quoted[2] ?? ""));
  });
  return { path, state: "read", values };
}
