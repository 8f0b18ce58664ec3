/** Names of units as systemd.unit(5) has them, and what a person meant who wrote another. Pure. */

const typeSuffix = /\.(service|socket|target|timer|mount|automount|path|slice|scope|swap|device)$/;

/**
 * @param name with or without its type.
 * @returns what is wrong with it and what to write in its place, as the end of a sentence that begins with the name;
 * null for the name of a unit.
 */
export function unitNameFault(name: string): string | null {
  if (name === "") return "is empty; write the name of a unit, such as nginx";
  if (/[*?[\]]/.test(name)) return "is a pattern; name each unit by itself";
  if (name.includes("/")) return "is a path; write the name that systemctl status shows for it";
  if (!/^[A-Za-z0-9:_.\\@-]+$/.test(name))
    return "has a character that no unit's name has; systemd-escape makes a name of any text";
  const full = typeSuffix.test(name) ? name : `${name}.service`;
  if (full.length > 255) return "is longer than the 255 characters that a unit's name may have";
  const at = full.indexOf("@");
  const dot = full.lastIndexOf(".");
  if (dot === 0 || at === 0) return "has nothing before its type; write the name of a unit, such as nginx";
  if (at !== -1 && at + 1 === dot) {
    const instance = `${full.slice(0, at + 1)}NAME${full.slice(dot)}`.replace(/\.service$/, "");
    return `is a template, of which only instances run; name an instance, such as ${instance}`;
  }
  return null;
}
