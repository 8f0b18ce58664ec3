/**
 * Broken files beside the whole text that a user reads about them: `test/fixtures/<set>/<defect>.json` (or `.env`, or a
 * folder of files) and `<defect>.txt`. To add one, put the broken file there, run
 * `ARGUS_GOLDEN=write npx vitest run test/bad-input`, and read the text that stands beside it now: is it clear what is
 * wrong, where, and how to mend it?
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { createFiles } from "../../src/system/files.ts";

const fixtures = join(import.meta.dirname, "../fixtures");

export interface BadInput {
  readonly defect: string;
  /** The broken file, or the folder that holds several. */
  readonly path: string;
  readonly files: readonly string[];
}

export function badInputs(set: string): BadInput[] {
  const folder = join(fixtures, set);
  return readdirSync(folder)
    .filter((name) => extname(name) !== ".txt")
    .map((name) => {
      const path = join(folder, name);
      const isFolder = statSync(path).isDirectory();
      return {
        defect: basename(name, extname(name)),
        path,
        files: isFolder ? readdirSync(path).map((each) => join(path, each)) : [path],
      };
    });
}

const textFile = ({ path, defect }: BadInput) => join(dirname(path), `${defect}.txt`);

/** The text that must be said. */
export function expectedText(input: BadInput): string {
  return existsSync(textFile(input))
    ? readFileSync(textFile(input), "utf8").trimEnd()
    : "(no text beside it yet)";
}

/** Puts down what is said now, when that was asked for. */
export function noteText(input: BadInput, said: string): void {
  if (process.env["ARGUS_GOLDEN"] === "write") writeFileSync(textFile(input), `${said}\n`);
}

/** Texts without a broken file beside them. */
export function strayTexts(set: string): string[] {
  const defects = new Set(badInputs(set).map(({ defect }) => defect));
  return readdirSync(join(fixtures, set)).filter(
    (name) => extname(name) === ".txt" && !defects.has(basename(name, ".txt")),
  );
}

/** A machine of folders alone: `/` of its files lies in a temporary folder. */
export function emptyMachine() {
  const root = mkdtempSync(join(tmpdir(), "argus-bad-"));
  return {
    root,
    files: createFiles(root),
    empty: (path: string) => rmSync(join(root, path), { recursive: true, force: true }),
    put(from: string, to: string) {
      mkdirSync(dirname(join(root, to)), { recursive: true });
      cpSync(from, join(root, to), { recursive: true });
    },
    write(path: string, content: string | Uint8Array) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
export type Machine = ReturnType<typeof emptyMachine>;
