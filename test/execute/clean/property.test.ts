import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { home, type Machine, makeMachine, portrait } from "./machine.ts";

interface Node {
  readonly kind: "file" | "folder" | "link";
  /** Which stamp is young, if any. */
  readonly young: "atime" | "mtime" | "both" | null;
  readonly below: readonly (readonly [string, Node])[];
}

const name = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "c",
    ".cache",
    "tmp",
    "x.log.1.gz",
    "y.log.22.gz",
    "z.log",
    "-f",
    " ",
    "é",
    "\n",
    "...",
  ),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
    .filter((text) => !/[/\0]|^\.\.?$|^\.X|-unix$/.test(text)),
);
const young = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom("atime" as const, "mtime" as const, "both" as const) },
);
const { node } = fc.letrec<{ node: Node; below: readonly (readonly [string, Node])[] }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.record({ kind: fc.constantFrom("file" as const, "link" as const), young, below: fc.constant([]) }),
    fc.record({ kind: fc.constant("folder" as const), young, below: tie("below") }),
  ),
  below: fc.uniqueArray(fc.tuple(name, tie("node")), { maxLength: 4, selector: ([each]) => each }),
}));
const tree = fc.uniqueArray(fc.tuple(name, node), { maxLength: 5, selector: ([each]) => each });

/** What each place promises: how deep its units lie, and which names it takes. */
const places = [
  { path: "/tmp", unitLevel: 1 },
  { path: "/var/tmp", unitLevel: 1 },
  { path: `${home}/.cache/pip`, unitLevel: Number.POSITIVE_INFINITY },
  { path: `${home}/.cache/yarn`, unitLevel: 2 },
  { path: `${home}/.npm/_cacache`, unitLevel: Number.POSITIVE_INFINITY },
  { path: "/var/log", unitLevel: 0 },
  { path: "/srv/outside", unitLevel: -1 },
  { path: `${home}/.cache/other`, unitLevel: -1 },
  { path: `${home}/tmp`, unitLevel: -1 },
] as const;

function grow(machine: Machine, at: string, nodes: Node["below"]): void {
  for (const [each, { kind, young: stamp, below }] of nodes) {
    const path = `${at}/${each}`;
    // Not through `machine.at`, which would normalise the name away.
    const real = `${machine.root}${path}`;
    if (kind === "file") writeFileSync(real, "x");
    else if (kind === "link") symlinkSync(machine.at("/srv/outside"), real);
    else mkdirSync(real);
    grow(machine, path, below);
    if (stamp !== null) machine.makeYoung(path, stamp);
  }
}

const isYoung = (each: Node): boolean =>
  each.young !== null || each.below.some(([, below]) => isYoung(below));
const all = (at: string, nodes: Node["below"]): string[] =>
  nodes.flatMap(([each, { below }]) => [`${at}/${each}`, ...all(`${at}/${each}`, below)]);

/** Paths that must be there afterwards: the promise, said in another way than the walk does it. */
function survivors(at: string, nodes: Node["below"], unitLevel: number, level = 1): string[] {
  return nodes.flatMap(([each, entry]) => {
    const path = `${at}/${each}`;
    const whole = [path, ...all(path, entry.below)];
    if (unitLevel === 0) {
      if (entry.kind === "folder") return [path, ...survivors(path, entry.below, 0, level + 1)];
      return entry.kind === "file" && entry.young === null && /^[^.].*\.log\.\d\d?\.gz$/s.test(each)
        ? []
        : whole;
    }
    if (unitLevel < 0) return whole;
    if (entry.kind !== "folder" || level >= unitLevel) return isYoung(entry) ? whole : [];
    const below = survivors(path, entry.below, unitLevel, level + 1);
    return below.length > 0 || entry.young !== null ? [path, ...below] : [];
  });
}

test("of any tree goes what is old and in the safelist, and nothing else", { timeout: 180_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(tree, { minLength: places.length, maxLength: places.length }),
      async (trees) => {
        const machine = makeMachine();
        places.forEach(({ path }, index) => {
          machine.folder(path);
          grow(machine, path, trees[index] ?? []);
        });
        const outside = portrait(machine.at("/srv"));
        const forecast = await machine.forecast();
        const before = listing(machine);
        const report = await machine.clean();

        const expected = places.flatMap(({ path, unitLevel }, index) =>
          survivors(path, trees[index] ?? [], unitLevel),
        );
        const present = places.flatMap(({ path }, index) =>
          all(path, trees[index] ?? []).filter(machine.exists),
        );
        expect(present.sort()).toEqual(expected.sort());
        expect(portrait(machine.at("/srv"))).toEqual(outside);
        expect(before.length - listing(machine).length).toBe(report.entries);
        expect(forecast.entries).toBe(report.entries);
        expect(forecast.removed).toEqual(report.removed);
        expect(report.errors).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

function listing(machine: Machine): string[] {
  return ["/tmp", "/var", "/home", "/srv"].flatMap((path) => portrait(machine.at(path)));
}
