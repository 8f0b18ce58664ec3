/** Runs on a host, because systemd lets nobody from outside onto its own socket: asks it, and prints JSON. */
import { createBus, noBus } from "../../src/system/bus/bus.ts";
import { openConnection } from "../../src/system/bus/connection.ts";
import { managerCall } from "../../src/system/bus/systemd1.ts";
import { createSystem } from "../../src/system/machine.ts";
import type { System } from "../../src/system/system.ts";
import { showUnitsAndFailed } from "../../src/system/systemd.ts";
import { watchUnitEvents } from "../../src/system/unit-events.ts";
import { resetFailed, restartUnit } from "../../src/system/unit-jobs.ts";

const system = createSystem();
const uid = process.getuid?.() ?? 0;
/** The bus that everybody has, for root as well. */
const withoutSocket = (path: string) => (path === "/run/systemd/private" ? null : system.files.stat(path));
const overBus: System = { ...system, bus: createBus({ ...system.files, stat: withoutSocket }, uid) };
const direct: System = system;
const bySystemctl: System = { ...system, bus: noBus };
const ways = { direct, overBus, bySystemctl };

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const told = async (asked: Promise<unknown>) =>
  await asked.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));

const commands: Record<string, (...args: string[]) => Promise<void>> = {
  /** How many of so many connections to systemd's own socket have their first call answered. */
  async connect(count = "") {
    let answered = 0;
    for (let each = 0; each < Number(count); each += 1) {
      const connection = await openConnection("/run/systemd/private", uid, true, () => undefined);
      await connection.call(managerCall("GetUnit", "s", ["init.scope"]), { timeoutMs: 2_000 });
      answered += 1;
    }
    say({ answered });
  },
  async show(...units) {
    const { kind } = await kindOf(ways.direct);
    const asked = Object.entries(ways).map(async ([way, on]) => [
      way,
      await told(showUnitsAndFailed(on, units)),
    ]);
    say({ kind, ...Object.fromEntries(await Promise.all(asked)) });
  },
  async restart(way = "", unit = "", timeoutMs = "", abortMs = "") {
    const abort = new AbortController();
    if (abortMs !== "") setTimeout(() => abort.abort(), Number(abortMs));
    const options = { timeoutMs: Number(timeoutMs), signal: abort.signal };
    say(await restartUnit(ways[way as keyof typeof ways], unit, options));
  },
  async reset(way = "", unit = "") {
    say(await resetFailed(ways[way as keyof typeof ways], unit, { timeoutMs: 5_000 }));
  },
  /** Until it is ended. A watch that is lost is begun again. */
  async watch(way = "") {
    setInterval(() => undefined, 1_000);
    const on = ways[way as keyof typeof ways];
    const listen = async (): Promise<void> => {
      const down = (unit: string, state: string) => say({ unit, state, atMs: Date.now() });
      const lost = (why: string) => {
        say({ lost: why });
        void listen();
      };
      try {
        await watchUnitEvents(on, down, lost);
        say({ watching: (await kindOf(on)).kind });
      } catch (error) {
        say({ refused: String(error) });
        setTimeout(() => void listen(), 100);
      }
    };
    await listen();
  },
};

async function kindOf(on: System): Promise<{ kind: string }> {
  const found = await on.bus.connect();
  if ("why" in found) return { kind: found.why };
  return { kind: found.connection.isDirect ? "direct" : "bus" };
}

const [command = "", ...args] = process.argv.slice(2);
await commands[command]?.(...args);
