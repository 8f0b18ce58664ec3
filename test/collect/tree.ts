/** A machine made of files, below a directory of its own: what the collectors read is what a test wrote. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { Clock, System } from "../../src/system/system.ts";
import type { Config } from "../../src/types/settings.ts";

export interface MadeProcess {
  readonly pid: number;
  readonly name?: string | Buffer;
  readonly state?: string;
  readonly parentPid?: number;
  readonly sessionId?: number;
  /** Process group; its own when left out. */
  readonly groupId?: number;
  readonly terminal?: number;
  readonly flags?: number;
  /** User and system time together. */
  readonly ticks?: number;
  /** In clock ticks since boot. */
  readonly startTime?: number;
  readonly rssPages?: number;
  readonly startStack?: number;
  /** Effective user. */
  readonly uid?: number;
  readonly swapKilobytes?: number;
  readonly namespacePids?: readonly number[];
  /** Path of the executable; null: it may not be read. */
  readonly executable?: string | null;
  readonly arguments?: readonly string[];
  readonly cgroup?: string;
  /** Files that vanish: they are not there. */
  readonly without?: readonly ("stat" | "status" | "cmdline" | "cgroup")[];
}

export interface Tree {
  readonly root: string;
  write(path: string, content: string | Buffer): void;
  link(path: string, target: string): void;
  remove(path: string): void;
  process(made: MadeProcess): void;
  dispose(): void;
}

export function createTree(): Tree {
  const root = mkdtempSync(join(tmpdir(), "argus-tree-"));
  const at = (path: string) => {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    return full;
  };
  const write = (path: string, content: string | Buffer) => writeFileSync(at(path), content);
  const remove = (path: string) => rmSync(join(root, path), { recursive: true, force: true });
  return {
    root,
    write,
    link: (path, target) => symlinkSync(target, at(path)),
    remove,
    process(made) {
      const folder = `/proc/${made.pid}`;
      remove(folder);
      mkdirSync(join(root, folder), { recursive: true });
      const files = {
        stat: statOf(made),
        status: statusOf(made),
        cmdline: commandLineOf(made),
        cgroup: `0::${made.cgroup ?? "/"}\n`,
      };
      for (const [name, content] of Object.entries(files)) {
        if (!made.without?.some((each) => each === name)) write(`${folder}/${name}`, content);
      }
      const executable = made.executable === undefined ? "/usr/bin/sleep" : made.executable;
      if (executable !== null) symlinkSync(executable, join(root, folder, "exe"));
    },
    dispose: () => rmSync(root, { recursive: true, force: true }),
  };
}

function statOf(made: MadeProcess): Buffer {
  const {
    pid,
    state = "S",
    parentPid = 1,
    sessionId = pid,
    groupId = pid,
    terminal = 0,
    flags = 0x400000,
    ticks = 10,
  } = made;
  const { startTime = 1000, rssPages = 100, startStack = 140_000_000_000_000 } = made;
  const fields = [
    ...[
      state,
      parentPid,
      groupId,
      sessionId,
      terminal,
      -1,
      flags,
      92,
      0,
      0,
      0,
      ticks,
      0,
      0,
      0,
      20,
      0,
      1,
      0,
      startTime,
    ],
    ...[
      5_771_264,
      rssPages,
      "18446744073709551615",
      93_824_992_231_424,
      93_824_992_249_937,
      startStack,
      0,
      0,
      0,
    ],
  ];
  return Buffer.concat([
    Buffer.from(`${pid} (`),
    Buffer.from(made.name ?? "sleep"),
    Buffer.from(`) ${fields.join(" ")}\n`),
  ]);
}

function statusOf(made: MadeProcess): string {
  const uid = made.uid ?? 0;
  return [
    "Name:\tx",
    `NSpid:\t${(made.namespacePids ?? [made.pid]).join("\t")}`,
    `Uid:\t7\t${uid}\t7\t7`,
    ...(made.swapKilobytes === undefined ? [] : [`VmSwap:\t  ${made.swapKilobytes} kB`]),
    "",
  ].join("\n");
}

function commandLineOf({ arguments: parts = ["sleep", "100"] }: MadeProcess): string {
  return parts.map((part) => `${part}\0`).join("");
}

export interface MadeSystem {
  /** Seconds since boot. Later moments are set by writing here. */
  uptimeSeconds: number;
  readonly system: System;
}

/** A system on a tree, whose clock stands still until a test moves it. */
export function systemOn(tree: Tree, { uptimeSeconds = 100_000, path = "/nowhere" } = {}): MadeSystem {
  const real = createSystem({ root: tree.root, path });
  const made = { uptimeSeconds };
  const clock: Clock = {
    now: () => ({
      wallMs: 1_800_000_000_000 + made.uptimeSeconds * 1000,
      uptimeSeconds: made.uptimeSeconds,
      bootId: "made",
    }),
    monotonicMs: () => made.uptimeSeconds * 1000,
    sleep: real.clock.sleep,
  };
  const self = { ...real.self, pid: 4_000_000, parentPid: 4_000_001 };
  return Object.assign(made, { system: { ...real, clock, self } });
}

/** The configuration of a machine whose argus.json holds these settings. */
export function configWith(settings: unknown = {}): Config {
  const tree = createTree();
  try {
    tree.write("/etc/argus/argus.json", JSON.stringify(settings));
    const system = createSystem({ root: tree.root, path: "/nowhere" });
    return loadConfig({ system, env: {}, programDir: "/nowhere", workingDir: "/nowhere" });
  } finally {
    tree.dispose();
  }
}
