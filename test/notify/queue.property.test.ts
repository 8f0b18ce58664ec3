/**
 * Whatever channels answer, and whenever Argus is killed: no message is lost, none overtakes another of its channel,
 * and no channel waits for another. The delivery, its files and its state are real; the far ends of the wires are not.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { putIntoOutbox } from "../../src/execute/outbox.ts";
import { createDelivery } from "../../src/notify/deliver.ts";
import type { HttpRequest, HttpResponse, System } from "../../src/system/system.ts";
import type { Channel } from "../../src/types/channels.ts";
import { manualClock } from "../execute/support.ts";
import { real } from "./support.ts";

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "argus-queue-"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** `lost`: taken, and the answer does not arrive; `killed`: Argus ends before or after the server took it. */
const answers = [
  "yes",
  "yes",
  "yes",
  "trouble",
  "pause",
  "forbidden",
  "unfit",
  "unreachable",
  "killed before",
  "killed after",
] as const;
type Answer = (typeof answers)[number];

interface Far {
  readonly script: Answer[];
  /** Texts taken, and texts that it said it will never take, in its order. */
  readonly taken: string[];
  readonly unfit: string[];
}

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("put" as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.constant({ do: "deliver" as const }) },
  // Less than what makes a message a late one: those are told together, which is another test.
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
);

/** Until it is killed. */
function newLife() {
  let over = false;
  let end: (value: null) => void = () => undefined;
  const gone = new Promise<null>((resolve) => {
    end = resolve;
  });
  const kill = (): void => {
    over = true;
    end(null);
  };
  return { gone, kill, isOver: () => over };
}

const no = (status: number, headers: Record<string, string> = {}): HttpResponse => ({
  status,
  headers,
  body: "",
  latencyMs: 1,
});

it("no order of answers, kills and restarts loses a message, changes their order or lets one channel wait for another", async () => {
  const scripts = fc.array(fc.array(fc.constantFrom(...answers), { maxLength: 25 }), {
    minLength: 1,
    maxLength: 3,
  });
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(scripts, fc.array(step, { minLength: 1, maxLength: 25 }), async (wanted, steps) => {
      runs += 1;
      const stateDir = join(base, String(runs));
      real.files.makeDirectory(join(stateDir, "outbox"));
      const clock = manualClock();
      const fars = new Map<string, Far>(
        wanted.map((script, index) => [`c${index}`, { script: [...script], taken: [], unfit: [] }]),
      );
      // One more, which always takes what it is given.
      fars.set("well", { script: [], taken: [], unfit: [] });
      const channels = [...fars.keys()].map(
        (name): Channel => ({
          type: "webhook",
          name,
          url: `http://${name}.invalid/`,
          secret: "k",
          authorization: null,
          timeoutSeconds: 5,
        }),
      );
      /** By the id of the message. */
      const textOf = new Map<string, string>();
      /** Of the Argus that lives now; the answers to an earlier one reach nobody. */
      let life = newLife();
      const request = async ({ url, body = "" }: HttpRequest): Promise<HttpResponse> => {
        const far = fars.get(new URL(url).hostname.split(".")[0] ?? "");
        if (far === undefined) throw new Error(`nobody is asked at ${url}`);
        // A shorter form of a message is that message.
        const text = textOf.get(JSON.parse(body).id.replace(/-(short-\d+|line)$/, "")) ?? "";
        switch (far.script.shift() ?? "yes") {
          case "yes":
            far.taken.push(text);
            return no(200);
          case "trouble":
            return no(500);
          case "pause":
            return no(429, { "retry-after": "3600" });
          case "forbidden":
            return no(403);
          case "unfit":
            far.unfit.push(text);
            return no(422);
          case "unreachable":
            throw new Error("connection refused");
          case "killed after":
            far.taken.push(text);
            life.kill();
            return new Promise(() => undefined);
          case "killed before":
            life.kill();
            return new Promise(() => undefined);
        }
      };
      const start = () => {
        const mine = newLife();
        life = mine;
        // What a dead Argus still has on its way writes nothing and asks nobody.
        const halted = <T>(act: () => T): T => {
          if (mine.isOver()) throw new Error("killed");
          return act();
        };
        const system: System = {
          ...real,
          clock: { ...clock, sleep: async () => undefined },
          files: {
            ...real.files,
            writeAtomic: (...all) => halted(() => real.files.writeAtomic(...all)),
            remove: (...all) => halted(() => real.files.remove(...all)),
            link: (...all) => halted(() => real.files.link(...all)),
          },
          http: {
            ...real.http,
            request: (asked) => (mine.isOver() ? new Promise(() => undefined) : request(asked)),
          },
        };
        return createDelivery(system, stateDir);
      };
      let delivery = start();
      /** A dead one may fail as it likes. */
      const rethrowAlive = (error: unknown) => {
        if (!life.isOver()) throw error;
        return null;
      };
      const deliver = async () => {
        // Too short for a second attempt within one delivery, so that no real time is waited.
        const work = delivery.deliver({ channels, intervalSeconds: 300 }, new AbortController().signal, 900);
        const outcome = await Promise.race([work.catch(rethrowAlive), life.gone]);
        if (outcome === null) delivery = start();
        return outcome;
      };

      const put: string[] = [];
      const putOne = () => {
        const text = `number ${put.length}.`;
        put.push(text);
        clock.advance(0.001);
        const now = clock.now();
        const createdAt = new Date(now.wallMs).toISOString();
        const severity = put.length % 3 === 0 ? ("critical" as const) : ("info" as const);
        const message = { version: 1 as const, createdAt, severity, text, problems: [] };
        textOf.set(putIntoOutbox(real.files, stateDir, message, now), text);
      };
      for (const each of steps) {
        if (each.do === "put") for (let count = 0; count < each.count; count += 1) putOne();
        if (each.do === "wait") clock.advance(each.seconds);
        if (each.do === "restart") delivery = start();
        if (each.do !== "deliver") continue;
        const outcome = await deliver();
        // The one that works has everything, whatever became of the others.
        if (outcome !== null) expect(new Set(fars.get("well")?.taken)).toEqual(new Set(put));
      }
      // Every channel works from now on, and every pause passes.
      for (
        let round = 0;
        round < 40 && readdirSync(join(stateDir, "outbox")).some((name) => name.endsWith(".json"));
        round += 1
      ) {
        for (const far of fars.values()) far.script.splice(0);
        clock.reboot();
        clock.advance(90_000);
        clock.setWall(-90_000);
        await deliver();
      }

      const kept = readdirSync(join(stateDir, "outbox"));
      expect(kept.filter((name) => !name.includes(".refused-"))).toEqual([]);
      const refused = new Set(
        kept.map((name) => JSON.parse(readFileSync(join(stateDir, "outbox", name), "utf8")).text),
      );
      for (const [name, { taken, unfit }] of fars) {
        const first = [...new Set(taken)];
        const missing = put.filter((text) => !first.includes(text));
        // Not lost: taken, or said never to be taken, and kept.
        for (const text of missing)
          expect(unfit.includes(text) && refused.has(text), `${name} ${text}`).toBe(true);
        expect(first, name).toEqual(put.filter((text) => first.includes(text)));
        // What is said twice is said twice in a row, once more for each kill at most.
        expect(taken.filter((text, index) => text !== taken[index - 1])).toEqual(first);
      }
      rmSync(stateDir, { recursive: true });
    }),
    { numRuns: 150 },
  );
}, 300_000);
