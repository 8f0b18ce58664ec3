import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** @param path search path for programs; the process's own when left out. */
export function createSearch(path?: string): (program: string) => boolean {
  return (program) => {
    if (program.includes("/")) return isProgram(program);
    const folders = (path ?? process.env["PATH"] ?? "").split(delimiter);
    return folders.some((folder) => folder.startsWith("/") && isProgram(join(folder, program)));
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
