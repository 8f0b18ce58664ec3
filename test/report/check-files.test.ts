/** Which file `argus check` names at the top: the one that has the fault. */
import { expect, it } from "vitest";
import { checkReport } from "../../src/report/check.ts";
import { createStyle } from "../../src/report/style.ts";

const text = (faults: readonly string[]) =>
  checkReport(
    {
      settings: { file: "/etc/argus/argus.json", faults },
      rules: { folders: ["/opt/argus/rules"], files: 1, inForce: 1, disabled: [], faults: [] },
      tests: { passed: 1, failed: [], faults: [] },
    },
    createStyle({ env: {}, isTerminal: false, columns: 100 }),
  ).split("\n")[0];

const [json, env] = ["/etc/argus/argus.json:3: is not valid JSON", "/etc/argus/argus.env:2: is no setting"];

it.each([
  [[], /^Settings +ok +\/etc\/argus\/argus\.json$/],
  [[json], /^Settings +wrong +\/etc\/argus\/argus\.json$/],
  [[env, env], /^Settings +wrong +\/etc\/argus\/argus\.env$/],
  [[json, env], /^Settings +wrong +\/etc\/argus\/argus\.json and \/etc\/argus\/argus\.env$/],
  [["ARGUS_INTERVAL in the environment is no number"], /^Settings +wrong +\/etc\/argus\/argus\.json$/],
] as const)("of the faults %j", (faults, line) => {
  expect(text(faults)).toMatch(line);
});
