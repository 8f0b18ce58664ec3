/** The format of `rules/*.json` and of `rules/tests/*.json`. What a schema cannot say, detect/check.ts does. */
import * as z from "zod";
import { entityFacts, entityKinds, hostFacts, ProblemFact } from "./facts.ts";
import { ProblemType, Severity } from "./problem.ts";

const Scalar = z.union([z.string(), z.number(), z.boolean()]);

export const FactReference = z.strictObject({
  fact: z.string().describe("a fact"),
  path: z.string().optional().describe("dotted path into it"),
});

export const Leaf = z.strictObject({
  fact: z.string().describe("the fact that is looked at"),
  path: z.string().optional().describe("dotted path into it, such as `usedPercent` or `hog.pid`"),
  operator: z.string().describe("how it is compared, such as equal or greaterThan"),
  value: z
    .union([Scalar, z.array(Scalar), FactReference])
    .describe('what it is compared with: a constant, a list, or `{"fact", "path"}`'),
  name: z.string().optional().describe("a name for it, shown nowhere but in the file"),
});
export type Leaf = z.infer<typeof Leaf>;

export type Condition = Leaf | { all: Condition[] } | { any: Condition[] } | { not: Condition };

export const Condition: z.ZodType<Condition> = z.lazy(() => z.union([All, Any, Not, Leaf]));
const All = z.strictObject({ all: z.array(Condition).min(1) });
const Any = z.strictObject({ any: z.array(Condition).min(1) });
const Not = z.strictObject({ not: Condition });

export const RuleAction = z.strictObject({
  type: z.string().describe("what is to be done; see the actions"),
  target: z.string().min(1).optional().describe("what it acts on; a template"),
  message: z
    .string()
    .min(1)
    .optional()
    .describe("text of an alert or an observation; a template; default: the summary"),
});
export type RuleAction = z.infer<typeof RuleAction>;

export const For = z
  .strictObject({
    cycles: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe("cycles in a row; a look that an event caused does not count"),
    minutes: z.number().min(1).max(44_640).optional().describe("minutes"),
  })
  .describe("how long the conditions must have held: `cycles` or `minutes`");

const name = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be of small letters, digits and single dashes, such as disk-full")
  .max(64)
  .describe("identifies the rule; a local rule of the same name replaces the shipped one");

export const Rule = z.strictObject({
  name,
  description: z.string().min(1).describe("one sentence: the trouble, and what is done about it"),
  enabled: z.boolean().optional().describe("false switches it off"),
  priority: z.number().int().min(0).max(1000).optional().describe("higher ones first; default 1"),
  forEach: z
    .enum(entityKinds)
    .optional()
    .describe("judged once for each entity of this kind; without it once for the host"),
  conditions: Condition.describe("`all`, `any`, `not`, or one comparison"),
  for: For.optional(),
  event: z
    .strictObject({
      type: ProblemType.describe("what kind of trouble"),
      params: z
        .strictObject({
          condition: z
            .string()
            .regex(
              /^[a-z0-9]+(-[a-z0-9]+)*$/,
              "must be of small letters, digits and single dashes, such as nearly-full",
            )
            .describe("one word for what is wrong; part of the problem's identity"),
          severity: Severity.describe("how bad it is"),
          subject: z
            .string()
            .min(1)
            .describe("what is in trouble; a template; part of the problem's identity"),
          summary: z.string().min(1).describe("the sentence that people read; a template"),
          advice: z
            .string()
            .min(1)
            .max(300)
            .optional()
            .describe("one sentence: what a person should do about it; a template"),
          actions: z.array(RuleAction).max(8).optional().describe("what is asked for, in this order"),
          resolves: z
            .boolean()
            .optional()
            .describe("true: these actions are the remedy, nobody else need look"),
        })
        .describe("what the finding says and asks for"),
    })
    .describe("what it means when the conditions hold"),
});
export type Rule = z.infer<typeof Rule>;

export const SwitchOff = z.strictObject({
  name,
  enabled: z.literal(false).describe("name and enabled alone switch a rule off"),
});

export const RuleFile = z.strictObject({
  $schema: z.string().optional(),
  rules: z.array(z.union([SwitchOff, Rule])),
});
export type RuleFile = z.infer<typeof RuleFile>;

const partialFacts = Object.fromEntries([
  ...Object.entries(hostFacts).map(([fact, schema]) => [fact, schema.partial().optional()]),
  ...entityKinds.map((kind) => [kind, z.array(entityFacts[kind].partial()).optional()]),
]);

export const RuleTest = z.strictObject({
  name: z.string().min(1).describe("what it shows"),
  rule: z.string().describe("the rule under test"),
  given: z
    .strictObject({
      snapshot: z
        .strictObject(partialFacts)
        .describe("facts, or parts of them; what is left out was not observed"),
      history: z
        .strictObject({
          cycles: z
            .number()
            .int()
            .min(0)
            .max(1000)
            .optional()
            .describe("cycles before this one that saw the same"),
          minutes: z.number().min(0).max(44_640).optional().describe("since when the same was seen"),
          problem: ProblemFact.partial()
            .optional()
            .describe("what the registry knows of the finding's problem"),
        })
        .optional()
        .describe("what was before this cycle"),
    })
    .describe("what the rule gets to see"),
  expect: z
    .strictObject({
      verdict: z.enum(["fired", "quiet", "blind"]).describe("what comes of the rule"),
      findings: z.number().int().min(0).optional().describe("how many entities it fires on"),
      severity: Severity.optional().describe("of the first finding"),
      summary: z.string().optional().describe("of the first finding"),
      advice: z.string().optional().describe("of the first finding"),
      resolves: z.boolean().optional().describe("of the first finding"),
      actions: z
        .array(
          z.strictObject({
            type: z.string().describe("an action"),
            target: z
              .union([z.string(), z.number()])
              .optional()
              .describe("what it acts on, with the values filled in"),
          }),
        )
        .optional()
        .describe("all that it asks for, in order"),
    })
    .describe("what must come of it"),
});
export type RuleTest = z.infer<typeof RuleTest>;

export const RuleTestFile = z.strictObject({ $schema: z.string().optional(), tests: z.array(RuleTest) });
