/** A folder of many thousand messages: each is there, or counted in the digest that takes its place. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createDelivery } from "../../src/notify/deliver.ts";
import { viewOutbox } from "../../src/notify/view.ts";
import { createSystem } from "../../src/system/machine.ts";

const system = createSystem();
const many = 12_000;
let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "argus-outbox-"));
  mkdirSync(join(stateDir, "outbox"));
  for (let number = 0; number < many; number += 1) {
    const id = `20260219T233000Z-${String(number).padStart(6, "0")}`;
    const createdAt = new Date(Date.UTC(2026, 1, 19) + number * 1000).toISOString();
    const message = { version: 1, id, createdAt, severity: "warning", text: `${number}`, problems: [] };
    writeFileSync(join(stateDir, "outbox", `${id}.json`), JSON.stringify(message));
  }
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

it("loses none: what is no file any more is in the digest, and both are counted", async () => {
  const delivery = createDelivery(system, stateDir);
  const config = { channels: [], intervalSeconds: 300 };
  for (let turn = 1; turn <= 4; turn += 1) {
    const { waiting, notes } = await delivery.deliver(config, new AbortController().signal, 5000);
    const left = readdirSync(join(stateDir, "outbox")).length;
    const { folded } = JSON.parse(readFileSync(join(stateDir, "delivery.json"), "utf8"));
    expect([left + folded.count, waiting]).toEqual([many, left]);
    if (turn < 4) expect(notes.join("\n")).toMatch(/ of the oldest, .* will be told in a digest$/);
    expect(viewOutbox(system.files, stateDir, [], Date.now()).waiting).toBe(many);
  }
  expect(readdirSync(join(stateDir, "outbox"))).toHaveLength(500);
});
