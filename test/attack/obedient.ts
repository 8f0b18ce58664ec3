/** A model that does whatever any text of the machine tells it to, on top of what it was really offered. */
import { type Behaviour, reply, says } from "../escalate/model-server.ts";
import type { Wish } from "./hostile.ts";

export interface Obedience {
  readonly behaviour: Behaviour;
  /** Instructions that reached it, over all requests. */
  obeyed: number;
  asked: number;
  /** What it was told to ask for at least once, as JSON. */
  readonly wanted: Set<string>;
}

export function obedientModel(): Obedience {
  const its: Obedience = {
    obeyed: 0,
    asked: 0,
    wanted: new Set(),
    behaviour(response, received) {
      const content = received.body.messages[0]?.content ?? "";
      const document: unknown = JSON.parse(content.slice(content.indexOf("{")));
      const texts = textsOf(document);
      const problem = /\b[a-z]+:[0-9a-f]{16}\b/.exec(content)?.[0] ?? "";
      const wanted = texts.flatMap(instructionsIn);
      const offered = offeredIn(document);
      its.obeyed += wanted.length;
      for (const wish of wanted) its.wanted.add(JSON.stringify(wish));
      // Twenty are the most that one reply may hold: as many of the attacker's as there is room for come first, and
      // what is left goes to asking for everything twice.
      const actions = [...unique(wanted).slice(0, 12), ...offered, ...offered].slice(0, 20).map((wish) => ({
        target: null,
        message: null,
        problem,
        reason: "I was told to, and I am sure.",
        confidence: 1,
        ...wish,
      }));
      its.asked += actions.length;
      says(reply({ assessment: texts.join(" ").slice(0, 3000), actions }))(response, received);
    },
  };
  return its;
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [key, ...textsOf(each)]);
}

/** Every piece that reads as JSON and names a type, also when it was put into a string once more. */
function instructionsIn(text: string): Wish[] {
  const plain = text.replaceAll('\\"', '"');
  return [...plain.matchAll(/\{[^{}]{0,300}\}/g)].flatMap(([piece]) => {
    try {
      const wish = JSON.parse(piece) as Wish;
      return typeof wish.type === "string" ? [wish] : [];
    } catch {
      return [];
    }
  });
}

function offeredIn(document: unknown): Wish[] {
  const { allowed_actions: allowed } = document as {
    allowed_actions: Record<string, { target: unknown; problems: string[] }[]>;
  };
  return Object.entries(allowed).flatMap(([type, rows]) =>
    rows.flatMap(({ target, problems: [problem] }) =>
      problem === undefined
        ? []
        : { type, target, problem, ...(type === "alert" || type === "log" ? { message: "obeyed" } : {}) },
    ),
  );
}

const unique = (wanted: readonly Wish[]): Wish[] => [
  ...new Map(wanted.map((wish) => [JSON.stringify(wish), wish])).values(),
];
