/**
 * The one door to the machine. A request comes in, a reply goes out, both plain JSON; what it remembers lies in files
 * of its own. Nothing else in the program changes anything on the machine, and nothing reaches around `execute`.
 */
import type { System } from "../system/system.ts";
import { normaliseUnit } from "../system/systemd.ts";
import { standingTickets } from "../system/ticket-book.ts";
import type { Ack } from "../types/ack.ts";
import type { ActionRecord } from "../types/action.ts";
import { isoTime } from "../types/moment.ts";
import type { OperatorAction } from "../types/operator-action.ts";
import type { Obeyed } from "../types/orders.ts";
import { acksInForce, changeAcks, type Outage, withoutEnded } from "./acks.ts";
import { fileBead } from "./actions/file-bead.ts";
import { approvalStep } from "./approval-step.ts";
import { openApprovals } from "./approvals.ts";
import { type Case, openCase, recordOf } from "./case.ts";
import { type Entrance, inProcess, rootSocket } from "./entrance.ts";
import { openHandOffs } from "./hand-offs.ts";
import { readModeSet } from "./mode-set.ts";
import { openOperatorActions } from "./operator-actions.ts";
import { requiredFirst } from "./order.ts";
import { obey } from "./orders.ts";
import { readPause } from "./pause.ts";
import type { Policy } from "./policy.ts";
import { reasonOf } from "./reason.ts";
import { type Silence, silencesInForce } from "./silences.ts";
import { type Intent, openState } from "./state.ts";
import * as step from "./steps.ts";
import { type ExecutorView, viewOf } from "./view.ts";

/** What every proposal goes through, in this order; the first step that ends its way is the last one it takes. */
const steps: readonly step.Step[] = [
  step.validateStep,
  step.gateStep,
  step.recheckStep,
  step.watchStep,
  approvalStep,
  step.dryRunStep,
  step.performStep,
  step.verifyStep,
];

export interface ExecuteRequest {
  readonly cycle: string;
  readonly host: string;
  /** Decides everything and changes nothing. */
  readonly dryRun: boolean;
  /** Whoever asks only watches, whatever the policy says; a policy that watches does so all the same. */
  readonly watchOnly?: boolean;
  /** In the order in which they are to be considered. */
  readonly proposals: readonly unknown[];
  /** Targets that were offered to the model, by action; an `llm:*` proposal may name no other. */
  readonly candidates?: Readonly<Record<string, readonly (string | number)[]>>;
  /** In force, where the executor of words cannot read them itself; its own file when left out. */
  readonly silences?: readonly Silence[];
  /** The same for what people acknowledged. */
  readonly acks?: readonly Ack[];
}

export interface ExecuteReply {
  /** One for each proposal, in the same order. */
  readonly actions: ActionRecord[];
  /** What a person should know besides, one sentence each. */
  readonly notes: string[];
}

/** In this process or behind a link: see remote.ts, which rejects `view` and `observeHealth` when nobody answers. */
export interface Executor {
  /** Never rejects because of what a proposal holds. One request at a time: a second one waits. */
  execute(request: ExecuteRequest, signal: AbortSignal): Promise<ExecuteReply>;
  /** Budgets, backoffs and pause, for `argus status`. */
  view(): ExecutorView | Promise<ExecutorView>;
  /**
   * What a cycle saw of the services, once a cycle. A unit that is in neither list was not seen: its hour of health
   * begins anew. Not to be called in a dry run.
   */
  observeHealth(activeUnits: readonly string[], downUnits: readonly string[]): void | Promise<void>;
  /** What a person asks for from afar; refused unless the settings name that person. */
  order(order: unknown): Obeyed | Promise<Obeyed>;
  /** These actions of `view().unrecorded` are in the decision log now. */
  recorded(ids: readonly string[]): void | Promise<void>;
  /** These outages of `view().acks` have ended. */
  forgetAcks(ended: readonly Outage[]): void | Promise<void>;
}

export interface LocalExecutor extends Executor {
  /** @param entrance the way the request came; the caller's own when left out. */
  execute(request: ExecuteRequest, signal: AbortSignal, entrance?: Entrance): Promise<ExecuteReply>;
  order(order: unknown): Obeyed;
  recorded(ids: readonly string[]): void;
  forgetAcks(ended: readonly Outage[]): void;
  /** Actions that an earlier Argus began and did not end, told once: here, or else in the notes of the first reply. */
  interruptedActions(): string[];
  view(): ExecutorView;
  observeHealth(activeUnits: readonly string[], downUnits: readonly string[]): void;
  /** From the next request on; what it remembers stays. */
  replacePolicy(policy: Policy): void;
}

/** A process that may be taken over can raise sentences without end; what is not read any more is not kept. */
const mostNotes = 200;

