/**
 * A whole-file piece of state: JSON with a version, written atomically and durably. A file that cannot be
 * understood is set aside under another name and said aloud; it is never overwritten or lost.
 */
import { basename, dirname } from "node:path";
import type * as z from "zod";
import { redactDeep } from "./redact/redact.ts";
import { removeRemains } from "./remains.ts";
import type { Files } from "./system.ts";

export interface Store<T> {
  load(): T;
  save(value: T): void;
}

export interface StoreOptions<T> {
  readonly files: Files;
  readonly path: string;
  readonly schema: z.ZodType<T>;
  readonly empty: () => T;
  /** Told in one sentence when a file was set aside. */
  readonly note: (sentence: string) => void;
  /** Default true. */
  readonly durable?: boolean;
  /** Nothing but numbers, under names that are safe already: thousands of them need not be looked through. */
  readonly plain?: true;
}

export function createStore<T>(options: StoreOptions<T>): Store<T> {
  const { files, path, schema, empty, note, durable = true, plain } = options;
  let written: string | null = null;

  function setAside(why: string): T {
    // A name of its own for each: a second corruption must not overwrite the first.
    let number = 1;
    while (files.stat(`${path}.corrupt-${number}`) !== null) number += 1;
    files.rename(path, `${path}.corrupt-${number}`);
    note(`${path} ${why}; it was set aside as ${path}.corrupt-${number} and Argus starts with an empty one`);
    return empty();
  }

  return {
    load() {
      removeRemains(files, dirname(path), basename(path));
      const status = files.stat(path);
      if (status === null) return empty();
      if (status.kind !== "file") return setAside("is not a file");
      const text = files.read(path);
      let json: unknown;
      try {
        json = JSON.parse(text);
      } catch {
        return setAside(text.trim() === "" ? "is empty" : "is not valid JSON");
      }
      const parsed = schema.safeParse(json);
      if (parsed.success) {
        written = text;
        return parsed.data;
      }
      const issue = parsed.error.issues[0];
      return setAside(
        `has an unknown shape or version (${issue === undefined ? "?" : `${issue.path.join(".") || "top"}: ${issue.message}`})`,
      );
    },
    save(value) {
      const text = `${JSON.stringify(plain ? value : redactDeep(value))}\n`;
      if (text === written && files.stat(path) !== null) return;
      files.writeAtomic(path, text, { durable });
      written = text;
    },
  };
}
