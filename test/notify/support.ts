/** An outbox in a folder of its own, and a delivery whose pauses between messages cost the test nothing. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { createDelivery, type Delivered } from "../../src/notify/deliver.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import type { OutboxMessage, ProblemNote } from "../../src/types/action.ts";
import type { Channel } from "../../src/types/channels.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
export const afterThis = (end: () => unknown): void => void ends.push(end);

export const real = createSystem();

/** What a delivery looks like in which nothing is wrong. */
export const fine = { sent: 0, waiting: 0, errors: [], notes: [] };

export interface Post {
  readonly stateDir: string;
  put(text: string, more?: Partial<OutboxMessage>): string;
  /** One after the other with the state that the one before has left, as a restarted Argus does. */
  deliver(
    channels: readonly Channel[],
    options?: {
      system?: System;
      withinMs?: number;
      open?: readonly string[];
      intervalSeconds?: number;
      signal?: AbortSignal;
    },
  ): Promise<Delivered>;
  /** Names in the outbox. */
  outbox(): string[];
  /** All that is remembered, as text. */
  remembered(): string;
  /** A pause after a failure is another matter. */
  forget(): void;
}

/** The pauses pass at once; what they would have been is written down. */
export function hasty(system: System = real): { system: System; slept: number[] } {
  const slept: number[] = [];
  const sleep: System["clock"]["sleep"] = async (milliseconds) => void slept.push(milliseconds);
  return { system: { ...system, clock: { ...system.clock, sleep } }, slept };
}

export function postOffice(): Post {
  const stateDir = mkdtempSync(join(tmpdir(), "argus-notify-"));
  afterThis(() => rmSync(stateDir, { recursive: true, force: true }));
  const folder = join(stateDir, "outbox");
  const statePath = join(stateDir, "delivery.json");
  mkdirSync(folder);
  let number = 0;
  return {
    stateDir,
    put(text, more = {}) {
      number += 1;
      const id = `20260219T233000Z-${String(number).padStart(5, "0")}`;
      const message: OutboxMessage = {
        version: 1,
        id,
        createdAt: new Date(Date.now() - 60_000 + number).toISOString(),
        severity: "warning",
        text,
        problems: [],
        host: "landmass",
        ...more,
      };
      writeFileSync(join(folder, `${id}.json`), JSON.stringify(message));
      return `${id}.json`;
    },
    deliver(
      channels,
      { system = hasty().system, withinMs = 5000, open = [], intervalSeconds = 300, signal } = {},
    ) {
      const stop = signal ?? new AbortController().signal;
      const delivery = createDelivery(system, stateDir);
      return delivery.deliver({ channels, intervalSeconds }, stop, withinMs, new Set(open));
    },
    outbox: () => readdirSync(folder).sort(),
    remembered: () => (existsSync(statePath) ? readFileSync(statePath, "utf8") : ""),
    forget: () => rmSync(statePath, { force: true }),
  };
}

export const noteOf = (more: Partial<ProblemNote> = {}): ProblemNote => ({
  problem: "service:0123456789abcdef",
  type: "service",
  subject: "web.service",
  severity: "critical",
  state: "firing",
  at: new Date().toISOString(),
  summary: "web.service is failed (exit-code)",
  ...more,
});