/** @param isDry it is made for a dry run: files of the first Argus are read, and stay as they are. */
export function createExecutor(
  system: System,
  given: Policy,
  stateDir: string,
  { isDry = false } = {},
): LocalExecutor {
  let policy = given;
  const notes: string[] = [];
  /** Each once: what every look finds anew is told with the next reply. */
  const note = (sentence: string): void => {
    if (notes.length < mostNotes && !notes.includes(sentence)) notes.push(sentence);
  };
  const begun = system.clock.now();
  const former = { now: begun, registryDir: policy.tickets.stateDir, stays: isDry };
  const state = openState(system.files, stateDir, note, former);
  const approvals = openApprovals(system.files, stateDir, note);
  const handOffs = openHandOffs(system.files, stateDir, note);
  const byOperators = openOperatorActions(system.files, stateDir, note);
  const untold = state.leftovers().map(interrupted);
  const forecasts = new Map<string, step.Forecast>();
  let inCycle = newCycle("");
  let queue: Promise<unknown> = Promise.resolve();

  async function execute(
    request: ExecuteRequest,
    signal: AbortSignal,
    entrance: Entrance,
  ): Promise<ExecuteReply> {
    for (const sentence of untold.splice(0)) note(sentence);
    if (!request.dryRun)
      attempt(note, "the open intents could not be cleared", () => state.forgetLeftovers());
    const shared = shareOf(request, signal, entrance);
    const cases = request.proposals.map(openCase);
    for (const one of requiredFirst(cases, policy)) await takeSteps(one, shared);
    // Words come last, and all of one request together.
    step.speak(cases, shared);
    // Of what came another way, the source is only a claim.
    if (!request.dryRun && entrance.disbelieves("operator") === null)
      byOperators.add(askedByOperators(cases, request));
    return { actions: cases.map(recordOf), notes: notes.splice(0) };
  }

  /** One entry for each, so that the decision log takes each exactly once. */
  function askedByOperators(cases: readonly Case[], { cycle, host }: ExecuteRequest): OperatorAction[] {
    const ts = isoTime(system.clock.now());
    return cases.map(recordOf).flatMap((action, index) => {
      if (action.source !== "operator") return [];
      return [{ id: index === 0 ? cycle : `${cycle}-${index + 1}`, ts, host, action }];
    });
  }

  function shareOf(request: ExecuteRequest, signal: AbortSignal, entrance: Entrance): step.Request {
    const run: System["run"] = (program, args, options) => system.run(program, args, { ...options, signal });
    const { cycle, host, dryRun, candidates = {} } = request;
    // A command in the middle of a cycle is none of its requests.
    const isOfCycle = entrance !== rootSocket;
    if (isOfCycle && inCycle.cycle !== cycle) inCycle = newCycle(cycle);
    const { cycleClaims, wouldSpend } = isOfCycle ? inCycle : newCycle(cycle);
    return {
      entrance,
      context: {
        system: { ...system, run },
        policy,
        state,
        approvals,
        handOffs,
        begun,
        stateDir,
        cycle,
        host,
        signal,
        note,
      },
      dryRun,
      watchOnly: policy.mode === "watch" || request.watchOnly === true,
      pause: readPause(system.files, stateDir, system.clock.now()),
      candidates,
      silences: request.silences ?? silencesInForce(system.files, stateDir, system.clock.now(), note),
      acks: request.acks ?? acksInForce(system.files, stateDir, note),
      tickets: request.proposals.some(isForTicket)
        ? standingTickets(system.files, policy.tickets.stateDir, system.clock.now())
        : null,
      claims: new Set(cycleClaims),
      cycleClaims,
      wouldSpend,
      forecasts,
    };
  }

  return {
    execute(request, signal, entrance = inProcess) {
      const turn = queue.then(() => execute(request, signal, entrance));
      queue = turn.catch(() => undefined);
      return turn;
    },
    interruptedActions: () => untold.splice(0),
    replacePolicy(next) {
      policy = next;
    },
    view() {
      const now = system.clock.now();
      if (policy.modeFault !== undefined) note(policy.modeFault);
      return viewOf(
        state,
        policy,
        readModeSet(system.files, stateDir),
        readPause(system.files, stateDir, now),
        approvals.list(now),
        handOffs.list(now),
        silencesInForce(system.files, stateDir, now, note),
        acksInForce(system.files, stateDir, note),
        byOperators.unrecorded(),
        system.files.holding?.held() ?? null,
        now,
      );
    },
    recorded: (ids) => byOperators.recorded(ids),
    forgetAcks: (ended) => changeAcks(system.files, stateDir, note, (acks) => withoutEnded(acks, ended)),
    order: (order) =>
      obey(order, { files: system.files, stateDir, approvals, policy, now: system.clock.now(), note }),
    observeHealth(activeUnits, downUnits) {
      const down = new Set(downUnits.map(normaliseUnit));
      const healthy = new Set<string>(activeUnits.map(normaliseUnit).filter((unit) => !down.has(unit)));
      attempt(note, "restart-backoff.json could not be written", () =>
        state.observeHealth(healthy, policy, system.clock.now()),
      );
    },
  };
}

const isForTicket = (raw: unknown): boolean =>
  typeof raw === "object" && raw !== null && "type" in raw && raw.type === fileBead.type;

/** What the requests of one cycle share: it sends remedies, what the model asks for and alerts one after another. */
function newCycle(
  cycle: string,
): Pick<step.Request, "cycleClaims" | "wouldSpend"> & { readonly cycle: string } {
  return { cycle, cycleClaims: new Set(), wouldSpend: { kills: [], restarts: [], cleanings: [] } };
}

async function takeSteps(one: Case, shared: step.Request): Promise<void> {
  const { clock } = shared.context.system;
  const startedMs = clock.monotonicMs();
  for (const take of steps) {
    if (one.ending !== null) break;
    try {
      await take(one, shared);
    } catch (error) {
      step.failStep(one, error, shared);
    }
  }
  step.recordOutcome(one, shared);
  one.durationMs = clock.monotonicMs() - startedMs;
}

function attempt(note: (sentence: string) => void, what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    note(`${what}: ${reasonOf(error)}`);
  }
}

function interrupted(intent: Intent): string {
  const what = intent.target === null ? intent.type : `${intent.type} ${intent.target}`;
  return `an action was cut off: ${what} of cycle ${intent.cycle}; its outcome is unknown, and it is not repeated because of this`;
}
