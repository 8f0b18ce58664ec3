/**
 * A test message is sent by the Argus that sends the alerts: only there do its user, its sandbox and its settings have a
 * say. Who wants one writes a request into `test-messages/` and reads the answers in the same file. It is no alert: it
 * never enters the outbox or a digest, and changes nothing of what a channel has confirmed or waits for.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import { fileError } from "../system/file-error.ts";
import { hostName } from "../system/host-name.ts";
import { type Found, readJsonFolder } from "../system/json-folder.ts";
import { stringify } from "../system/printable.ts";
import { redactDeep } from "../system/redact/redact.ts";
import type { Files, System } from "../system/system.ts";
import type { Channel } from "../types/channels.ts";
import { UserError } from "../types/errors.ts";
import type { Moment } from "../types/moment.ts";
import type { Config } from "../types/settings.ts";
import type { Attempt, Parcel } from "./channels/channel.ts";
import { cleanerFor } from "./channels/clean.ts";
import { type Way, wayOf } from "./channels/index.ts";
import type { Memory } from "./delivery-state.ts";
import { setAside } from "./outbox.ts";

const Asked = z.strictObject({
  channel: z.string(),
  type: z.string(),
  /** Where it goes. */
  to: z.string(),
});
export type Asked = z.infer<typeof Asked>;

const TestAnswer = Asked.extend({
  ok: z.boolean(),
  /** One sentence: what came back, with the fix. */
  detail: z.string(),
});
export type TestAnswer = z.infer<typeof TestAnswer>;

const TestRequest = z.strictObject({
  version: z.literal(1),
  /** null: through all of them. */
  channel: z.string().nullable(),
  /** ISO 8601: by then whoever asked has gone. */
  until: z.string(),
  /** null: nobody has seen the request yet. */
  asked: z.array(Asked).nullable(),
  answers: z.array(TestAnswer),
});
export type TestRequest = z.infer<typeof TestRequest>;

const folderOf = (stateDir: string): string => join(stateDir, "test-messages");
const mostBytes = 1024 * 1024;
/** So long before `until` the answer stands in the file. */
const spareMs = 2000;
/** No request waits longer: the clock was set back. */
const longestMs = 3_600_000;

/** @returns the path of the request. Throws what the file system says. */
export function putTestRequest(
  files: Files,
  stateDir: string,
  { channel, until }: Pick<TestRequest, "channel" | "until">,
): string {
  files.makeDirectory(folderOf(stateDir));
  const path = join(folderOf(stateDir), `${randomUUID()}.json`);
  write(files, path, { version: 1, channel, until, asked: null, answers: [] });
  return path;
}

