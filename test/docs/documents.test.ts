/** Generated documents are as the code says, and what is written by hand around them is true. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { documents } from "../../scripts/docs/documents.ts";
import { rulesSchema, ruleTestsSchema, settingsSchema } from "../../scripts/docs/json-schemas.ts";
import { withSections } from "../../scripts/docs/markdown.ts";
import { loadConfig } from "../../src/config.ts";
import { loadRules } from "../../src/detect/load.ts";
import { runRuleTests } from "../../src/detect/rule-tests.ts";
import { faultText } from "../../src/system/json-source.ts";
import { createSystem } from "../../src/system/machine.ts";
import { actionTypes } from "../../src/types/action.ts";
import { allFacts, type FactName } from "../../src/types/facts.ts";
import { fieldsOf } from "../../src/types/fields.ts";
import { variables } from "../../src/types/settings.ts";
import { emptyMachine } from "../bad-input/cases.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const generated = documents(read);

describe("generated documents", () => {
  it.each(generated.map(({ path, text }) => [path, text]))(
    "%s is as the code says; if not, run `npm run docs`",
    (path, text) => {
      expect(read(path)).toBe(text);
    },
  );

  it("leave no column empty that a reader needs", () => {
    for (const path of ["docs/rules.md", "docs/settings.md"]) {
      const rows = read(path)
        .split("\n")
        .filter((line) => line.startsWith("| `"));
      expect(rows.length).toBeGreaterThan(20);
      expect(rows.filter((line) => /\|\s*\|$/.test(line))).toEqual([]);
    }
  });

  it("name every fact, field, action and variable", () => {
    const rules = read("docs/rules.md");
    for (const fact of Object.keys(allFacts) as FactName[]) {
      const section = rules.split(`#### ${fact}\n`)[1]?.split("####")[0] ?? "";
      for (const path of fieldsOf(fact).keys()) expect(section).toContain(`| \`${path}\``);
    }
    for (const action of actionTypes) expect(rules).toContain(`| \`${action}\``);
    const settings = read("docs/settings.md");
    for (const name of Object.keys(variables)) expect(settings).toContain(`| \`${name}\``);
  });

  it("refuse to be written into a text whose markers do not fit", () => {
    const text = "a\n<!-- BEGIN one -->\nold\n<!-- END one -->\nb\n";
    expect(withSections(text, { one: "new" })).toBe("a\n<!-- BEGIN one -->\nnew\n<!-- END one -->\nb\n");
    expect(() => withSections(text, {})).toThrow("the text has markers for one, but there are ");
    expect(() => withSections("a\n", { one: "new" })).toThrow(
      "the text has markers for nothing, but there are one",
    );
  });
});

describe("argus.env.example", () => {
  const lines = read("argus.env.example").split("\n");

  it("sets nothing, and with every # before a name taken away still loads with the defaults", () => {
    expect(lines.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
    const machine = emptyMachine();
    try {
      const config = () =>
        loadConfig({
          system: createSystem({ root: machine.root }),
          env: {},
          workingDir: "/srv",
          programDir: "/opt/argus",
        });
      machine.write("/etc/argus/argus.json", "{}");
      const { envFile: none, modeSource: unset, ...defaults } = config();
      machine.write(
        "/etc/argus/argus.env",
        lines.map((line) => line.replace(/^#(?=[A-Z_]+=)/, "")).join("\n"),
      );
      const { envFile, modeSource, ...uncommented } = config();
      expect([none, envFile]).toEqual([null, "/etc/argus/argus.env"]);
      expect([unset.kind, modeSource.kind]).toEqual(["default", "file"]);
      expect(uncommented).toEqual(defaults);
    } finally {
      machine.remove();
    }
  });

  it("has every variable but the one that says where it lies", () => {
    const named = lines.flatMap((line) => /^#([A-Z_]+)=/.exec(line)?.[1] ?? []);
    expect(named).toEqual(Object.keys(variables).filter((name) => name !== "ARGUS_CONFIG"));
  });
});

/** The JSON code blocks of a document, in their order. */
const jsonBlocks = (path: string): string[] =>
  [...read(path).matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

describe("docs/rules.md", () => {
  const [rule = "", test = "", switchOff = ""] = jsonBlocks("docs/rules.md");

  /** @returns what `argus check` has to say about local rules like these. */
  async function checked(rules: string, tests?: string) {
    const machine = emptyMachine();
    try {
      machine.put(join(root, "rules"), "/opt/argus/rules");
      machine.write("/etc/argus/rules.d/dev-servers.json", rules);
      if (tests !== undefined) machine.write("/etc/argus/rules.d/tests/dev-servers.json", tests);
      const loaded = loadRules(machine.files, {
        rulesDir: "/opt/argus/rules",
        localRulesDir: "/etc/argus/rules.d",
      });
      if (!loaded.ok) return loaded.faults.map(faultText);
      const { reports, faults } = await runRuleTests(machine.files, loaded.set, ["/etc/argus/rules.d"]);
      return [
        ...faults.map(faultText),
        ...reports.map(({ name, failures }) => `${name}: ${failures.join("; ") || "passed"}`),
      ];
    } finally {
      machine.remove();
    }
  }

  it("has a rule and tests that work as they stand", async () => {
    expect(await checked(rule, test)).toEqual([
      "two days and two cycles: passed",
      "processes not observed: passed",
    ]);
    expect(await checked(switchOff)).toEqual([]);
  });

  it("shows an error as it is said", async () => {
    const [said = ""] = await checked(rule.replace('"path": "ageSeconds"', '"path": "ageSecond"'));
    expect(said).toContain("dev-servers.json:");
    expect(read("docs/rules.md")).toContain(`\`\`\`\n${said}\n\`\`\``);
  });
});

describe("docs/settings.md", () => {
  it("has settings that work as they stand", () => {
    const machine = emptyMachine();
    try {
      machine.write("/etc/argus/argus.json", jsonBlocks("docs/settings.md")[0] ?? "");
      const source = {
        system: createSystem({ root: machine.root }),
        env: {},
        workingDir: "/srv",
        programDir: "/opt/argus",
      };
      expect(loadConfig(source).settings.budgets).toEqual({
        killsPerHour: 5,
        restartsPerHour: 10,
        cleaningsPerHour: 2,
      });
    } finally {
      machine.remove();
    }
  });
});

describe("the README", () => {
  it("names every shipped rule", () => {
    const names = readdirSync(join(root, "rules"))
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => JSON.parse(read(`rules/${name}`)).rules.map((rule: { name: string }) => rule.name));
    expect(names.filter((name) => !read("README.md").includes(`\`${name}\``))).toEqual([]);
  });

  it("shows the rule orphan-node-test as it is, and as many rules as there are", () => {
    const rules = readdirSync(join(root, "rules"))
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => JSON.parse(read(`rules/${name}`)).rules);
    const { conditions } = rules.find(({ name }) => name === "orphan-node-test");
    const picture = read("docs/img/explain.svg").replace(/<[^>]*>/g, "");
    const saw = picture.slice(picture.indexOf("Saw"), picture.indexOf("Held"));
    const paths = (text: string) => [...text.matchAll(/process\.(\w+)/g)].map(([, path]) => path);
    expect(paths(saw)).toEqual(conditions.all.map(({ path }: { path: string }) => path));
    for (const text of [picture.replaceAll("\u00a0", " "), read("README.md")])
      expect(/\d+ of (\d+) rules looked/.exec(text)?.[1]).toBe(String(rules.length));
  });
});

