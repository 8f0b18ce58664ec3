/** Every secret among the settings: what argus.env, the environment and argus.json hold that nobody is to read elsewhere. */
import { type Variable, variables } from "../types/variables.ts";
import { type EnvFile, isSecretName } from "./env-file.ts";
import type { KnownSecret } from "./redact/known.ts";
import { isSecretValue, looksRandom, tellingOf } from "./redact/names.ts";
import { partsRedacted } from "./redact/text.ts";
import type { Files } from "./system.ts";

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envFile: EnvFile;
  /** argus.json as it was read. */
  readonly settings: unknown;
  readonly files: Files;
}

/** The secret as a whole first, and then its parts, each under the name of its setting. */
export function secretsAmong({ env, envFile, settings, files }: SecretSources): KnownSecret[] {
  const given = [
    ...Object.entries(env),
    ...[...envFile.values].map(([name, { text }]) => [name, text] as const),
  ];
  return [
    ...given.flatMap(([name, value = ""]) => ofVariable(name, value)),
    ...ofSettings(settings, "argus.json"),
    ...ofAgent(settings, files),
  ];
}

function ofVariable(name: string, value: string): KnownSecret[] {
  const row: Variable | undefined = Object.hasOwn(variables, name)
    ? variables[name as keyof typeof variables]
    : undefined;
  if (row !== undefined) {
    if (row.kind !== "text") return [];
    const isSecret = row.secret === true;
    if (isUrl(value)) return ofUrl(name, value, isSecret);
    return isSecret ? ofHeader(name, value) : [];
  }
  if (isSecretName(name)) return isUrl(value) ? ofUrl(name, value, true) : ofHeader(name, value);
  // Others' variables reach what this process starts, and come back in its errors.
  if (isUrl(value)) return ofUrl(name, value, false);
  const telling = tellingOf(name);
  const isOne = telling === "password" || telling === "key";
  return isOne && value.length >= 8 && isSecretValue(telling, value, { quoted: true, assigned: true })
    ? [{ name, value }]
    : [];
}

/** `Bearer KEY`, `Basic BASE64`, `123456:ABC`: as a whole, and in the parts that somebody may repeat alone. */
export function headerParts(value: string): string[] {
  const words = value.trim().split(/\s+/);
  const credentials = words.length > 1 ? words.slice(1) : [];
  const decoded = /^basic$/i.test(words[0] ?? "")
    ? credentials.map((word) => Buffer.from(word, "base64").toString("utf8").split(":").slice(1).join(":"))
    : [];
  const telegram = /^\d{4,}:(\S{8,})$/.exec(value)?.[1];
  return [value, ...credentials, ...decoded, ...(telegram === undefined ? [] : [telegram])].filter(
    (part) => part !== "",
  );
}

const ofHeader = (name: string, value: string): KnownSecret[] =>
  headerParts(value).map((part) => ({ name, value: part, whole: part === value }));

const isUrl = (value: string): boolean => /^[a-z][a-z0-9+.-]{1,20}:\/\//i.test(value) && URL.canParse(value);

/** @param isKey whoever has the address may use it: then its path is a secret too. */
function ofUrl(name: string, value: string, isKey: boolean): KnownSecret[] {
  const url = new URL(value);
  const decoded = (text: string): string[] => {
    try {
      return [decodeURIComponent(text), text];
    } catch {
      return [text];
    }
  };
  const user = looksRandom(url.username, 16) ? [url.username] : [];
  const query = [...url.searchParams].flatMap(([key, text]) => {
    const telling = tellingOf(key);
    const isOne = telling !== null && isSecretValue(telling, text, { quoted: true, assigned: true });
    return isOne || looksRandom(text, 12) || (isKey && text.length >= 8) ? [text] : [];
  });
  const path = url.pathname.split("/").filter((part) => isKeyPart(part, isKey));
  const fragment = looksRandom(url.hash.slice(1), 12) ? [url.hash.slice(1)] : [];
  const parts = [url.password, ...user, ...query, ...path, ...fragment].filter((part) => part !== "");
  return [...new Set(parts.flatMap(decoded))].map((part) => ({ name, value: part }));
}

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const isKeyPart = (part: string, isKey: boolean): boolean =>
  uuid.test(part) ||
  looksRandom(part, 12) ||
  (isKey && part.length >= 8 && !/^[a-z]+(?:-[a-z]+)*$/.test(part));

/** Addresses of channels and endpoints, and what stands in the arguments of programs. */
function ofSettings(value: unknown, name: string): KnownSecret[] {
  if (typeof value === "string")
    return isUrl(value)
      ? ofUrl(name, value, name.includes("channels"))
      : partsRedacted([value]).map((part) => ({ name, value: part }));
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every((each) => typeof each === "string" && !isUrl(each)))
      return partsRedacted(value).map((part) => ({ name, value: part }));
    return value.flatMap((each) => ofSettings(each, name));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => ofSettings(each, `${name} ${key}`));
}

/** The coding agent's own environment, where this user may read it: its output comes back to us. */
function ofAgent(settings: unknown, files: Files): KnownSecret[] {
  const handOff = typeof settings === "object" && settings !== null ? Reflect.get(settings, "handOff") : null;
  const path =
    typeof handOff === "object" && handOff !== null ? Reflect.get(handOff, "environmentFile") : null;
  if (typeof path !== "string") return [];
  const text = contentOf(files, path);
  return text.split("\n").flatMap((line) => {
    const [, name = "", value = ""] = /^\s*([A-Za-z_]\w*)\s*=\s*["']?(.*?)["']?\s*$/.exec(line) ?? [];
    if (isUrl(value)) return ofUrl(name, value, false);
    return tellingOf(name) !== null || looksRandom(value, 16) ? ofHeader(name, value) : [];
  });
}

/** Empty for whoever may not read it: only the executor's process needs to. */
function contentOf(files: Files, path: string): string {
  try {
    return files.tryReadHead(path, 100_000) ?? "";
  } catch {
    return "";
  }
}
