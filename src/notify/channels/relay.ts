/**
 * The relay: a program that carries messages between agents. It gets each problem as JSON, in a call of its own. What it
 * does not take is written to a file, one body a line, and counts as delivered: nothing waits for a relay that is not
 * there, and nothing is sent twice. The file is the record; what stands in it is not sent later.
 */
import { fileError } from "../../system/file-error.ts";
import { createLineFile } from "../../system/line-file.ts";
import { labelOf } from "../../system/message-words.ts";
import { stringify } from "../../system/printable.ts";
import type { ProblemNote } from "../../types/action.ts";
import type { ChannelAccounts } from "../../types/channels.ts";
import { secondsBetween } from "../../types/moment.ts";
import type { FellBack } from "../delivery-state.ts";
import { type Attempt, type ChannelRow, type Parcel, refused } from "./channel.ts";
import { callProgram, type Failure } from "./program.ts";

type Account = ChannelAccounts["relay"];

/** The relay takes 64 KiB. */
const mostBytes = 64_000;
/** One that takes less than it says takes this. */
const fewBytes = 1000;
/** After a failure, so that one that hangs does not hang for each message. */
const restSeconds = 60;
const againMs = 500;
const fileBytes = 1_000_000;
const filesKept = 2;

export const relay: ChannelRow<"relay"> = {
  paceMs: 100,
  describe: ({ program, to }) => `the agent ${to} by ${program}`,
  async send(account, parcel, { fellBack = null }, attempt) {
    const { program, to, file } = account;
    const bodies = bodiesOf(parcel, attempt.dashboardUrl, mostBytes);
    const short = bodiesOf(parcel, attempt.dashboardUrl, fewBytes);
    if (parcel.kind === "test") {
      const failure = await call(account, bodies[0] ?? "", parcel, attempt);
      return failure === null
        ? { kind: "sent", detail: `${program} took it for ${to} (exit status 0)` }
        : refused("channel", failure.why);
    }
    const now = attempt.clock.now();
    const isResting = fellBack !== null && secondsBetween(fellBack.at, now) < restSeconds;
    let failure: Pick<Failure, "how" | "why"> | null = isResting ? fellBack : null;
    let taken = 0;
    let refusedAsWritten: string | null = null;
    for (const [index, body] of bodies.entries()) {
      if (failure === null) {
        const refusal = await persistently(account, body, parcel, attempt);
        const less = short[index] ?? body;
        // It ran and said no: it may be the length.
        const isShorter = refusal !== null && refusal.exitCode !== null && less.length < body.length;
        failure = isShorter ? await call(account, less, parcel, attempt) : refusal;
        if (isShorter && failure === null) refusedAsWritten = refusal.why;
      }
      if (attempt.signal.aborted) return { kind: "later", error: "Argus was told to stop", blockedMs: 0 };
      if (failure !== null) break;
      taken += 1;
    }
    if (failure === null) {
      const alone = parcel.daily === undefined ? {} : { alone: true as const };
      const note =
        refusedAsWritten === null
          ? {}
          : { note: `${refusedAsWritten}; it took the message in a shorter form` };
      const taken = { detail: `${program} took it for ${to}`, memory: { fellBack: null } };
      return { kind: "sent", ...taken, ...note, ...alone };
    }
    const stuck = write(account, bodies.slice(taken), attempt);
    if (stuck !== null) return { kind: "later", error: stuck, blockedMs: 0 };
    const why = `${failure.why}; what it did not take is written to ${file}`;
    return { kind: "sent", detail: why, memory: { fellBack: isResting ? fellBack : told(failure, why) } };

    /** The same trouble is said in the same words, whatever else the program says. */
    function told({ how }: Pick<Failure, "how">, sentence: string): FellBack {
      return { how, why: how === fellBack?.how ? fellBack.why : sentence, at: now };
    }
  },
};

/** @returns null: taken. */
async function persistently(account: Account, body: string, parcel: Parcel, attempt: Attempt) {
  const failure = await call(account, body, parcel, attempt);
  // What was not run, or did not end, is no better half a second later.
  if (failure === null || failure.exitCode === null || attempt.signal.aborted) return failure;
  await attempt.clock.sleep(againMs, attempt.signal);
  return call(account, body, parcel, attempt);
}

async function call(
  { program, to, from, timeoutSeconds }: Account,
  body: string,
  { kind }: Parcel,
  attempt: Attempt,
): Promise<Failure | null> {
  const tag =
    kind === "daily_summary" ? "argus,daily-summary" : kind === "test" ? "argus,test" : "argus,problem";
  // A body is JSON and begins with a brace: it is never taken for a flag.
  const args = ["send", to, body, "--agent", from, "--priority", "high", "--tag", tag];
  const failure = await callProgram(program, args, { timeoutSeconds }, attempt);
  if (!failure?.missing) return failure;
  return { ...failure, why: `${failure.why}; install it, or set ARGUS_RELAY_BIN in argus.env` };
}

/** @returns what stood in the way. */
function write({ file }: Account, bodies: readonly string[], { files }: Attempt): string | null {
  try {
    createLineFile({ files, path: file, maxBytes: fileBytes, keep: filesKept, durable: true }).append(
      ...bodies,
    );
    return null;
  } catch (error) {
    return fileError("write what the relay did not take to", file, error).message;
  }
}

function bodiesOf(parcel: Parcel, dashboardUrl: string | null, most: number): string[] {
  const { kind, host, createdAt, severity, text, notes, daily } = parcel;
  const link = dashboardUrl === null ? {} : { dashboard_url: dashboardUrl };
  const head = { type: "alert", source: "argus" };
  const rest = { host, timestamp: createdAt, ...link };
  if (kind === "daily_summary" && daily !== undefined)
    return [
      fitted((share) => {
        const event = { event: "argus.daily_summary", severity, message: cut(text, share) };
        return { ...head, type: "status", ...event, ...rest, summary: shortened(daily, share) };
      }, most),
    ];
  if (notes.length > 0)
    return notes.map((note) => fitted((share) => ({ ...head, ...of(note, share), ...link }), most));
  const event = kind === "test" ? "argus.test" : "argus.message";
  return [fitted((share) => ({ ...head, event, severity, message: cut(text, share), ...rest }), most)];

  function of(
    { severity: worst, type, summary, actionTaken = "none", state, ending, ...note }: ProblemNote,
    share: number,
  ) {
    const message =
      state === "resolved" ? `${labelOf({ state, ending, severity: worst })} ${summary}` : summary;
    return {
      event: "argus.problem",
      severity: worst,
      problem_type: type,
      message: cut(message, share),
      action_taken: cut(actionTaken, share),
      host,
      timestamp: note.at,
      state,
      key: note.problem,
      subject: cut(note.subject, share),
    };
  }
}

const cut = (text: string, share: number): string =>
  share === 1 ? text : `${text.slice(0, Math.floor(text.length * share))}…`;

/** Of long lists the beginning stays, which is what matters most. */
function shortened(data: Readonly<Record<string, unknown>>, share: number): Record<string, unknown> {
  const entries = Object.entries(data).map(([name, value]) => {
    const isLong = share < 1 && Array.isArray(value);
    return [name, isLong ? value.slice(0, Math.floor(value.length * share)) : value];
  });
  return Object.fromEntries(entries);
}

/** The first of ever shorter bodies that the relay takes. */
function fitted(bodyOf: (share: number) => object, most: number): string {
  for (let share = 1; ; share /= 2) {
    const body = stringify(bodyOf(share));
    if (Buffer.byteLength(body) <= most || share < 1e-6) return body;
  }
}
