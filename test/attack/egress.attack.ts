/** The property of test/egress, over many machines: every one with other texts, also typed at every command. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { openBench } from "../egress/bench.ts";
import { faultsOf, hostileText } from "../egress/hostile.ts";

const machines = 15;

it(`nothing leaves ${machines} hostile machines raw`, async () => {
  let looked = 0;
  let bytes = 0;
  for (let seed = 1; seed <= machines; seed += 1) {
    const texts = fc.sample(hostileText, { numRuns: 300, seed });
    const bench = await openBench();
    let number = 0;
    try {
      await bench.run({
        next: () => texts[number++ % texts.length] ?? "",
        typed: texts.slice(0, 3).map((text) => text.slice(0, 4000)),
      });
      looked += bench.left.length;
      bytes += bench.left.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
      const faults = new Map(
        bench.left.flatMap((each) => faultsOf(each).map((fault) => [each.where, fault])),
      );
      expect([...faults.values()].slice(0, 20), `seed ${seed}`).toEqual([]);
    } finally {
      await bench.close();
    }
  }
  console.log(`${machines} machines, ${looked} outputs, ${(bytes / 1e6).toFixed(0)} MB: none raw`);
});
