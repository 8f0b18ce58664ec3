/**
 * The facts of a snapshot: what rules read. Names are part of the contract with users' rule files.
 * Percentages run 0 to 100. A `null` field was not observed; a condition on it can neither hold nor fail.
 */
import type * as z from "zod";
import { DiskEntity, EndpointEntity, ProcessEntity, ServiceEntity, SessionEntity } from "./entities.ts";
import {
  HostFact,
  LoadFact,
  MemoryFact,
  PressureFact,
  ProblemFact,
  RebootFact,
  SelfFact,
  SwapFact,
} from "./host-facts.ts";

export * from "./entities.ts";
export * from "./host-facts.ts";

/** Facts that exist once for the host. */
export const hostFacts = {
  host: HostFact,
  memory: MemoryFact,
  swap: SwapFact,
  load: LoadFact,
  pressure: PressureFact,
  self: SelfFact,
  reboot: RebootFact,
} as const;

/** Facts that a rule with `forEach` is judged on, one entity at a time. */
export const entityFacts = {
  disk: DiskEntity,
  service: ServiceEntity,
  process: ProcessEntity,
  session: SessionEntity,
  endpoint: EndpointEntity,
} as const;

/** Facts about the finding's own problem, out of the registry. */
export const historyFacts = { problem: ProblemFact } as const;

export const allFacts = { ...hostFacts, ...entityFacts, ...historyFacts } as const;

export type HostFactName = keyof typeof hostFacts;
export type EntityKind = keyof typeof entityFacts;
export type FactName = keyof typeof allFacts;
export const entityKinds = Object.keys(entityFacts) as EntityKind[];

export type Host = z.infer<typeof HostFact>;
export type Memory = z.infer<typeof MemoryFact>;
export type Swap = z.infer<typeof SwapFact>;
export type Load = z.infer<typeof LoadFact>;
export type Pressure = z.infer<typeof PressureFact>;
export type Reboot = z.infer<typeof RebootFact>;
export type Self = z.infer<typeof SelfFact>;
export type Problem24h = z.infer<typeof ProblemFact>;
export type Disk = z.infer<typeof DiskEntity>;
export type Service = z.infer<typeof ServiceEntity>;
export type Process = z.infer<typeof ProcessEntity>;
export type Session = z.infer<typeof SessionEntity>;
export type Endpoint = z.infer<typeof EndpointEntity>;

export interface Entities {
  disk: Disk;
  service: Service;
  process: Process;
  session: Session;
  endpoint: Endpoint;
}
export type Entity = Entities[EntityKind];

/** What makes an entity the same one in the next cycle. A process is its pid and its start time. */
export function entityIdentity<K extends EntityKind>(kind: K, entity: Entities[K]): string {
  switch (kind) {
    case "process": {
      const process = entity as Process;
      return `${process.pid}@${process.startTime}`;
    }
    case "disk":
      return (entity as Disk).mount;
    case "session": {
      const session = entity as Session;
      return `${session.socket}:${session.name}`;
    }
    default:
      return (entity as Service | Endpoint).name;
  }
}
