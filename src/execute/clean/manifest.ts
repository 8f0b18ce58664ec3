/**
 * The list of what a cleaning removes. An entry's line is written before the entry goes, so that whatever cuts the
 * cleaning off, all that went is listed. It is not synced to disk line by line: a power failure, which that would be
 * for, may bring back the entries as well.
 */
import { isNoRoom } from "../../system/error-code.ts";
import { errorCode } from "../../system/files.ts";
import { createNewFile, type NewFile } from "../../system/new-file.ts";
import { stringify } from "../../system/printable.ts";
import { hideKnown } from "../../system/redact/known.ts";
import { mark, redact } from "../../system/redact/redact.ts";
import { RefusedFile } from "../../system/refused.ts";
import type { Entry } from "../../system/safe-tree.ts";
import type { System } from "../../system/system.ts";
import { createUsers } from "../../system/users.ts";
import type { ManifestEnd, ManifestHead } from "../../types/manifest.ts";
import { isoTime } from "../../types/moment.ts";
import { dropOldManifests, manifestFolder, nextManifest } from "./manifest-folder.ts";
import { shownBytes } from "./shown-bytes.ts";

/** Above it what goes as a whole has one line; a little above that, none. */
const fullBytes = 16 * 1024 * 1024;
const mostBytes = fullBytes + 1024 * 1024;
/** What waits in memory for room on the disk. */
const mostWaitingBytes = 8 * 1024 * 1024;
/** The disk is full: the cleaning itself makes room, after this many entries perhaps. */
const entriesBetweenTries = 64;
const mayHoldSecret = /[=:@?]|pass|secret|token|key|pwd|[A-Za-z0-9_-]{24,}/i;

export type CleaningOf = Pick<ManifestHead, "cycle" | "source" | "problem" | "target"> & {
  /** The executor's state folder. */
  readonly stateDir: string;
};

/** It cannot be kept, so nothing more may be removed. */
export class ManifestError extends Error {
  override name = "ManifestError";
}

/** What is listed of an entry. */
export interface Listed {
  readonly entry: Entry;
  readonly sizeBytes: number;
  /** latin1, as the walk has it. */
  readonly path: string;
  readonly newestNs: bigint;
  /** Folder of the safelist. */
  readonly root: string;
}

/** What goes as a whole: how much of it there was when it was judged, and whether its one line stands. */
export interface Whole {
  readonly listed: Listed;
  readonly entries: number;
  readonly bytes: number;
  gone: number;
  hasLine: boolean;
}

export interface Manifest {
  /** Where people find it. */
  readonly path: string;
  /** Before an entry is removed. @throws ManifestError */
  list(listed: Listed, whole: Whole | null): void;
  /** The one that was listed last was not removed after all. */
  stayed(listed: Listed): void;
  /** Returns what a person should know: it could not be written. */
  end(totals: Omit<ManifestEnd, "kind" | "ended" | "notListed">): string | null;
}

/** @throws ManifestError when it cannot be begun for another reason than a full disk. */
export function beginManifest(
  { files, clock }: Pick<System, "files" | "clock">,
  { stateDir, ...of }: CleaningOf,
  maxAgeDays: number,
): Manifest {
  const userOf = createUsers(files)();
  const path = attempt(() => nextManifest(files, stateDir, clock.now()));
  let file: NewFile | null = null;
  let waiting = "";
  let bytes = 0;
  let sinceTry = 0;
  let notListed = 0;
  let rootWithMore: string | null = null;

  function write(): void {
    sinceTry = 0;
    try {
      if (file === null) {
        files.makeDirectory(manifestFolder(stateDir));
        file = createNewFile(files, path);
      }
      file.append(waiting);
      waiting = "";
    } catch (error) {
      if (!isNoRoom(error)) throw error;
    }
  }

  function add(line: object): void {
    addText(`${stringify(line)}\n`);
  }

  function addText(text: string): void {
    bytes += Buffer.byteLength(text);
    const waits = waiting !== "";
    waiting += text;
    sinceTry += 1;
    if (waits && sinceTry < entriesBetweenTries) {
      if (waiting.length > mostWaitingBytes)
        throw new ManifestError(`the list of what is removed has no room on the disk of ${path}`);
      return;
    }
    attempt(write);
  }

  /** By hand, and what repeats only once: a line for each of 100,000 entries is a tenth of the whole work. */
  const owners = new Map<number, string>();
  function ownerText(uid: number): string {
    const known = owners.get(uid);
    if (known !== undefined) return known;
    const name = userOf(uid);
    const text = `"uid":${uid},"user":${name === String(uid) ? "null" : stringify(name)}`;
    owners.set(uid, text);
    return text;
  }

  function lineOf({ entry, sizeBytes, path: rawPath, newestNs, root }: Listed, more = ""): string {
    const { path: shown, pathBytes } = withoutSecrets(rawPath);
    const exact = pathBytes === undefined ? "" : `,"pathBytes":${stringify(pathBytes)}`;
    const newest = new Date(Number(newestNs / 1_000_000n)).toISOString();
    return `{"path":${stringify(shown)}${exact},"kind":"${entry.kind}","sizeBytes":${sizeBytes},${ownerText(entry.uid)},"newest":"${newest}","root":${stringify(root)}${more}}\n`;
  }

  const head: ManifestHead = { kind: "head", version: 1, ...of, maxAgeDays, begun: isoTime(clock.now()) };
  add(head);

  return {
    path,
    list(listed, whole) {
      if (bytes < fullBytes) return addText(lineOf(listed));
      notListed += 1;
      if (whole !== null && whole.listed.entry.kind === "directory" && bytes < mostBytes) {
        if (whole.hasLine) return;
        whole.hasLine = true;
        addText(lineOf(whole.listed, `,"entries":${whole.entries - whole.gone}`));
      } else if (rootWithMore !== listed.root) {
        rootWithMore = listed.root;
        add({ kind: "more", root: listed.root });
      }
    },
    stayed(listed) {
      if (bytes < fullBytes) add({ kind: "stayed", path: withoutSecrets(listed.path).path });
    },
    end(totals) {
      try {
        add({ kind: "end", ended: isoTime(clock.now()), ...totals, notListed });
        if (waiting !== "") write();
        // Whoever goes on in memory keeps it there until there is room.
        if (waiting !== "" && files.holding !== undefined) {
          files.makeDirectory(manifestFolder(stateDir));
          files.append(path, waiting);
          waiting = "";
        }
        file?.sync();
        dropOldManifests(files, stateDir);
      } catch (error) {
        return `${path} could not be ended: ${error instanceof Error ? error.message : error}`;
      } finally {
        file?.close();
      }
      return waiting === ""
        ? null
        : `there was no room for the list of what was removed; what is missing in ${path} is known only by its size`;
    },
  };
}

/** 21 microseconds a path would be a third of the work of the cleaning: most cannot hold a secret. */
function withoutSecrets(rawPath: string): ReturnType<typeof shownBytes> {
  const whole = shownBytes(rawPath);
  const path = mayHoldSecret.test(whole.path) ? redact(whole.path) : hideKnown(whole.path, mark);
  return path === whole.path ? whole : { path };
}

/** What the system answers becomes a reason to remove nothing; a bug stays one. */
function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (errorCode(error) === "" && !(error instanceof RefusedFile)) throw error;
    throw new ManifestError(
      `the list of what is removed could not be written (${error instanceof Error ? error.message : error})`,
    );
  }
}
