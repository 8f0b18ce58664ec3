import { it } from "vitest";
import { commandsOver } from "../e2e/long-history.ts";

it("200 MB of problem history and 200 MB of decision log, of 300 units and of as many as there are lines", () => {
  for (const units of [300, 1_000_000]) console.log(`${units} units, MB:`, commandsOver(200, units));
}, 1_200_000);