describe("the JSON Schemas", () => {
  const files = (folder: string) => readdirSync(join(root, folder)).filter((name) => name.endsWith(".json"));
  const accepts = (schema: Parameters<typeof z.fromJSONSchema>[0]) => {
    const validator = z.fromJSONSchema(schema);
    return (path: string) => validator.safeParse(JSON.parse(read(path))).success;
  };

  it("take every shipped rule, rule test and setting", () => {
    expect(files("rules").filter((name) => !accepts(rulesSchema())(`rules/${name}`))).toEqual([]);
    expect(files("rules/tests").filter((name) => !accepts(ruleTestsSchema())(`rules/tests/${name}`))).toEqual(
      [],
    );
    expect(accepts(settingsSchema())("argus.json")).toBe(true);
  });

  it.each([
    "action-clean-of-a-name",
    "action-kill-pid-of-another",
    "action-kill-pid-without-a-target",
    "action-unknown",
    "all-and-any",
    "all-empty",
    "contains-on-a-text",
    "decorator-mistyped",
    "decorator-on-a-text",
    "enabled-true-alone",
    "fact-unknown",
    "for-both",
    "for-neither",
    "leaf-priority",
    "less-than-on-a-text",
    "matches-on-a-list",
    "name-with-capitals",
    "operator-mistyped",
    "params-key-mistyped",
    "path-jsonpath",
    "path-missing",
    "path-to-an-object",
    "path-unknown",
    "priority-out-of-range",
    "reference-unknown",
    "severity-unknown",
    "top-key-unknown",
    "value-number-as-text",
    "value-text-for-a-flag",
  ])("for rules refuses %s, so that an editor underlines it", (defect) => {
    expect(accepts(rulesSchema())(`test/fixtures/bad-rules/${defect}.json`)).toBe(false);
  });

  it.each([
    "budget-too-large",
    "key-unknown",
    "may-propose-a-shell",
    "service-without-a-unit",
    "url-without-a-scheme",
  ])("for settings refuses %s", (defect) => {
    expect(accepts(settingsSchema())(`test/fixtures/bad-settings/${defect}.json`)).toBe(false);
  });

  it("for rule tests refuses a field that a fact has not, and an action that there is not", () => {
    const validator = z.fromJSONSchema(ruleTestsSchema());
    const test = (snapshot: object, type: string) => ({
      tests: [
        { name: "n", rule: "r", given: { snapshot }, expect: { verdict: "fired", actions: [{ type }] } },
      ],
    });
    const fits = (snapshot: object, type: string) => validator.safeParse(test(snapshot, type)).success;
    expect([
      fits({ memory: { usedPercent: 1 } }, "log"),
      fits({ memory: { used: 1 } }, "log"),
      fits({}, "logs"),
    ]).toEqual([true, false, false]);
  });

  it("are what the files point to", () => {
    const pointer = (path: string) => JSON.parse(read(path))["$schema"];
    expect(new Set(files("rules").map((name) => pointer(`rules/${name}`)))).toEqual(
      new Set(["../docs/rules.schema.json"]),
    );
    expect(new Set(files("rules/tests").map((name) => pointer(`rules/tests/${name}`)))).toEqual(
      new Set(["../../docs/rule-tests.schema.json"]),
    );
    expect(pointer("argus.json")).toBe("./docs/argus.schema.json");
  });
});
