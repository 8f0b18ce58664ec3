import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SourceFile } from "./architecture/imports.ts";
import { violations } from "./architecture/law.ts";
import { treeFaults } from "./architecture/readme-tree.ts";

const root = realpathSync(join(import.meta.dirname, ".."));
const src = join(root, "src");

function sourceFiles(): SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(src, path), "utf8") }));
}

/** @returns what the files ask for while they are imported. */
function askedAtImport(folder: string, files: readonly string[]): string[] {
  const script = join(import.meta.dirname, "architecture/at-import.mjs");
  const output = execFileSync(process.execPath, ["--import", "tsx", script, folder, ...files], {
    encoding: "utf8",
    cwd: root,
  });
  return output.split("\n").filter((line) => line !== "");
}

describe("src", () => {
  it("keeps the law of imports", () => {
    const files = sourceFiles();
    expect(files.length).toBeGreaterThan(50);
    expect(violations(files)).toEqual([]);
  });

  it("asks for no clock, environment or disk when it is imported", () => {
    // main.ts is the program itself: to import it is to run it.
    const files = sourceFiles()
      .map(({ path }) => path)
      .filter((path) => path !== "main.ts");
    expect(askedAtImport(src, files)).toEqual([]);
  });

  it("is what the tree in the README shows", () => {
    const present = readdirSync(src, { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? `${entry.name}/` : entry.name,
    );
    expect(treeFaults(readFileSync(join(root, "README.md"), "utf8"), present)).toEqual([]);
  });
});

describe("the law of imports catches", () => {
  const others = [
    "cli/main.ts",
    "collect/disks.ts",
    "detect/judge.ts",
    "record/trail.ts",
    "report/explain.ts",
    "system/files.ts",
    "types/facts.ts",
    "config.ts",
    "cycle.ts",
  ];
  const judged = (path: string, text: string) =>
    violations([
      { path, text },
      ...others.filter((each) => each !== path).map((each) => ({ path: each, text: "" })),
    ]);

  const cases: [what: string, path: string, text: string, found: string][] = [
    [
      "an import upwards",
      "system/x.ts",
      'import { a } from "../report/explain.ts";',
      "imports report/explain.ts, upwards",
    ],
    [
      "the same for its types alone",
      "types/x.ts",
      'import type { A } from "../system/files.ts";',
      "imports system/files.ts, upwards",
    ],
    [
      "over several lines",
      "system/x.ts",
      'import {\n  a,\n  type B,\n} from "../report/explain.ts";',
      "imports report/explain.ts, upwards",
    ],
    [
      "in an export",
      "system/x.ts",
      'export { a } from "../report/explain.ts";',
      "imports report/explain.ts, upwards",
    ],
    [
      "in an export of all",
      "system/x.ts",
      'export * from "../report/explain.ts";',
      "imports report/explain.ts, upwards",
    ],
    [
      "in an export of types",
      "system/x.ts",
      'export type { A } from "../report/explain.ts";',
      "imports report/explain.ts, upwards",
    ],
    ["for its effect", "system/x.ts", 'import "../report/explain.ts";', "imports report/explain.ts, upwards"],
    [
      "while running",
      "system/x.ts",
      'const f = async () => (await import("../report/explain.ts")).a;',
      "imports report/explain.ts, upwards",
    ],
    [
      "from a folder below a folder",
      "system/deep/x.ts",
      'import { a } from "../../cli/main.ts";',
      "imports cli/main.ts, upwards",
    ],
    [
      "a stage that imports a stage",
      "collect/x.ts",
      'import { a } from "../detect/judge.ts";',
      "imports detect/judge.ts: stages never import one another",
    ],
    [
      "also the one below it",
      "detect/x.ts",
      'import { a } from "../record/trail.ts";',
      "imports record/trail.ts: stages never import one another",
    ],
    [
      "a file at the top in a stage",
      "record/x.ts",
      'import { a } from "../config.ts";',
      "imports config.ts, a file at the top, which only cli/ may",
    ],
    [
      "a file at the top in system",
      "system/x.ts",
      'import { a } from "../cycle.ts";',
      "imports cycle.ts, a file at the top, which only cli/ may",
    ],
    [
      "types with more than zod",
      "types/x.ts",
      'import { join } from "node:path";',
      "imports node:path; types/ imports only zod",
    ],
    [
      "types with another package",
      "types/x.ts",
      'import a from "execa";',
      "imports execa; types/ imports only zod",
    ],
    ...[
      "node:fs",
      "node:fs/promises",
      "node:child_process",
      "node:http",
      "node:https",
      "node:net",
      "node:dgram",
      "node:tls",
      "node:dns",
      "node:worker_threads",
      "node:vm",
    ].map((name): [string, string, string, string] => [
      name,
      "execute/x.ts",
      `import a from "${name}";`,
      `imports ${name}, which only system/ may`,
    ]),
    [
      "a builtin without its prefix",
      "execute/x.ts",
      'import a from "fs";',
      "imports fs, a package that the law does not know",
    ],
    [
      "the engine outside detect",
      "system/x.ts",
      'import { Engine } from "json-rules-engine";',
      "imports json-rules-engine, which only detect/ may",
    ],
    [
      "the model's SDK outside escalate",
      "detect/x.ts",
      'import type { A } from "@anthropic-ai/sdk/resources/messages";',
      "imports @anthropic-ai/sdk/resources/messages, which only escalate/ may",
    ],
    [
      "a shell behind a package",
      "execute/x.ts",
      'import { execa } from "execa";',
      "imports execa, which only system/ may",
    ],
    [
      "a package that nobody agreed on",
      "report/x.ts",
      'import a from "left-pad";',
      "imports left-pad, a package that the law does not know",
    ],
    ["process.kill", "execute/x.ts", "process.kill(1);", "calls process.kill, which only system/ may"],
    [
      "process.kill by another name",
      "execute/x.ts",
      "const { kill } = process;",
      "calls process.kill, which only system/ may",
    ],
    [
      "process.kill as an element",
      "execute/x.ts",
      'process["kill"](1);',
      "calls process.kill, which only system/ may",
    ],
    ["require", "execute/x.ts", 'const fs = require("fs");', "reaches for modules without an import"],
    [
      "createRequire",
      "execute/x.ts",
      "const r = createRequire(import.meta.url);",
      "reaches for modules without an import",
    ],
    [
      "getBuiltinModule",
      "execute/x.ts",
      'process.getBuiltinModule("fs");',
      "reaches for modules without an import",
    ],
    [
      "an import whose name is computed",
      "execute/x.ts",
      "await import(name);",
      "imports something that is not named in the text",
    ],
    [
      "an import that cannot be read",
      "execute/x.ts",
      'import fs = require("fs");',
      "has an import that cannot be read",
    ],
    ["a folder that nobody agreed on", "utils/x.ts", "", "lies in utils/, which the law does not know"],
    [
      "an import of what is not there",
      "cli/x.ts",
      'import a from "./gone.ts";',
      "imports ./gone.ts, which is not there",
    ],
    [
      "an import from outside src",
      "cli/x.ts",
      'import a from "../../scripts/build.ts";',
      "imports ../../scripts/build.ts, which is not in src/",
    ],
    [
      "JSON that may hold anything",
      "record/x.ts",
      "files.append(path, JSON.stringify(value));",
      "calls JSON.stringify; stringify of system/printable.ts lets no control character out",
    ],
    [
      "a way past the exit to the terminal",
      "cli/x.ts",
      "process.stdout.write(text);",
      "writes to the terminal by itself; cli/terminal.ts does it",
    ],
    ["a file that is too long", "cli/x.ts", "\n".repeat(401), "has 401 lines; at most 400"],
  ];

  it.each(cases)("%s", (_, path, text, found) => {
    expect(judged(path, text)).toContain(`${path} ${found}`);
  });

  const lawful: [what: string, path: string, text: string][] = [
    [
      "what lies below",
      "cli/x.ts",
      'import { a } from "../detect/judge.ts";\nimport { b } from "../config.ts";\nimport { Command } from "commander";',
    ],
    ["the same folder, and folders in it", "detect/deep/x.ts", 'import { a } from "../judge.ts";'],
    [
      "files at the top among themselves",
      "cycle.ts",
      'import { a } from "./config.ts";\nimport { b } from "./detect/judge.ts";',
    ],
    [
      "system with the disk and kill",
      "system/x.ts",
      'import { readFileSync } from "node:fs";\nprocess.kill(1);',
    ],
    [
      "harmless builtins anywhere",
      "record/x.ts",
      'import { join } from "node:path";\nimport { createHash } from "node:crypto";',
    ],
    ["zod in types", "types/x.ts", 'import * as z from "zod";\nimport type { A } from "./facts.ts";'],
    [
      "texts and comments that look like imports",
      "types/x.ts",
      '// import "node:fs"\n/* import a from "node:fs"; process.kill(1) */\nconst a = "//";',
    ],
    ["400 lines", "types/x.ts", "\n".repeat(400)],
  ];

  it.each(lawful)("not %s", (_, path, text) => {
    expect(judged(path, text)).toEqual([]);
  });
});

describe("what is asked at import is caught:", () => {
  const traps: [string, string, string][] = [
    ["the clock", "export const now = Date.now();", "the clock"],
    ["the clock as a date", "export const now = new Date();", "the clock"],
    ["the clock for durations", "export const start = performance.now();", "the clock"],
    ["the environment", "export const path = process.env.PATH;", "the environment"],
    ["the environment as a whole", "export const all = { ...process.env };", "the environment"],
    [
      "the disk",
      'import { readFileSync } from "node:fs";\nexport const text = readFileSync("/etc/hostname", "utf8");',
      "readFileSync",
    ],
    [
      "the disk, later",
      'import { readFile } from "node:fs/promises";\nexport const text = readFile("/etc/passwd");',
      "readFile",
    ],
    [
      "the disk in a call",
      'import fs from "node:fs";\nconst read = () => fs.existsSync("/etc");\nexport const there = read();',
      "existsSync",
    ],
    [
      "a program",
      'import { execFileSync } from "node:child_process";\nexport const a = execFileSync("true");',
      "execFileSync",
    ],
    ["the working directory", "export const here = process.cwd();", "process.cwd"],
    [
      "the host's name",
      'import { hostname } from "node:os";\nexport const name = hostname();',
      "os.hostname",
    ],
  ];

  it("each of these, and nothing that waits until it is called", () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "argus-law-")));
    try {
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      const lazy =
        'import { readFileSync } from "node:fs";\nexport const f = () => [Date.now(), process.env.A, readFileSync("/x")];\nexport const epoch = new RegExp("x");';
      const files = [
        ...traps.map(([, text], index) => [`system/bad-${index}.ts`, text] as const),
        ["system/lazy.ts", lazy] as const,
      ];
      for (const [path, text] of files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      const expected = traps.map(
        ([, , what], index) => `system/bad-${index}.ts asks for ${what} when it is imported`,
      );
      const asked = askedAtImport(
        folder,
        files.map(([path]) => path),
      );
      // Starting a program reads the environment as well.
      expect(asked).toEqual(expect.arrayContaining(expected));
      expect(asked.filter((each) => each.includes("lazy"))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("the README's tree is caught when", () => {
  const tree = (...lines: string[]) => `# A\n\n\`\`\`\nsrc/\n${lines.join("\n")}\n\`\`\`\n`;
  const present = ["cli/", "main.ts"];

  it.each([
    ["there is none", "# A\n", ["the README has no code block that begins with src/"]],
    ["it is right, not", tree("  cli/     commands", "  main.ts  the program"), []],
    ["it lacks something", tree("  cli/     commands"), ["main.ts is not in the README's tree"]],
    [
      "it has something else",
      tree("  cli/  commands", "  main.ts  x", "  utils/  y"),
      ["the README's tree has utils/, which is not there"],
    ],
    [
      "it says nothing about it",
      tree("  cli/", "  main.ts  x"),
      ["cli/ has no comment in the README's tree"],
    ],
    [
      "it has something twice",
      tree("  cli/  a", "  main.ts  x", "  cli/  b"),
      ["the README's tree has cli/ twice"],
    ],
  ])("%s", (_, readme, faults) => {
    expect(treeFaults(readme, present)).toEqual(faults);
  });
});
