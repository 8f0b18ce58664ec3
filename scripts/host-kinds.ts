/**
 * The healing part of the host tests, on the kinds of host that people have: three releases, in containers with a boot id of their own
 * and with the kernel's, with each kind of journal. `-- bullseye trixie` goes through those releases alone, `-- --times 10` repeats it.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type Kind, type Release, releases } from "../test/host/kinds.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { times: { type: "string", default: "1" } },
});
const unknown = positionals.find((each) => !releases.some((release) => release === each));
const times = Number(values.times);
if (unknown !== undefined || !(Number.isInteger(times) && times > 0)) {
  console.error(`Usage: npm run test:host:releases -- [--times NUMBER] [${releases.join(" ")}]`);
  process.exit(2);
}
const wanted = releases.filter((release) => positionals.length === 0 || positionals.includes(release));

/** Each journal and each boot id once a release: the two do not depend on one another. */
const kindsOf = (release: Release): Kind[] => [
  { release, journal: "persistent", bootId: "own" },
  { release, journal: "volatile", bootId: "kernel" },
  { release, journal: "none", bootId: "own" },
];

let failed = 0;
for (let time = 1; time <= times; time += 1) {
  for (const kind of wanted.flatMap(kindsOf)) {
    const startedMs = Date.now();
    const result = spawnSync(
      "npx",
      ["vitest", "run", "--config", "test/host/vitest.config.ts", "test/host/releases.host.ts"],
      {
        encoding: "utf8",
        env: {
          ...process.env,
          ARGUS_HOST_RELEASE: kind.release ?? "",
          ARGUS_HOST_JOURNAL: kind.journal,
          ARGUS_HOST_BOOT_ID: kind.bootId,
        },
      },
    );
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    const isGreen = result.status === 0;
    if (!isGreen) {
      failed += 1;
      console.log(`${result.stdout}\n${result.stderr}`);
    }
    const { release, journal, bootId } = kind;
    console.log(
      `${isGreen ? "ok    " : "FAILED"}  ${release}, journal ${journal}, boot id ${bootId}: ${seconds} s`,
    );
  }
}
console.log(failed === 0 ? "The healing part holds on each of them." : `${failed} failed.`);
process.exit(failed === 0 ? 0 : 1);