/** null: it is not there, or no request. Throws a WorkError where it cannot be read. */
export function readTestRequest(files: Files, path: string): TestRequest | null {
  try {
    return TestRequest.safeParse(JSON.parse(files.tryRead(path, "own") ?? "")).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const write = (files: Files, path: string, request: TestRequest): void =>
  files.writeAtomic(path, `${stringify(redactDeep(request))}\n`, { durable: false });

export function testParcel(host: string, { wallMs }: Moment): Parcel {
  return {
    kind: "test",
    id: `test-${wallMs}`,
    files: [],
    createdAt: new Date(wallMs).toISOString(),
    host,
    severity: "info",
    text: `${host}: a test of Argus. Alerts will arrive like this.`,
    notes: [],
  };
}

/** Sends it at once. @param deadlineMs on the monotonic clock. */
export async function sendTest(
  { http, files, run, clock }: System,
  { channels, intervalSeconds, dashboardUrl }: Pick<Config, "channels" | "intervalSeconds" | "dashboardUrl">,
  way: Way,
  memory: Memory,
  { signal, deadlineMs }: Pick<Attempt, "signal" | "deadlineMs">,
): Promise<TestAnswer> {
  const means = { http, files, run, clock, clean: cleanerFor(channels) };
  const attempt = { ...means, signal, deadlineMs, intervalSeconds, dashboardUrl };
  const sent = await way.send(testParcel(hostName(files), clock.now()), memory, attempt);
  return {
    ...askedOf(way),
    ok: sent.kind === "sent",
    detail: sent.kind === "sent" ? sent.detail : sent.error,
  };
}

export const askedOf = (way: Way): Asked => ({
  channel: way.name,
  type: way.type,
  to: way.describe(),
});

export interface TestMessages {
  /**
   * Sends the test messages that somebody waits for, each between two alerts of its channel, also to channels that
   * rest after a failure.
   * @returns null: nobody waits. Else what a person should know, a sentence each.
   */
  serve(
    config: Pick<Config, "channels" | "intervalSeconds" | "dashboardUrl" | "dryRun">,
    signal: AbortSignal,
  ): Promise<string[]> | null;
}

/** @param between runs the work when the channel of that name is not at work, whatever else waits for it. */
export function createTestMessages(
  system: System,
  stateDir: string,
  memoryOf: (channel: string) => Memory,
  between: <T>(channel: string, work: () => Promise<T>) => Promise<T>,
): TestMessages {
  const { files, clock } = system;
  /** Paths of requests that are being answered. */
  const underWay = new Set<string>();
  const said = new Set<string>();
  const notes: string[] = [];
  /** What is met at every look is said once. */
  const noteOnce = (sentence: string): void => {
    if (said.has(sentence)) return;
    said.add(sentence);
    notes.push(sentence);
  };

  function waiting(): Found<TestRequest>[] {
    try {
      const { found, broken } = readJsonFolder(files, folderOf(stateDir), TestRequest, mostBytes);
      for (const path of broken) putAside(path);
      const own = found.filter(({ path }) => !underWay.has(path));
      const late = own.filter(({ value }) => !isWaitedFor(value, clock.now()));
      for (const each of late) drop(each);
      return own.filter((each) => !late.includes(each) && !isAnswered(each.value));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      noteOnce(error.message);
      return [];
    }
  }

  function putAside(path: string): void {
    try {
      notes.push(`${path} is no request for a test message and was set aside as ${setAside(files, path)}`);
    } catch (error) {
      noteOnce(fileError("set aside", path, error).message);
    }
  }

  function drop({ path, value }: Found<TestRequest>): void {
    try {
      files.remove(path);
      if (!isAnswered(value))
        notes.push("a test message was not sent: whoever asked for it had stopped waiting");
    } catch (error) {
      noteOnce(fileError("remove", path, error).message);
    }
  }

  /** Who asked may have gone, and the file with them. */
  function tell(path: string, request: TestRequest): void {
    try {
      if (files.stat(path) !== null) write(files, path, request);
    } catch (error) {
      noteOnce(fileError("write", path, error).message);
    }
  }

  async function answer(
    { path, value }: Found<TestRequest>,
    config: Parameters<TestMessages["serve"]>[0],
    signal: AbortSignal,
  ): Promise<void> {
    const ways = waysFor(config.channels, value.channel);
    let request: TestRequest = { ...value, asked: ways.map(askedOf), answers: [] };
    tell(path, request);
    await Promise.all(
      ways.map(async (way) => {
        const one = await between(way.name, () => send(way, value));
        request = { ...request, answers: [...request.answers, one] };
        tell(path, request);
      }),
    );

    async function send(way: Way, { until }: TestRequest): Promise<TestAnswer> {
      const leftMs = Date.parse(until) - spareMs - clock.now().wallMs;
      const no = (detail: string): TestAnswer => ({ ...askedOf(way), ok: false, detail });
      if (config.dryRun) return no("this Argus runs with --dry-run or ARGUS_DRY_RUN, and sends nothing");
      if (leftMs <= 0) return no("it was at work on earlier messages for too long; argus status names them");
      const limits = { signal, deadlineMs: clock.monotonicMs() + leftMs };
      return await sendTest(system, config, way, memoryOf(way.name), limits);
    }
  }

  return {
    serve(config, signal) {
      const requests = waiting();
      if (requests.length === 0) return notes.length === 0 ? null : Promise.resolve(notes.splice(0));
      for (const { path } of requests) underWay.add(path);
      return Promise.all(
        requests.map((each) => answer(each, config, signal).finally(() => underWay.delete(each.path))),
      ).then(() => notes.splice(0));
    },
  };
}

const waysFor = (channels: readonly Channel[], name: string | null): Way[] =>
  channels.map((channel) => wayOf(channel)).filter((way) => name === null || way.name === name);

export const isAnswered = ({ asked, answers }: TestRequest): boolean =>
  asked !== null && answers.length === asked.length;

function isWaitedFor({ until }: TestRequest, { wallMs }: Moment): boolean {
  const leftMs = Date.parse(until) - wallMs;
  return leftMs > 0 && leftMs <= longestMs;
}
