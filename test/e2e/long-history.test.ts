import { it } from "vitest";
import { commandsOver } from "./long-history.ts";

// test:campaign does the same with 200 MB.
it("takes a bounded memory, however long the history is, and knows all that is open", () => {
  commandsOver(40, 300);
}, 180_000);
