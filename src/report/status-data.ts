/** What `argus status` is made from. */
import type { Problem } from "../types/problem.ts";
import type { Broken, Mode } from "../types/settings.ts";
import type { TrailCycle } from "../types/trail.ts";
import type { WithAck } from "./acks.ts";
import type { ApprovalData } from "./approvals.ts";
import type { SilenceData } from "./silences.ts";

export interface StatusData {
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly now: string;
  readonly stateDir: string;
  readonly mode: Mode;
  /** Files that cannot be used, and what is in force meanwhile; null or left out: all are in force. */
  readonly broken?: { readonly settings: Broken | null; readonly rules: Broken | null };
  /** One sentence: what no rule in force sees, so that nobody is told of it. null or left out: nothing of the kind. */
  readonly sightless?: string | null;
  readonly intervalSeconds: number;
  /** null: no daemon and no `run --once` at the moment. */
  readonly running: { readonly pid: number; readonly what: string; readonly since: string } | null;
  /** One sentence: what is known here is older than what the daemon knows, which cannot write. null: it can. */
  readonly stale?: string | null;
  /** One clause: why what the last cycle saw of each service is not known; null or left out: it is. */
  readonly unkept?: string | null;
  /** null: none yet. */
  readonly lastCycle: TrailCycle | null;
  readonly cycles: {
    readonly failuresInARow: number;
    readonly lastError: string | null;
    /** It says that a cycle runs, and its process is gone. */
    readonly interrupted: boolean;
  } | null;
  /** Open and healing ones. */
  readonly problems: readonly (Problem & WithAck)[];
  /** null: none in force. */
  readonly pause: {
    readonly until: string | null;
    readonly reason: string;
    readonly since: string;
    readonly by?: string | undefined;
  } | null;
  /** What waits for a person's yes, or has it. */
  readonly approvals: readonly ApprovalData[];
  /** Names of the maintenance windows that are open. */
  readonly maintenance: readonly string[];
  /** In force. */
  readonly silences: readonly SilenceData[];
  /** Of the last 24 hours. */
  readonly handOffs: readonly {
    readonly id: string;
    readonly problem: string;
    readonly startedAt: string;
    readonly state: "running" | "ended";
  }[];
  readonly budgets: readonly {
    readonly name: string;
    readonly used: number;
    readonly limit: number;
    readonly nextInSeconds: number | null;
  }[];
  readonly backoffs: readonly {
    readonly unit: string;
    readonly state: "ready" | "backoff" | "cooldown";
    readonly attempts: number;
    readonly nextInSeconds: number;
    readonly healthySince: string | null;
  }[];
  readonly outbox: {
    readonly waiting: number;
    readonly oldest: string | null;
    /** While there is no channel. */
    readonly error: { readonly text: string } | null;
    /** Empty: none is configured. */
    readonly channels: readonly {
      readonly name: string;
      /** Messages that it has not confirmed. */
      readonly waiting: number;
      readonly error: { readonly text: string } | null;
      /** What it refused in every form in the last 24 hours; null: nothing. */
      readonly refused: {
        readonly count: number;
        readonly since: string;
        readonly why: string;
        readonly path: string;
      } | null;
    }[];
  };
  readonly tickets: {
    readonly open: number;
    /** Asked for, and not yet in the tracker. */
    readonly waiting: number;
    /** The tool that is not here, when that was noticed. */
    readonly missing: string | null;
    /** Why the tracker does not do what it is asked for. */
    readonly trouble: { readonly text: string; readonly since: string } | null;
  };
  readonly model: {
    readonly model: string;
    readonly hasKey: boolean;
    readonly requests: { readonly used: number; readonly limit: number };
    readonly costDollars: number;
    readonly cooldown: { readonly seconds: number; readonly why: string } | null;
  };
  /** What argus.json names, as the last cycle saw it; left out: nobody asked. */
  readonly services?: readonly {
    readonly name: string;
    /** As `service.status`; null: nobody saw it. */
    readonly status: string | null;
    /** One clause; empty for what is up. */
    readonly why: string;
    readonly sinceSeconds: number | null;
  }[];
  /** Configured units that are not installed here. */
  readonly absentUnits: readonly string[];
  /** Sentences to add: lines passed over, a secrets file this user may not read. */
  readonly notes: readonly string[];
}
