/** Tables and marked sections of Markdown. */

/** Columns are padded, so that the table reads as well in a terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")),
  );
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join(" | ")} |`;
  const [first = [], ...others] = cells;
  return [
    line(first),
    `|${head.map((_, column) => "-".repeat(column === head.length - 1 ? 3 : (widths[column] ?? 0) + 2)).join("|")}|`,
    ...others.map(line),
  ].join("\n");
}

export const code = (text: string): string => `\`${text}\``;

/** @throws when the text has not exactly one pair of markers for each section, or markers for others. */
export function withSections(text: string, sections: Readonly<Record<string, string>>): string {
  const named = [...text.matchAll(/<!-- BEGIN ([a-z-]+)/g)].map(([, name = ""]) => name);
  const wanted = Object.keys(sections);
  if (named.join() !== wanted.join()) {
    throw new Error(
      `the text has markers for ${named.join(", ") || "nothing"}, but there are ${wanted.join(", ")}`,
    );
  }
  return text.replace(
    /(<!-- BEGIN ([a-z-]+)[^>]*-->\n)[\s\S]*?(<!-- END \2 -->)/g,
    (_, begin: string, name: string, end: string) => `${begin}${sections[name]}\n${end}`,
  );
}
