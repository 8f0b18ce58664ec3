// Writes the references, the example of argus.env and the JSON Schemas anew: `npm run docs`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { documents } from "./docs/documents.ts";

const root = join(import.meta.dirname, "..");
for (const { path, text } of documents((each) => readFileSync(join(root, each), "utf8"))) {
  writeFileSync(join(root, path), text);
}
