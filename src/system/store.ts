/**
 * A whole-file piece of state: JSON with a version, written atomically and durably. A file that cannot be
 * understood, or is far too large, is set aside under another name and said aloud; it is never overwritten or lost. One
 * that is not Argus's alone (a link, another user's, writable by others) is not believed, and not moved either: reading
 * it throws.
 */
import { basename, dirname } from "node:path";
import type * as z from "zod";
import { withoutMark } from "./byte-order-mark.ts";
import { errorCode } from "./error-code.ts";
import { fileError } from "./file-error.ts";
import { stringify } from "./printable.ts";
import { redactDeep } from "./redact/redact.ts";
import { RefusedFile } from "./refused.ts";
import { removeRemains } from "./remains.ts";
import type { Files } from "./system.ts";

/** The largest that Argus writes, the streaks of 20,000 entities, has 4 MB; read, it takes several times as much. */
const mostBytes = 16 * 1024 * 1024;

export interface Store<T> {
  /** Throws a WorkError when it cannot be read. */
  load(): T;
  /** Throws node's errors. */
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
  /** What a file of the first Argus comes to, and a clause about it; null: it is none. The file is then written anew. */
  readonly former?: (json: unknown) => { readonly value: T; readonly said: string } | null;
  /** Such a file stays as it is, and nothing is said, until something is saved: for a dry run. */
  readonly formerStays?: boolean;
  /** Nothing but numbers, under names that are safe already: thousands of them need not be looked through. */
  readonly plain?: true;
}

export function createStore<T>(options: StoreOptions<T>): Store<T> {
  const { files, path, schema, empty, note, durable = true, plain, former } = options;
  let written: string | null = null;
  let keepFormer: (() => void) | null = null;
  const textOf = (value: T): string => `${stringify(plain ? value : redactDeep(value))}\n`;

  function setAside(why: string): T {
    const kept = moveAside(files, path);
    note(`${path} ${why}; it was set aside as ${kept} and Argus starts with an empty one`);
    return empty();
  }

  return {
    load() {
      removeRemains(files, dirname(path), basename(path));
      let text: string | null;
      try {
        // Asked of the folder as well: one that is not Argus's must not look empty.
        if (files.stat(path) === null && files.tryRead(path, "own") === null) return empty();
        const head = files.tryReadHead(path, 0, "own");
        const sizeBytes = head === null ? 0 : (files.stat(path)?.sizeBytes ?? 0);
        if (sizeBytes > mostBytes)
          return setAside(`has ${Math.round(sizeBytes / 1e6)} MB, more than Argus ever writes there`);
        text = files.tryRead(path, "own");
      } catch (error) {
        if (!(error instanceof RefusedFile && error.isNoFile))
          throw error instanceof RefusedFile ? error : fileError("read", path, error);
        const aside = setAside("is not a file");
        // A command that only looks moves nothing, and must not show it as empty.
        if (files.stat(path) !== null) throw error;
        return aside;
      }
      if (text === null) return empty();
      let json: unknown;
      try {
        json = JSON.parse(withoutMark(text));
      } catch {
        return setAside(text.trim() === "" ? "is empty" : "is not valid JSON");
      }
      const parsed = schema.safeParse(json);
      if (parsed.success) {
        written = text;
        return parsed.data;
      }
      const taken = former?.(json) ?? null;
      if (taken !== null) {
        const { value, said } = taken;
        const old = text;
        keepFormer = () => {
          const kept = freeName(files, `${path}.first-argus`);
          files.writeAtomic(kept, old, { durable });
          keepFormer = null;
          note(`${path} is one of the first Argus (${said}); it was kept as ${kept}`);
        };
        if (options.formerStays === true) return value;
        // The old one first: a crash in between loses neither.
        keepFormer();
        replaceOwn(files, path, textOf(value), note, { durable });
        return value;
      }
      const issue = parsed.error.issues[0];
      return setAside(
        `has an unknown shape or version (${issue === undefined ? "?" : `${issue.path.join(".") || "top"}: ${issue.message}`})`,
      );
    },
    save(value) {
      const text = textOf(value);
      if (text === written && files.stat(path)?.kind === "file") return;
      keepFormer?.();
      replaceOwn(files, path, text, note, { durable });
      written = text;
    },
  };
}

/** @returns the new path. */
export function moveAside(files: Files, path: string): string {
  const kept = freeName(files, `${path}.corrupt`);
  files.rename(path, kept);
  return kept;
}

/** A name of its own for each: a second one must not overwrite the first. */
function freeName(files: Files, path: string): string {
  let number = 1;
  while (files.stat(`${path}-${number}`) !== null) number += 1;
  return `${path}-${number}`;
}

/**
 * Writes a whole file whose content this process knows. What somebody put in its place meanwhile is not replaced
 * unseen: it is set aside and said. A folder may hold anything, so it stays, and the error says so.
 */
export function replaceOwn(
  files: Files,
  path: string,
  text: string,
  note: (sentence: string) => void,
  options: { mode?: number; durable?: boolean } = {},
): void {
  try {
    files.tryReadHead(path, 0, "own");
  } catch (error) {
    if (!(error instanceof RefusedFile) || files.stat(path) === null) throw error;
    if (errorCode(error) === "EISDIR") throw fileError("write", path, error);
    note(`${error.message}: it was set aside as ${moveAside(files, path)}, and the file is written anew`);
  }
  files.writeAtomic(path, text, options);
}
