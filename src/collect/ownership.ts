/** Who else could change what decides, when one part of Argus acts as root. */
import { dirname, join } from "node:path";
import { errorCode } from "../system/files.ts";
import { reach } from "../system/reach.ts";
import type { FileStatus, Files } from "../system/system.ts";
import { createUsers, groupName } from "../system/users.ts";
import type { Config } from "../types/settings.ts";
import { type Ability, broken, limited, ok } from "./ability.ts";
import { list } from "./words.ts";

const writableByOthers = 0o022;
const openToOthers = 0o077;
const readableByGroup = 0o050;

export function findOwnership({ files }: { readonly files: Files }, config: Config): Ability[] {
  const { settingsFile, localRulesDir, rulesDir, stateDir, logDir, executorStateDir } = config;
  const program = dirname(rulesDir);
  const folder = dirname(settingsFile);
  const nameOf = createUsers(files)();
  return [
    rootsOwn(files, {
      name: "policy",
      paths: [folder, settingsFile, join(folder, "argus.env")],
      fine: "root alone decides what may be done",
      wrong: "so decide what is done as root",
      give: broken,
    }),
    rootsOwn(files, {
      name: "local rules",
      paths: [localRulesDir, ...jsonFilesOf(files, localRulesDir)],
      fine: "root alone writes them",
      wrong: "so ask for anything that the policy allows",
      give: limited,
    }),
    rootsOwn(files, {
      name: "program",
      paths: [
        program,
        join(program, "bin"),
        join(program, "bin/node"),
        join(program, "dist/main.js"),
        rulesDir,
      ],
      fine: `root alone writes ${program}`,
      wrong: "so replace what runs as root",
      give: broken,
    }),
    ...[stateDir, logDir].map((path) =>
      daemonOwns(files, path === stateDir ? "state" : "logs", path, nameOf),
    ),
    executorOwns(files, executorStateDir),
  ];
}

interface Expected {
  readonly name: string;
  readonly paths: readonly string[];
  readonly fine: string;
  /** Completes "others than root can write X, and …". */
  readonly wrong: string;
  readonly give: typeof limited;
}

function rootsOwn(files: Files, { name, paths, fine, wrong, give }: Expected): Ability {
  const loose = paths.filter((path) => {
    const reached = reach(files, path);
    if (reached.kind === "nothing" || reached.kind === "forbidden") return false;
    return reached.status.uid !== 0 || (reached.status.mode & writableByOthers) !== 0;
  });
  if (loose.length === 0) return ok(name, fine);
  const detail = `others than root can write ${list(loose)}, and ${wrong}`;
  return give(name, detail, `chown root:root ${loose.join(" ")} && chmod go-w ${loose.join(" ")}`);
}

function jsonFilesOf(files: Files, folder: string): string[] {
  try {
    return files
      .list(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(folder, name));
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "EACCES") return [];
    throw error;
  }
}

function daemonOwns(files: Files, name: string, path: string, nameOf: (uid: number) => string): Ability {
  const status = folderAt(files, path);
  if (status === null) return broken(name, `${path} is not there`, "run install.sh again");
  if (status.uid === 0) {
    const detail = `${path} belongs to root, and the daemon, which is not root, cannot write it`;
    return broken(name, detail, `chown -R argus:argus ${path}`);
  }
  const owner = nameOf(status.uid);
  const group = groupName(files, status.gid);
  const isRead = (status.mode & readableByGroup) === readableByGroup;
  // Whoever is in it was put there to read.
  const allowed = group === "argus" ? readableByGroup : 0;
  if ((status.mode & openToOthers & ~allowed) !== 0) {
    const whose = allowed === 0 ? owner : `${owner} and, to read, members of the group argus`;
    return broken(
      name,
      `${path} is open to others than ${whose}`,
      `chgrp argus ${path} && chmod 750 ${path}`,
    );
  }
  const readers = isRead ? "; members of the group argus may read it" : "";
  return ok(name, `${path} is the daemon's alone (user ${owner})${readers}`);
}

function executorOwns(files: Files, path: string): Ability {
  const name = "executor state";
  const status = folderAt(files, path);
  if (status === null) return broken(name, `${path} is not there`, "systemctl restart argus-executor");
  if (status.uid === 0 && (status.mode & openToOthers) === 0)
    return ok(name, `${path} is root's alone: budgets, delays and the pause`);
  const detail = `others than root can reach ${path}, and with it budgets, delays and the pause`;
  return broken(name, detail, `chown -R root:root ${path} && chmod 700 ${path}`);
}

function folderAt(files: Files, path: string): FileStatus | null {
  const reached = reach(files, path);
  return reached.kind === "directory" ? reached.status : null;
}
