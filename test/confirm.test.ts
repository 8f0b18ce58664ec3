/** The look after a remedy: what it finds gone is gone by the rule's own conditions, those that need the past included. */
import { expect, it } from "vitest";
import { confirm } from "../src/confirm.ts";
import type { Parts } from "../src/cycle.ts";
import type { Self, Service } from "../src/types/facts.ts";
import { handled, record, serviceFact } from "./escalate/samples.ts";
import { world } from "./support/world.ts";

const self = {} as Self;
const rule = {
  name: "restarts-too-often",
  description: "systemd restarted a service three times within an hour",
  forEach: "service",
  conditions: {
    all: [{ fact: "service", path: "restartsLastHour", operator: "greaterThanInclusive", value: 3 }],
  },
  event: {
    type: "service",
    params: {
      condition: "restarts",
      severity: "warning",
      subject: "{{service.name}}",
      summary: "{{service.name}} was restarted {{service.restartsLastHour}} times",
      actions: [{ type: "restart_service", target: "{{service.name}}" }],
      resolves: true,
    },
  },
};
const finding = handled({ rule: rule.name, entity: { kind: "service", identity: "web" } }).finding;
const done = record({ result: "success", verified: true });

function its() {
  const own = world({ settings: { tickets: { enabled: false } }, rules: [rule] });
  const seeing = (more: Partial<Service>): Pick<Parts, "collector"> => ({
    collector: {
      collect: async () => ({
        takenAt: "",
        collectors: [],
        facts: { service: [serviceFact({ restartsLastHour: null, restarts24h: null, ...more })] },
      }),
    },
  });
  const look = async (restarts: number) =>
    own.parts().history.observe(await seeing({ restarts }).collector.collect(self));
  const check = async (more: Partial<Service>, actions = [done]) =>
    (await confirm({ ...own.parts(), ...seeing(more) }, self, [{ finding, actions }])).attempts[0];
  return { look, check };
}

it("a restart that changed nothing about the restarts of the last hour had no effect", async () => {
  const { look, check } = its();
  await look(0);
  await look(4);
  expect(await check({ restarts: 4 })).toMatchObject({ isGone: false, actions: [{ verified: false }] });
});

it("leaves no sample: a look in between is none of the cycle's", async () => {
  const { look, check } = its();
  await look(0);
  await check({ restarts: 2 });
  expect((await look(2)).facts.service?.[0]?.restartsLastHour).toBe(2);
});

it("is taken as well where the executor found the target in another state, and says which holds", async () => {
  const { look, check } = its();
  await look(0);
  await look(4);
  const notNeeded = record({ result: "skipped", refusal: "not_needed", verified: null });
  expect(await check({ restarts: 4 }, [notNeeded])).toMatchObject({ isGone: false });
  // NRestarts begins anew when somebody starts the unit; what was counted stays.
  const paused = record({ result: "skipped", refusal: "paused", verified: null });
  expect(await check({ restarts: 4 }, [paused])).not.toHaveProperty("isGone");
});
