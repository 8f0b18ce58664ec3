import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeMachine, node, portrait } from "./machine.ts";

const units = 2;
const files = 60;

/**
 * Swaps directories for symbolic links to a tree of the same shape outside, and back, without pause. Some links stand
 * for a moment only, some for as long as the removal of a file or of a directory takes. Writes how many there were.
 */
const swapper = `
const fs = require("fs"), path = require("path");
const [tmp, outside] = process.argv.slice(1);
const dwells = [0, 0, 20, 60, 200, 600];
let swaps = 0;
const dwell = () => {
  const microseconds = dwells[Math.floor(Math.random() * dwells.length)];
  const end = process.hrtime.bigint() + BigInt(microseconds * 1000);
  while (process.hrtime.bigint() < end);
};
const swap = (below) => {
  const at = path.join(tmp, below), away = path.join(tmp, "..", "away");
  try {
    fs.renameSync(at, away);
    fs.symlinkSync(path.join(outside, below), at);
    swaps += 1;
    dwell();
    fs.unlinkSync(at);
  } catch {}
  try { fs.renameSync(away, at); } catch {}
  try { if (fs.existsSync(away)) fs.rmSync(away, { recursive: true, force: true }); } catch {}
  dwell();
};
const round = () => {
  for (let n = 0; n < 100; n += 1) {
    const unit = "unit-" + (n % ${units});
    swap(n % 3 === 0 ? unit : path.join(unit, "inner"));
  }
  process.stdout.write(swaps + "\\n");
  setImmediate(round);
};
setImmediate(round);
`;

function grow(at: string): void {
  for (let unit = 0; unit < units; unit += 1) {
    const inner = join(at, `unit-${unit}`, "inner");
    try {
      mkdirSync(inner, { recursive: true });
      for (let each = 0; each < files; each += 1)
        writeFileSync(join(inner, `file-${each}`), `${unit} ${each}`);
    } catch {
      // The other process swapped it in this very moment: the next round makes it again.
    }
  }
}

test("directories swapped for links without pause lead nothing out of the safelist", {
  timeout: 60_000,
}, async () => {
  const machine = makeMachine();
  const outside = machine.folder("/srv/canary");
  grow(outside);
  const before = portrait(outside);

  const process = await node(swapper, machine.at("/tmp"), outside);
  let swaps = 0;
  process.stdout?.on("data", (chunk: Buffer) => {
    swaps = Number(chunk.toString().trim().split("\n").at(-1)) || swaps;
  });
  let removed = 0;
  let hindered = 0;
  // Enough of each to be sure that the two met: swaps, removals, and removals that were given up because of a swap.
  for (let round = 0; round < 150 && (swaps < 4_000 || removed < 500 || hindered < 3); round += 1) {
    // Links lead out at times: what is grown through one would be our own doing, so it is grown aside and moved in.
    const fresh = machine.folder(`/srv/fresh-${round}`);
    grow(fresh);
    for (let unit = 0; unit < units; unit += 1)
      moveIn(join(fresh, `unit-${unit}`), machine.at(`/tmp/unit-${unit}`));
    rmSync(fresh, { recursive: true, force: true });
    const report = await machine.clean();
    removed += report.entries;
    hindered += report.kept.changed;
  }
  process.kill("SIGKILL");

  expect(portrait(outside)).toEqual(before);
  expect(swaps).toBeGreaterThan(2_000);
  expect(removed).toBeGreaterThan(100);
});

function moveIn(from: string, to: string): void {
  try {
    // rename(2) replaces nothing but an empty directory, and follows no link.
    renameSync(from, to);
  } catch {
    // Something stands there at this moment.
  }
}
