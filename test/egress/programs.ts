/** Programs that write down what they were given, and say something hostile when they are told to. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Recorder {
  readonly path: string;
  /** Arguments and standard inputs, one text each. */
  given(): string[];
  /** From now on it says this to standard error and fails; null: it takes all. */
  fails(words: string | null): void;
}

export function recorder(dir: string, name: string, prints = ""): Recorder {
  const folder = join(dir, `${name}-given`);
  mkdirSync(folder, { recursive: true });
  const path = join(dir, name);
  const words = join(folder, "fails");
  const output = join(folder, "prints");
  writeFileSync(output, prints);
  const script = `#!/bin/sh
n="${folder}/given-$$"
printf '%s\\0' "$@" > "$n-arguments"
[ -t 0 ] || cat > "$n-input"
[ -e "${words}" ] && { cat "${words}" >&2; exit 1; }
cat "${output}"
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return {
    path,
    given: () =>
      readdirSync(folder)
        .filter((file) => file.startsWith("given-"))
        .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\0"))
        .filter((text) => text !== ""),
    fails: (text) => {
      if (text !== null) writeFileSync(words, text);
      else if (existsSync(words)) rmSync(words);
    },
  };
}
