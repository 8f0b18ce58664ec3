import {
  chmodSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRuleBook, type RuleBook } from "../../src/detect/rule-book.ts";
import { faultText } from "../../src/system/json-source.ts";
import { asOrdinaryUser } from "../support/ordinary-user.ts";
import { type RulesOnDisk, ruleOf, rulesOnDisk } from "./support.ts";

const over = (limit: number) => ({
  fact: "memory",
  path: "usedPercent",
  operator: "greaterThan",
  value: limit,
});
const file = (name: string, limit = 1) => ({ rules: [ruleOf({ name, conditions: over(limit) })] });

let disk: RulesOnDisk;
beforeEach(() => {
  disk = rulesOnDisk();
  disk.write("/rules/a.json", file("shipped"));
  disk.write("/local/b.json", file("mine"));
  utimesSync(join(disk.root, "local/b.json"), 1_700_000_000, 1_700_000_000);
});
afterEach(() => disk.remove());

function open(): RuleBook {
  const book = openRuleBook(disk.files, disk.dirs);
  expect(book.faults()).toEqual([]);
  return book;
}
const names = (book: RuleBook) => book.rules().rules.map(({ compiled }) => compiled.rule.name);
const faults = (book: RuleBook) => book.faults().map(faultText);

describe("a rule book", () => {
  it("reads nothing again as long as nothing changed, unless told to", () => {
    const book = open();
    const before = book.rules();
    expect([book.refresh(), book.rules() === before]).toEqual([false, true]);
    expect([book.refresh(true), book.rules() === before, names(book)]).toEqual([
      true,
      false,
      ["mine", "shipped"],
    ]);
  });

  it.each([
    ["is edited", () => disk.write("/local/b.json", file("other"))],
    [
      "is replaced by an editor that writes beside it",
      () => {
        disk.write("/local/b.json.new", file("other"));
        renameSync(join(disk.root, "local/b.json.new"), join(disk.root, "local/b.json"));
      },
    ],
    [
      "is replaced by one of the same size and time",
      () => {
        const path = join(disk.root, "local/b.json");
        const { atime, mtime } = statSync(path);
        writeFileSync(`${path}.new`, readFileSync(path, "utf8").replace('"mine"', '"okay"'));
        utimesSync(`${path}.new`, atime, mtime);
        renameSync(`${path}.new`, path);
      },
    ],
    ["is added", () => disk.write("/local/c.json", file("new"))],
    ["is removed", () => disk.remove("/local/b.json")],
  ])("has another set when a file %s", (_, change) => {
    const book = open();
    change();
    expect(book.refresh()).toBe(true);
    expect(names(book)).not.toEqual(["mine", "shipped"]);
    expect(faults(book)).toEqual([]);
    expect(book.refresh()).toBe(false);
  });

  it("sees a change behind a symbolic link", () => {
    disk.write("/srv/b.json", file("mine"));
    disk.remove("/local/b.json");
    symlinkSync("../srv/b.json", join(disk.root, "local/b.json"));
    const book = open();
    disk.write("/srv/b.json", file("elsewhere", 5));
    expect([book.refresh(), names(book)]).toEqual([true, ["elsewhere", "shipped"]]);
  });

  it("keeps the last good set when an edit is broken, says why, and takes the mended file by itself", () => {
    const book = open();
    disk.write("/local/b.json", "{");
    expect(book.refresh()).toBe(false);
    expect(names(book)).toEqual(["mine", "shipped"]);
    expect(faults(book)).toEqual(["/local/b.json:1: is not valid JSON: a closing } is missing"]);
    expect([book.refresh(), faults(book).length]).toEqual([false, 1]);
    disk.write("/local/b.json", file("mended"));
    expect([book.refresh(), names(book), faults(book)]).toEqual([true, ["mended", "shipped"], []]);
  });

  it("keeps the last good set when the shipped folder goes away", () => {
    const book = open();
    renameSync(join(disk.root, "rules"), join(disk.root, "rules.old"));
    expect([book.refresh(), names(book)]).toEqual([false, ["mine", "shipped"]]);
    expect(faults(book)).toEqual([
      "/rules:1: there is no such folder; ARGUS_RULES_DIR must name the shipped rules",
    ]);
    renameSync(join(disk.root, "rules.old"), join(disk.root, "rules"));
    expect([book.refresh(), faults(book)]).toEqual([true, []]);
  });

  it("keeps the last good set when a file cannot be read any more, and takes it back when it can", () => {
    const book = open();
    const path = join(disk.root, "local/b.json");
    chmodSync(path, 0o000);
    const refreshed = asOrdinaryUser(disk.root, () => [book.refresh(), names(book), faults(book)]);
    expect(refreshed).toEqual([
      false,
      ["mine", "shipped"],
      ["/local/b.json:1: cannot be read by this user; run Argus as its owner, or let this user read it"],
    ]);
    chmodSync(path, 0o644);
    expect(asOrdinaryUser(disk.root, () => [book.refresh(), faults(book)])).toEqual([true, []]);
  });

  it("keeps the last good set when a folder may not be searched any more", () => {
    const book = open();
    chmodSync(join(disk.root, "local"), 0o000);
    const kept = asOrdinaryUser(disk.root, () => [book.refresh(), names(book), faults(book).length]);
    chmodSync(join(disk.root, "local"), 0o755);
    expect(kept).toEqual([false, ["mine", "shipped"], 1]);
    expect(asOrdinaryUser(disk.root, () => [book.refresh(), faults(book)])).toEqual([true, []]);
  });

  describe("of a local folder that had rules", () => {
    const local = () => join(disk.root, "local");
    beforeEach(() => disk.write("/local/c.json", { rules: [{ name: "shipped", enabled: false }] }));

    it.each([
      ["is moved away", () => renameSync(local(), `${local()}.old`), "there is no such folder"],
      [
        "becomes a link that leads nowhere",
        () => {
          renameSync(local(), `${local()}.old`);
          symlinkSync("/nowhere/rules.d", local());
        },
        "is a link that leads nowhere",
      ],
      [
        "becomes a plain file",
        () => {
          renameSync(local(), `${local()}.old`);
          writeFileSync(local(), "");
        },
        "is not a folder",
      ],
    ])("and %s: its rules stay in force, also after a restart, and it is said", (_, act, why) => {
      const book = open();
      const copies = book.copies();
      act();
      expect([book.refresh(), names(book), book.rules().disabled]).toEqual([false, ["mine"], ["shipped"]]);
      expect(faults(book)).toEqual([expect.stringContaining(`/local:1: ${why}`)]);
      const anew = openRuleBook(disk.files, disk.dirs, { copies });
      expect([names(anew), anew.rules().disabled]).toEqual([["mine"], ["shipped"]]);
      expect(anew.broken()?.inForce).toMatch(/^the copy of .* stays in force$/);
      rmSync(local(), { force: true });
      renameSync(`${local()}.old`, local());
      expect([book.refresh(), faults(book), names(book)]).toEqual([true, [], ["mine"]]);
    });

    it("and is emptied: its rules are gone, as somebody wanted", () => {
      const book = open();
      disk.remove("/local/b.json");
      disk.remove("/local/c.json");
      expect([book.refresh(), names(book), book.broken()]).toEqual([true, ["shipped"], null]);
      // Then it may go as well.
      disk.remove("/local");
      expect([book.refresh(), faults(book)]).toEqual([true, []]);
    });

    it("and is another one by the settings: the former is nobody's fault", () => {
      const { copies } = open();
      const dirs = { ...disk.dirs, localRulesDir: "/elsewhere" };
      const book = openRuleBook(disk.files, dirs, { copies: copies() });
      expect([names(book), faults(book)]).toEqual([["shipped"], []]);
    });
  });

  it("says of a copy that does not go with the other files that it was good alone", () => {
    const { copies } = open();
    const kept = copies();
    disk.write("/local/b.json", "{");
    disk.write("/local/d.json", file("mine"));
    const book = openRuleBook(disk.files, disk.dirs, { copies: kept });
    expect(book.broken()?.inForce).not.toBe("no rule is in force");
    expect(names(book)).toContain("mine");
  });

  it("leaves out what is broken from the start, and no other file", () => {
    disk.write("/rules/a.json", "{");
    const book = openRuleBook(disk.files, disk.dirs);
    expect(names(book)).toEqual(["mine"]);
    expect(book.broken()).toEqual({
      faults: ["/rules/a.json:1: is not valid JSON: a closing } is missing"],
      inForce: "what was never good is left out",
    });
  });
});
