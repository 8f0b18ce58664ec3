/**
 * Listens to the people whom the settings name, and to nobody else. A word is taken at most once: a crash in between
 * loses it, and nothing is done twice. What was written long before anybody listened is not taken at all.
 */
import { join } from "node:path";
import * as z from "zod";
import { printableLines } from "../../system/printable.ts";
import { redact } from "../../system/redact/redact.ts";
import { createStore } from "../../system/store.ts";
import type { System } from "../../system/system.ts";
import { UserError } from "../../types/errors.ts";
import type { Answering, By } from "../../types/orders.ts";
import { askBot, type BotAccount } from "../channels/bot-api.ts";
import { cleanerFor } from "../channels/clean.ts";
import { type Answer as Asked, persist, Temporary } from "../channels/persist.ts";
import { splitText } from "../channels/telegram.ts";
import { poll, type Said } from "./updates.ts";

export interface Listening {
  readonly account: BotAccount & { readonly chatId: string };
  readonly answering: Answering;
}

export interface Reply {
  readonly text: string;
  /** Set in a fixed width: it has columns. */
  readonly isReport: boolean;
}

export interface ListenOptions {
  readonly system: System;
  readonly stateDir: string;
  /** As the settings say at the moment; null: nobody is listened to. */
  readonly wanted: () => Listening | null;
  /** @param words without the leading slash; rejects only because of a bug. */
  readonly answer: (words: string, by: By) => Promise<Reply>;
  /** For the log: one sentence, said once while it stays the same. */
  readonly tell: (sentence: string) => void;
  readonly onBug: (error: unknown) => void;
  readonly signal: AbortSignal;
}

const File = z.strictObject({ version: z.literal(1), offset: z.number().int() });
const unwantedMs = 30_000;
const shortestPauseMs = 5_000;
const longestPauseMs = 300_000;
/** A word that lay there for longer was meant for another moment. */
const staleMs = 600_000;
const mostParts = 3;
const replyWithinMs = 60_000;
const requestTimeoutMs = 10_000;
const mostStrangers = 100;

export async function listen(options: ListenOptions): Promise<void> {
  const { system, stateDir, signal, tell } = options;
  const { http, clock, files } = system;
  const path = join(stateDir, "telegram.json");
  const empty = () => ({ version: 1 as const, offset: 0 });
  const store = createStore<z.infer<typeof File>>({ files, path, schema: File, empty, note: tell });
  let offset: number | null = null;
  let failures = 0;
  let trouble = "";
  const strangers = new Set<number>();

  while (!signal.aborted) {
    const wanted = options.wanted();
    if (wanted === null) {
      await clock.sleep(unwantedMs, signal);
      continue;
    }
    try {
      // Without it words that were taken once would be taken again.
      offset ??= store.load().offset;
      const batch = await poll(wanted.account, offset, http, { signal, clean: cleanerOf(wanted) });
      if (failures > 0) tell("people in Telegram are heard again");
      failures = 0;
      trouble = "";
      if (batch.offset !== offset) {
        // Before anything is done about it.
        store.save({ version: 1, offset: batch.offset });
        offset = batch.offset;
      }
      for (const said of batch.said) if (!signal.aborted) await take(said, wanted, strangers, options);
    } catch (error) {
      if (signal.aborted) return;
      const isSentence = error instanceof Temporary || error instanceof UserError;
      if (!isSentence) options.onBug(error);
      else if (error.message !== trouble) tell(error.message);
      trouble = isSentence ? error.message : "";
      const ownMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(10, failures));
      failures += 1;
      await clock.sleep(Math.max(ownMs, error instanceof Temporary ? error.waitMs : 0), signal);
    }
  }
}

async function take(
  said: Said,
  { account, answering }: Listening,
  strangers: Set<number>,
  { system, answer, tell, onBug, signal }: ListenOptions,
): Promise<void> {
  const isHere = said.isPrivate || String(said.chat) === account.chatId;
  if (!answering.users.includes(said.user) || !isHere) {
    if (strangers.size < mostStrangers && !strangers.has(said.user))
      tell(
        `the Telegram user ${said.user} is not named in argus.json, or wrote elsewhere, and got no answer`,
      );
    strangers.add(said.user);
    return;
  }
  // In a group people talk with one another.
  if (!said.text.startsWith("/") && !said.isPrivate) return;
  const clean = cleanerOf({ account });
  const send = (method: string, payload: object) =>
    persist(
      "Telegram",
      { clock: system.clock, signal, deadlineMs: system.clock.monotonicMs() + replyWithinMs },
      (leftMs) =>
        confirmed(account, method, payload, system, {
          timeoutMs: Math.min(requestTimeoutMs, leftMs),
          signal,
          clean,
        }),
    );
  if (said.pressed !== null) await send("answerCallbackQuery", { callback_query_id: said.pressed });
  const isStale = said.writtenMs !== null && system.clock.now().wallMs - said.writtenMs > staleMs;
  const reply = isStale
    ? {
        text: "You wrote this a while ago, when nobody listened. Say it again if it still holds.",
        isReport: false,
      }
    : await answer(said.text.replace(/^\//, ""), {
        user: said.user,
        name: said.name.slice(0, 64).toWellFormed(),
      }).catch((error: unknown) => {
        onBug(error);
        return { text: "That failed, because of a bug in Argus: its log says more.", isReport: false };
      });
  const parts = splitText(printableLines(redact(reply.text)));
  for (const text of parts.slice(0, mostParts)) {
    const sent = await send("sendMessage", {
      chat_id: said.chat,
      text,
      link_preview_options: { is_disabled: true },
      reply_parameters: { message_id: said.message, allow_sending_without_reply: true },
      ...(reply.isReport ? { entities: [{ type: "pre", offset: 0, length: text.length }] } : {}),
    });
    if (sent.kind !== "sent") return tell(`an answer could not be sent to Telegram: ${sent.error}`);
  }
}

const cleanerOf = ({ account }: Pick<Listening, "account">) =>
  cleanerFor([{ type: "telegram", name: "telegram", ...account }]);

async function confirmed(
  account: BotAccount,
  method: string,
  payload: object,
  { http }: System,
  limits: Parameters<typeof askBot>[4],
): Promise<Asked> {
  const { status, answer, said } = await askBot(account, method, payload, http, limits);
  if (answer?.ok === true && status === 200) return { kind: "sent", detail: "" };
  if (status === 429 || status >= 500)
    throw new Temporary(`${status}: ${said}`, (answer?.parameters?.retry_after ?? 0) * 1000);
  return { kind: "refused", of: "message", error: `${status}: ${said}` };
}
