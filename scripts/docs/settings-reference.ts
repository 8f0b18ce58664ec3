/** The references of docs/settings.md and argus.env.example, read off the schema and the table that config.ts reads. */
import * as z from "zod";
import { formerSettings } from "../../src/system/first-argus/settings-table.ts";
import { ChannelSetting } from "../../src/types/channels.ts";
import { SettingsFile, type Variable, variables } from "../../src/types/settings.ts";
import { code, table } from "./markdown.ts";
import { typeOf } from "./types.ts";

const rows: readonly [string, Variable][] = Object.entries(variables);

/** A default that only the description knows gets into its own column. */
function withoutDefault(description: string): [what: string, fallback: string] {
  const [whole = "", fallback = ""] = / \(default:? ([^)]+)\)/.exec(description) ?? [];
  return [description.replace(whole, ""), fallback];
}

function settingRows(prefix: string, schema: z.ZodObject): string[][] {
  return Object.entries(schema.shape).flatMap(([key, member]) => {
    if (key === "$schema") return [];
    const { word, required, fallback, inner, description } = typeOf(member);
    const path = `${prefix}${key}`;
    const isList = word.startsWith("list");
    const [what, said] = withoutDefault(description);
    // The default of an object is what stands at its members.
    const given = inner !== null && !isList ? null : fallback;
    const row = [code(path), word, required ? "must be given" : given === null ? said : code(given), what];
    return inner === null ? [row] : [row, ...settingRows(`${path}${isList ? "[]" : ""}.`, inner)];
  });
}

export function settingsReference(): string {
  return table(["key", "type", "default", "what it is"], settingRows("", SettingsFile));
}

/** One form for each type of channel. */
export function channelsReference(): string {
  const rows = ChannelSetting.options.flatMap((option) => {
    const { type, ...shape } = option.shape;
    const [name = ""] = [...type.values];
    return settingRows("", z.object(shape)).map(([key = "", ...rest]) => [code(name), key, ...rest]);
  });
  return table(["type", "key", "value", "default", "what it is"], rows);
}

function valueCell(row: Variable): string {
  if (row.kind === "integer") return `${row.min} to ${row.max} ${row.unit}`;
  if (row.kind === "choice") return row.choices.join(" or ");
  return row.kind === "flag" ? "true or false" : row.kind;
}

function defaultCell(row: Variable): string {
  if (row.kind === "text")
    return row.secret === true ? "none (secret)" : withoutDefault(row.what)[1] || "none";
  return row.kind === "path" ? row.fallback : code(String(row.fallback));
}

export function variablesReference(): string {
  return table(
    ["variable", "value", "default", "what it is"],
    rows.map(([name, row]) => [code(name), valueCell(row), defaultCell(row), withoutDefault(row.what)[0]]),
  );
}

/** What became of the variables of the first Argus. */
export function formerReference(): string {
  return table(
    ["variable of the first Argus", "today"],
    formerSettings.map(([name, { now }]) => [code(name), now]),
  );
}

const head = `# Settings and secrets of Argus: copy this file to argus.env beside argus.json, and take away the # of a line to set it.
# A line is NAME=value, where $HOME and names of lines above are filled in. The environment wins over this file.
# Keep it to yourself (chmod 600): it may hold secrets.
`;

function exampleOf(name: string, row: Variable): string {
  const range =
    row.kind === "integer"
      ? ` (${row.min} to ${row.max} ${row.unit})`
      : row.kind === "path"
        ? ` (default: ${row.fallback})`
        : row.kind === "choice"
          ? ` (${row.choices.join(" or ")})`
          : "";
  const value = "fallback" in row && row.kind !== "path" ? String(row.fallback) : "";
  return `# ${row.what.replaceAll("`", "")}${range}\n#${name}=${value}\n`;
}

export function envExample(): string {
  // It is found beside the settings file, and so cannot say where that is.
  const inFile = rows.filter(([name]) => name !== "ARGUS_CONFIG");
  return [head, ...inFile.map(([name, row]) => exampleOf(name, row))].join("\n");
}
