/** Every generated document. Pure: from the texts as they are to the texts as they must be. */
import { jsonText, rulesSchema, ruleTestsSchema, settingsSchema } from "./json-schemas.ts";
import { withSections } from "./markdown.ts";
import {
  actionsReference,
  factsReference,
  formatsReference,
  operatorsReference,
  ruleKeysReference,
  testKeysReference,
} from "./rules-reference.ts";
import {
  channelsReference,
  envExample,
  formerReference,
  settingsReference,
  variablesReference,
} from "./settings-reference.ts";

export interface Document {
  /** Below the repository. */
  readonly path: string;
  readonly text: string;
}

/** @param read the present text of a document that is written by hand but for its sections. */
export function documents(read: (path: string) => string): Document[] {
  const rules = {
    keys: ruleKeysReference(),
    operators: operatorsReference(),
    actions: actionsReference(),
    formats: formatsReference(),
    "test-keys": testKeysReference(),
    facts: factsReference(),
  };
  const settings = {
    settings: settingsReference(),
    variables: variablesReference(),
    former: formerReference(),
  };
  const schema = (path: string, value: unknown) => ({ path, text: `${jsonText(value)}\n` });
  return [
    { path: "docs/rules.md", text: withSections(read("docs/rules.md"), rules) },
    { path: "docs/settings.md", text: withSections(read("docs/settings.md"), settings) },
    {
      path: "docs/channels.md",
      text: withSections(read("docs/channels.md"), { channels: channelsReference() }),
    },
    { path: "argus.env.example", text: envExample() },
    schema("docs/rules.schema.json", rulesSchema()),
    schema("docs/rule-tests.schema.json", ruleTestsSchema()),
    schema("docs/argus.schema.json", settingsSchema()),
  ];
}
