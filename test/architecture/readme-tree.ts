/** The tree that the README shows, beside what is there. */

/** @returns what stands in the first code block that begins with `src/`: one name a line; folders end with a slash. */
export function treeIn(readme: string): { name: string; comment: string }[] | null {
  const block = /^```[a-z]*\nsrc\/\n([\s\S]*?)^```/m.exec(readme)?.[1];
  if (block === undefined) return null;
  return block
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name = "", comment = ""] = /^\s*(\S+)\s*(.*)$/.exec(line) ?? [];
      return { name, comment };
    });
}

/** @param present names in src; folders end with a slash. */
export function treeFaults(readme: string, present: readonly string[]): string[] {
  const tree = treeIn(readme);
  if (tree === null) return ["the README has no code block that begins with src/"];
  const shown = tree.map(({ name }) => name);
  return [
    ...present.filter((name) => !shown.includes(name)).map((name) => `${name} is not in the README's tree`),
    ...shown
      .filter((name) => !present.includes(name))
      .map((name) => `the README's tree has ${name}, which is not there`),
    ...shown
      .filter((name, index) => shown.indexOf(name) !== index)
      .map((name) => `the README's tree has ${name} twice`),
    ...tree
      .filter(({ comment }) => comment === "")
      .map(({ name }) => `${name} has no comment in the README's tree`),
  ];
}
