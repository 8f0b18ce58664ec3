/** All that one cycle observed: plain, typed, immutable. */
import * as z from "zod";
import {
  DiskEntity,
  EndpointEntity,
  HostFact,
  LoadFact,
  MemoryFact,
  PressureFact,
  ProcessEntity,
  RebootFact,
  SelfFact,
  ServiceEntity,
  SessionEntity,
  SwapFact,
} from "./facts.ts";

export const CollectorReport = z.strictObject({
  name: z.string(),
  /** `absent`: what it looks at does not exist here (no systemd, no tmux). `failed`: it should have answered. */
  status: z.enum(["ok", "failed", "absent"]),
  duration_ms: z.number(),
  /** One sentence: what was seen, or why not. */
  detail: z.string(),
});
export type CollectorReport = z.infer<typeof CollectorReport>;

/** A fact that is left out was not observed: rules that need it are blind. An entity list that is empty was observed. */
export const Facts = z.strictObject({
  host: HostFact.optional(),
  memory: MemoryFact.optional(),
  swap: SwapFact.optional(),
  load: LoadFact.optional(),
  pressure: PressureFact.optional(),
  self: SelfFact.optional(),
  reboot: RebootFact.optional(),
  disk: z.array(DiskEntity).optional(),
  service: z.array(ServiceEntity).optional(),
  process: z.array(ProcessEntity).optional(),
  session: z.array(SessionEntity).optional(),
  endpoint: z.array(EndpointEntity).optional(),
});
export type Facts = z.infer<typeof Facts>;

export const Snapshot = z.strictObject({
  /** ISO 8601, UTC. */
  takenAt: z.string(),
  collectors: z.array(CollectorReport),
  facts: Facts,
});
export type Snapshot = z.infer<typeof Snapshot>;
