/** What Argus writes into its files and outputs for reasons of its own: names of fields, and words out of closed lists. */
import * as z from "zod";
import { ActionRecord, OutboxMessage, Proposal } from "../types/action.ts";
import { Consultation } from "../types/consultation.ts";
import { RegistryRecord } from "../types/problem.ts";
import { Settings, variables } from "../types/settings.ts";
import { Snapshot } from "../types/snapshot.ts";
import { TrailCycle } from "../types/trail.ts";

export function* ownWords(): Generator<string> {
  yield* Object.keys(variables);
  for (const schema of [
    TrailCycle,
    RegistryRecord,
    Snapshot,
    Consultation,
    OutboxMessage,
    ActionRecord,
    Proposal,
    Settings,
  ])
    yield* wordsIn(z.toJSONSchema(schema, { unrepresentable: "any", io: "input" }));
}

function* wordsIn(schema: unknown): Generator<string> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" && typeof value === "object" && value !== null) yield* Object.keys(value);
    if (key === "enum" || key === "const") yield* [value].flat().filter((each) => typeof each === "string");
    if (key !== "default" && key !== "description") yield* wordsIn(value);
  }
}
