/** docs/security.md names the test that shows each line: each of them is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(test|host)\.ts$/.test(name) && !name.startsWith("docs/"))
  .map((name) => readFileSync(join(root, "test", name), "utf8"))
  .join("\n");

const rows = readFileSync(join(root, "docs/security.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) => line.split("|").map((cell) => cell.trim()));
const shown = rows.map((cells) => cells.at(-2) ?? "");
const names = shown.flatMap((cell) => [...cell.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name));
const paths = shown.flatMap((cell) => [...cell.matchAll(/`(test\/[^`]+)`/g)].map(([, path = ""]) => path));

it.each(names)("%j is the name of a test", (name) => {
  expect(tests).toContain(`"${name.replaceAll('"', '\\"')}"`);
});

it.each(paths)("%s is there", (path) => {
  expect(existsSync(join(root, path))).toBe(true);
});

it("names a test, or the line above does, wherever something is enforced", () => {
  expect(names.length).toBeGreaterThan(10);
  expect(paths.length).toBeGreaterThan(1);
});
