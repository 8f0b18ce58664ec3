/** The imports of a source file, and what of it could hide one. */

export interface SourceFile {
  /** Below src, such as `detect/judge.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Imports {
  /** As written: `../types/facts.ts`, `node:path`, `zod`. */
  readonly specifiers: readonly string[];
  /** One sentence each: what could import something that cannot be read off the text. */
  readonly unclear: readonly string[];
}

const statement = /^(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']/gm;
const dynamic = /\bimport\s*\(\s*(?:["'`]([^"'`$]+)["'`]\s*\))?/g;

export function importsOf({ text }: SourceFile): Imports {
  const code = withoutComments(text);
  const unclear: string[] = [];
  const statements = [...code.matchAll(statement)];
  const specifiers = statements.map(([, from, bare]) => from ?? bare ?? "");
  for (const [, specifier] of code.matchAll(dynamic)) {
    if (specifier === undefined) unclear.push("imports something that is not named in the text");
    else specifiers.push(specifier);
  }
  // A statement that the pattern above passes over would be one that the law is not held to.
  const begun = [
    ...code.matchAll(/^(?:import\b(?!\s*[.(])|export\s*(?:\*|type\s*\{[^}]*\}\s*from|\{[^}]*\}\s*from))/gm),
  ];
  if (begun.length !== statements.length) unclear.push("has an import that cannot be read");
  if (/\brequire\s*\(|\bcreateRequire\b|\bgetBuiltinModule\b|\bprocess\.binding\b/.test(code)) {
    unclear.push("reaches for modules without an import");
  }
  return { specifiers, unclear };
}

/** Comments become spaces, so that lines stay where they are. Texts are kept. */
export function withoutComments(text: string): string {
  const part =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<=^|[\s;{}(,])\/\/[^\n]*/g;
  return text.replace(part, (found) => (found.startsWith("/") ? found.replace(/[^\n]/g, " ") : found));
}
