/** A test message asked of the Argus that sends the alerts, and what its channels answered there. */
import type { Way } from "../notify/channels/index.ts";
import {
  type Asked,
  askedOf,
  isAnswered,
  putTestRequest,
  readTestRequest,
  type TestAnswer,
  type TestRequest,
} from "../notify/test-message.ts";
import { openStateDir } from "../record/state-dir.ts";
import { fileError } from "../system/file-error.ts";
import { quoted } from "../system/names.ts";
import { UserError, WorkError } from "../types/errors.ts";
import type { Config } from "../types/settings.ts";
import type { Context } from "./context.ts";
import { wakeDaemon } from "./wake-daemon.ts";

const pollMs = 100;

export interface Wanted {
  /** null: all. */
  readonly channel: string | null;
  /** Channels of the settings that are meant, as this process reads them. */
  readonly ways: readonly Way[];
  readonly withinMs: number;
  /** Who is asked, for a sentence: `the daemon (pid 12)`. */
  readonly who: string;
}

/** @returns an answer for each channel that either side knows. Throws a UserError when there is none. */
export async function askForTest(context: Context, config: Config, wanted: Wanted): Promise<TestAnswer[]> {
  const { channel, ways, who, withinMs } = wanted;
  const { asked, answers } = await heard(context, config, wanted);
  if (asked === null) {
    const seconds = Math.round(withinMs / 1000);
    throw new WorkError(`${who} did not answer within ${seconds} s; argus status says what it is at`);
  }
  const unheard = asked.filter((each) => answers.every((answer) => answer.channel !== each.channel));
  const unknown = ways.map(askedOf).filter((each) => asked.every((other) => other.channel !== each.channel));
  if (asked.length + unknown.length === 0) {
    const what = channel === null ? "no channel" : `no channel called ${quoted(channel)}`;
    throw new UserError(`${who} knows ${what}, and argus.json names none`);
  }
  return [
    ...answers.map((answer) => withOtherAddress(answer, ways)),
    ...unheard.map((each) => no(each, `${who} has no answer yet; argus status says what it is at`)),
    ...unknown.map((each) => no(each, `${who} does not know it yet: ${newSettings(each)}`)),
  ];
}

const no = (asked: Asked, detail: string): TestAnswer => ({ ...asked, ok: false, detail });

/** What stands in argus.env is handed to the service when it starts. */
const newSettings = ({ type }: Asked): string =>
  type === "telegram" || type === "relay"
    ? "systemctl restart argus, after a change of argus.env"
    : "systemctl reload argus (restart, if argus.env was changed as well)";

/** The daemon goes by the settings that it has read, which may not be those that stand there now. */
function withOtherAddress(answer: TestAnswer, ways: readonly Way[]): TestAnswer {
  const now = ways.map(askedOf).find(({ channel }) => channel === answer.channel);
  if (now === undefined || now.to === answer.to) return answer;
  const detail = `${answer.detail}; it went to ${answer.to}, and by the settings of now it is ${now.to}: ${newSettings(now)}`;
  return { ...answer, detail };
}

async function heard(
  context: Context,
  config: Config,
  { channel, withinMs }: Wanted,
): Promise<Pick<TestRequest, "asked" | "answers">> {
  const { files, clock } = context.system;
  openStateDir(context.system, config.stateDir);
  const untilMs = clock.now().wallMs + withinMs;
  const deadlineMs = clock.monotonicMs() + withinMs;
  let path: string;
  try {
    path = putTestRequest(files, config.stateDir, { channel, until: new Date(untilMs).toISOString() });
  } catch (error) {
    throw fileError("write a request for a test message into", config.stateDir, error);
  }
  try {
    wakeDaemon(context, config);
    let last: TestRequest | null = null;
    while (clock.monotonicMs() < deadlineMs) {
      last = readTestRequest(files, path) ?? last;
      if (last !== null && isAnswered(last)) return last;
      await clock.sleep(pollMs);
    }
    return last ?? { asked: null, answers: [] };
  } finally {
    // Nobody is to send it when nobody waits any more.
    files.remove(path);
  }
}
