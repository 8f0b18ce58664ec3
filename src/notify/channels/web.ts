/** A POST of JSON to a server that confirms it by its status, as webhooks and Alertmanager do. */
import type { HttpResponse } from "../../system/system.ts";
import { type Attempt, refused } from "./channel.ts";
import { type Answer, Temporary } from "./persist.ts";

export interface Post {
  /** For people: `the webhook`. */
  readonly who: string;
  /** Where its address stands, for the mend. */
  readonly channel: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutSeconds: number;
  readonly authorization: string | null;
  /** Statuses that speak of this message alone: it will not be taken, others may. */
  readonly unfit: readonly number[];
  /** What a yes of this kind of server never looks like; null: every yes counts. */
  readonly notFrom: ((response: HttpResponse) => boolean) | null;
  /** What a yes tells besides, for people; null: nothing. */
  readonly remark?: (response: HttpResponse) => string | null;
}

const longestWaitSeconds = 86_400;

/** One request. What the header of authorization holds appears in no error. */
export async function post(wanted: Post, attempt: Attempt, leftMs: number): Promise<Answer> {
  const { who, url, body, authorization } = wanted;
  const hide = (text: string) =>
    authorization === null || authorization === "" ? text : text.replaceAll(authorization, "***");
  const response = await attempt.http
    .request({
      url,
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...wanted.headers,
        ...(authorization === null ? {} : { authorization }),
      },
      body,
      timeoutMs: Math.min(wanted.timeoutSeconds * 1000, Math.max(1, leftMs)),
      maxBodyBytes: 2048,
      signal: attempt.signal,
    })
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Temporary(`${who} cannot be reached: ${hide(why)}`);
    });
  const { status } = response;
  const said = hide(firstLine(response.body));
  const heard = said === "" ? `${status}` : `${status}: ${said}`;
  const wrongUrl = `check url of the channel ${wanted.channel} in argus.json`;
  if (status >= 200 && status < 300) {
    if (wanted.notFrom?.(response) !== true) {
      const detail = `${who} took it (status ${status})`;
      const note = wanted.remark?.(response) ?? null;
      return note === null
        ? { kind: "sent", detail }
        : { kind: "sent", detail: `${detail}, but ${note}`, note };
    }
    // A captive portal or a proxy answers for everybody.
    throw new Temporary(`something else than ${who} answered (${heard}); ${wrongUrl}`);
  }
  if (status === 429 || status >= 500) {
    const waitSeconds = retryAfter(response.headers["retry-after"], attempt.clock.now().wallMs);
    if (waitSeconds > 0)
      throw new Temporary(`${who} asks for a pause of ${waitSeconds} s (${status})`, waitSeconds * 1000);
    throw new Temporary(`${who} has trouble of its own (${heard})`, status === 429 ? 5000 : 0);
  }
  if (wanted.unfit.includes(status)) return refused("message", `${who} refused it (${heard})`);
  if (status === 401 || status === 403) {
    const key = "check authorizationVariable of the channel, and what stands in argus.env under that name";
    return refused("channel", `${who} refused (${heard}); ${key}`);
  }
  if (status < 400) return refused("channel", `${who} answered with a redirect (${status}); ${wrongUrl}`);
  return refused("channel", `${who} refused (${heard}); ${wrongUrl}`);
}

/** Seconds, of `120` or of an HTTP date. */
function retryAfter(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - nowMs) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, Math.ceil(seconds)), longestWaitSeconds) : 0;
}

function firstLine(body: string): string {
  const text = body.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return text.length > 120 ? `${text.slice(0, 120).toWellFormed()}…` : text;
}
