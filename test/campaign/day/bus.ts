/** systemd at the other end of a bus: answers from the model, and its signals. */
import { BusError } from "../../../src/system/bus/connection.ts";
import { unitOfPath, unitPath } from "../../../src/system/bus/systemd1.ts";
import type { Bus, BusConnection, BusListener, BusMessage, BusValue } from "../../../src/system/system.ts";
import type { SimulatedTime } from "./time.ts";
import type { By, Manager, Unit } from "./units.ts";

export interface BusEnd {
  /** One for each simulated process. @param by who asks for jobs. */
  busFor(by: By): { readonly bus: Bus; kill(): void };
  /** A unit changed. */
  changed(unit: Unit): void;
  /** answers: as ever. silent: nobody answers, and signals wait. gone: the connections are lost, and there is no new one. */
  become(state: BusState): void;
  state(): BusState;
}
export type BusState = "answers" | "silent" | "gone";

export function createBusEnd(time: SimulatedTime, manager: () => Manager): BusEnd {
  const listeners = new Set<{ readonly heard: BusListener; readonly isAlive: () => boolean }>();
  let state: BusState = "answers";
  let held: BusMessage[] = [];
  let jobs = 0;

  function send(signal: BusMessage): void {
    if (state !== "answers") held.push(signal);
    else for (const { heard, isAlive } of [...listeners]) if (isAlive()) heard.onSignal(signal);
  }

  function answer({ path, member, body = [] }: Parameters<BusConnection["call"]>[0], by: By): BusMessage {
    const [argument] = body;
    switch (member) {
      case "Subscribe":
        return reply([]);
      case "GetAll":
        return reply([], propertiesOf(unitOfPath(path) ?? "", manager()));
      case "ListUnitsFiltered":
        return reply([
          [...manager().units.values()]
            .filter(({ active }) => active === "failed")
            .map(({ form }) => [form.id]),
        ]);
      case "ResetFailedUnit": {
        const unit = manager().find(String(argument));
        if (unit === undefined) throw new BusError("org.freedesktop.systemd1.NoSuchUnit", "Unit not loaded.");
        if (unit.active === "failed") {
          unit.active = "inactive";
          unit.sub = "dead";
          unit.result = "success";
        }
        return reply([]);
      }
      case "RestartUnit": {
        const unit = manager().find(String(argument));
        if (unit === undefined || unit.load !== "loaded")
          throw new BusError("org.freedesktop.systemd1.NoSuchUnit", `Unit ${argument} not found.`);
        jobs += 1;
        const job = `/org/freedesktop/systemd1/job/${jobs}`;
        const number = jobs;
        const ended = (result: string) =>
          send(signalOf("/org/freedesktop/systemd1", "JobRemoved", [number, job, unit.form.id, result]));
        time.after(1, () => manager().start(unit, by, ended));
        return reply([job]);
      }
      default:
        throw new BusError("org.freedesktop.DBus.Error.UnknownMethod", `Unknown method ${member}`);
    }
  }

  return {
    state: () => state,
    become(next) {
      state = next;
      if (next === "gone") {
        for (const each of [...listeners]) if (each.isAlive()) each.heard.onLost("the connection was closed");
        listeners.clear();
        held = [];
      }
      if (next === "answers") for (const each of held.splice(0)) send(each);
    },
    changed(unit) {
      const changed = [
        ["ActiveState", unit.active],
        // Argus compares it with this computer's own monotonic clock, which no test can set.
        ["StateChangeTimestampMonotonic", process.hrtime.bigint() / 1000n],
      ];
      const body = ["org.freedesktop.systemd1.Unit", changed, []] as unknown as BusValue[];
      send(signalOf(unitPath(unit.form.id), "PropertiesChanged", body));
    },
    busFor(by) {
      let isAlive = true;
      const never = new Promise<never>(() => undefined);
      const connection: BusConnection = {
        isDirect: true,
        async call(call, { timeoutMs = 5_000, signal } = {}) {
          if (!isAlive) return never;
          if (state === "gone") throw new Error("/run/systemd/private was lost: the connection was closed");
          if (state === "answers") return answer(call, by);
          return await new Promise<never>((_, reject) => {
            const refuse = (why: string) => {
              cancel();
              if (isAlive) reject(new Error(why));
            };
            const late = () => refuse(`no answer to ${call.member} within ${timeoutMs / 1000} s`);
            const cancel = time.after(timeoutMs, late);
            signal?.addEventListener("abort", () => refuse(`${call.member} was cut off`), { once: true });
          });
        },
        listen(heard) {
          const mine = { heard, isAlive: () => isAlive };
          listeners.add(mine);
          return () => void listeners.delete(mine);
        },
      };
      return {
        kill: () => {
          isAlive = false;
        },
        bus: {
          connect: async () => {
            if (!isAlive) return never;
            return state === "gone" ? { why: "connect ECONNREFUSED /run/systemd/private" } : { connection };
          },
        },
      };
    },
  };
}

const empty = { sender: "org.freedesktop.systemd1", path: "", interface: "", member: "", errorName: "" };

function reply(body: readonly BusValue[], properties: ReadonlyMap<string, BusValue> = new Map()): BusMessage {
  return { ...empty, kind: "reply", body: () => [...body], properties: () => properties };
}

function signalOf(path: string, member: string, body: readonly BusValue[]): BusMessage {
  return { ...reply(body), kind: "signal", path, member };
}

function propertiesOf(name: string, manager: Manager): ReadonlyMap<string, BusValue> {
  const unit = manager.find(name);
  if (
    unit === undefined ||
    (unit.load === "not-found" && unit.active !== "active" && unit.active !== "failed")
  )
    return new Map<string, BusValue>([
      ["Id", name],
      ["Names", [name]],
      ["LoadState", "not-found"],
      ["ActiveState", "inactive"],
      ["SubState", "dead"],
    ]);
  const { form, stamps } = unit;
  const isService = form.id.endsWith(".service");
  return new Map<string, BusValue>([
    ["Id", form.id],
    ["Names", [form.id, ...(form.aliases ?? [])]],
    ["LoadState", unit.load],
    ["ActiveState", unit.active],
    ["SubState", unit.sub],
    ["UnitFileState", unit.fileState],
    ["Job", unit.job === 0 ? [0, "/"] : [unit.job, `/org/freedesktop/systemd1/job/${unit.job}`]],
    ["ActiveEnterTimestampMonotonic", BigInt(Math.round(stamps.activeEnter))],
    ["ActiveExitTimestampMonotonic", BigInt(Math.round(stamps.activeExit))],
    ["InactiveEnterTimestampMonotonic", BigInt(Math.round(stamps.inactiveEnter))],
    ["InactiveExitTimestampMonotonic", BigInt(Math.round(stamps.inactiveExit))],
    ["TriggeredBy", [...(form.triggeredBy ?? [])]],
    ["BindsTo", [...(form.bindsTo ?? [])]],
    ["FragmentPath", `/etc/systemd/system/${form.id}`],
    ["ConditionResult", true],
    ["ConditionTimestampMonotonic", BigInt(Math.round(stamps.inactiveExit))],
    ...(isService
      ? ([
          ["Result", unit.result],
          ["MainPID", unit.pid],
          ["ControlPID", 0],
          ["NRestarts", unit.restarts],
          ["Type", form.type ?? "simple"],
          ["TimeoutStartUSec", 90_000_000n],
          ["TimeoutStopUSec", 90_000_000n],
        ] as const)
      : []),
  ]);
}
