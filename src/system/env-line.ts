/** One variable of `argus.env` set, and every other line of the file left as it is. Pure. */
import { shellPrefix } from "./first-argus/shell-lines.ts";

const prefix = new RegExp(`^${shellPrefix}`);

/**
 * @param text as readEnvFile takes it: the name is set on one line at most.
 * @returns the text with that line replaced; without one it stands below its example, else at the end.
 */
export function withVariable(text: string, name: string, value: string): string {
  const lines = text.split("\n");
  const endOf = (line = ""): string => (line.endsWith("\r") ? "\r" : "");
  const at = lines.findIndex((line) => line.trim().replace(prefix, "").startsWith(`${name}=`));
  const present = lines[at];
  if (present !== undefined) {
    const before = present.slice(0, present.indexOf(name));
    lines[at] = `${before}${name}=${value}${endOf(present)}`;
    return lines.join("\n");
  }
  const example = lines.findIndex((line) => isExample(line.trim(), name));
  if (example !== -1) lines.splice(example + 1, 0, `${name}=${value}${endOf(lines[example])}`);
  else if (lines.at(-1) === "") lines.splice(-1, 0, `${name}=${value}${endOf(lines[0])}`);
  else lines.push(`${name}=${value}`, "");
  return lines.join("\n");
}

const isExample = (line: string, name: string): boolean =>
  /^[#;]/.test(line) && line.replace(/^[#;]\s*/, "").startsWith(`${name}=`);
