/** What a digest names when there is more than it has room for. */
import { expect, it } from "vitest";
import { type Digest, digestText, fold } from "../../src/notify/digest.ts";
import type { OutboxMessage } from "../../src/types/action.ts";
import type { Severity } from "../../src/types/problem.ts";
import { noteOf } from "./support.ts";

const keyOf = (number: number) => `service:${String(number).padStart(16, "0")}`;
const at = (number: number) => new Date(Date.UTC(2026, 1, 19) + number * 1000).toISOString();
function about(number: number, severity: Severity): OutboxMessage {
  const summary = `web ${number} is failed`;
  const note = noteOf({ problem: keyOf(number), severity, at: at(number), summary });
  const head = { version: 1 as const, id: `${number}`, createdAt: at(number), host: "landmass" };
  return { ...head, severity, text: summary, problems: [note.problem], notes: [note] };
}
const all = (from: number, to: number, severity: Severity) =>
  Array.from({ length: to - from }, (_, index) => about(from + index, severity));
const folded = (...parts: OutboxMessage[][]): Digest => {
  const digest = parts.reduce<Digest | null>((before, part) => fold(before, part), null);
  if (digest === null) throw new Error("nothing was folded");
  return digest;
};
/** Problems that the text names, and as many as it says it does not. */
function named(digest: Digest): { names: number[]; more: number } {
  const text = digestText("landmass", digest);
  const names = [...text.matchAll(/web (\d+) is failed/g)].map(([, number]) => Number(number));
  return { names, more: Number(/\nand (\d+) more: argus problems$/.exec(text)?.[1] ?? 0) };
}

it("the most severe stays, however old it is, then the newest", () => {
  const digest = folded([about(1, "critical"), ...all(2, 300, "info"), about(300, "warning")]);
  expect(named(digest).names.slice(0, 4)).toEqual([1, 300, 299, 298]);
  expect(Object.keys(digest.entries)).toContain(keyOf(1));
  expect(Object.keys(digest.entries)).not.toContain(keyOf(2));
});

it("the text says how many problems it does not name, whatever was folded when", () => {
  const parts = [all(0, 250, "warning"), all(250, 500, "info"), all(0, 250, "warning")];
  const { names, more } = named(folded(...parts));
  expect(names.length).toBeGreaterThan(10);
  expect(names.length + more).toBe(500);
});

it("a digest in which all are named says nothing of more", () => {
  expect(named(folded(all(0, 3, "warning")))).toEqual({ names: [2, 1, 0], more: 0 });
});
