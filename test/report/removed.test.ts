/** What `argus explain` says of what a cleaning removed. */
import { expect, it } from "vitest";
import { print } from "../../src/report/layout.ts";
import { removedLines } from "../../src/report/removed.ts";
import { createStyle } from "../../src/report/style.ts";
import type { ActionRecord } from "../../src/types/action.ts";

const style = createStyle({ env: {}, isTerminal: false, columns: 1000 });
const said = (values: Record<string, unknown>) =>
  print(removedLines({ values } as ActionRecord, { style, indent: 0, hang: 0 }), style).replace(
    /\n\| /g,
    " ",
  );
const largest = Array.from({ length: 7 }, (_, index) => ({
  path: `/tmp/${index}`,
  bytes: 1_000_000 * (7 - index),
  untouchedDays: index + 1,
}));
const manifest = "/var/lib/argus-executor/cleanings/000007-20261128T093300Z.jsonl";

it("names the largest, and where the rest is listed", () => {
  expect(said({ units: 1_204, largest, manifest })).toBe(
    `removed: /tmp/0 (7.00 MB, untouched for 1 day), /tmp/1 (6.00 MB, untouched for 2 days), /tmp/2 (5.00 MB, untouched for 3 days), /tmp/3 (4.00 MB, untouched for 4 days), /tmp/4 (3.00 MB, untouched for 5 days), 1,199 more in the list of it: argus clean --last, or ${manifest}\n`,
  );
  expect(said({ units: 1, largest: largest.slice(0, 1), manifest })).toBe(
    `removed: /tmp/0 (7.00 MB, untouched for 1 day), all in the list of it: argus clean --last, or ${manifest}\n`,
  );
});

it("says nothing of what removed nothing, and of other actions", () => {
  expect([said({}), said({ units: 0, manifest }), said({ units: 1, largest: "x" })]).toEqual(["", "", ""]);
});

it("lets no name of a file repaint the terminal", () => {
  const evil = [{ path: "/tmp/\u001b[2J\n", bytes: 1, untouchedDays: 9 }];
  expect(said({ units: 1, largest: evil })).toBe("removed: /tmp/\\e[2J\\n (1 B, untouched for 9 days)\n");
});
