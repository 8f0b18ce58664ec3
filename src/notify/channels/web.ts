/** A POST of JSON to a server that confirms it by its status, as webhooks and Alertmanager do. */
import type { HttpResponse } from "../../system/system.ts";
import { type Attempt, refused } from "./channel.ts";
import { type Answer, Temporary, unanswered } from "./persist.ts";

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
  /** What a yes tells besides, for people; null: nothing. */
  readonly remark?: (response: HttpResponse) => string | null;
}

/**
 * Malformed, too large, an address or headers that are too long, not to be processed: they may speak of this message
 * alone, so that a shorter one is worth a try.
 */
export const unfitStatuses = [400, 413, 414, 422, 431];
/** What "too many" means of a server that does not say. */
const unsaidWaitSeconds = 5;
const longestWaitSeconds = 86_400;
/** What node:http lets through: Latin-1 without control characters. */
const fitsHeader = /^[\t\x20-\x7e\x80-\xff]*$/;

/** One request. */
export async function post(wanted: Post, attempt: Attempt, leftMs: number): Promise<Answer> {
  const { who, url, body, authorization } = wanted;
  const key = "check authorizationVariable of the channel, and what stands in argus.env under that name";
  if (authorization !== null && !fitsHeader.test(authorization))
    return refused("channel", `${who} was not asked: its authorization cannot stand in a header; ${key}`);
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
      cutBodyPasses: true,
      signal: attempt.signal,
    })
    .catch((error: unknown) => {
      throw unanswered(who, error, attempt.clean);
    });
  const { status } = response;
  const said = isPage(response) ? "a web page" : shortened(attempt.clean(response.body));
  const heard = said === "" ? `${status}` : `${status}: ${said}`;
  const wrongUrl = `check url of the channel ${wanted.channel} in argus.json`;
  if (status >= 200 && status < 300) {
    if (!isPage(response)) {
      const detail = `${who} took it (status ${status})`;
      const note = wanted.remark?.(response) ?? null;
      return note === null
        ? { kind: "sent", detail }
        : { kind: "sent", detail: `${detail}, but ${note}`, note };
    }
    // A captive portal or a proxy answers for everybody, and in words for people.
    throw new Temporary(`something else than ${who} answered (${heard}); ${wrongUrl}`, 0, true);
  }
  if (status === 408 || status === 429 || status >= 500) {
    const asked = retryAfter(response.headers["retry-after"], attempt.clock.now().wallMs);
    const waitSeconds = asked > 0 || status !== 429 ? asked : unsaidWaitSeconds;
    if (waitSeconds > 0)
      throw new Temporary(`${who} asks for a pause of ${waitSeconds} s (${status})`, waitSeconds * 1000);
    throw new Temporary(`${who} has trouble of its own (${heard})`, 0, true);
  }
  if (wanted.unfit.includes(status)) return refused("message", `${who} refused it (${heard})`);
  if (status === 401 || status === 403) return refused("channel", `${who} refused (${heard}); ${key}`);
  if (status < 400) return refused("channel", `${who} answered with a redirect (${status}); ${wrongUrl}`);
  return refused("channel", `${who} refused (${heard}); ${wrongUrl}`);
}

/** Seconds, of `120` or of an HTTP date. */
function retryAfter(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0;
  const seconds = /^\d{1,9}$/.test(header) ? Number(header) : (Date.parse(header) - nowMs) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(0, Math.ceil(seconds)), longestWaitSeconds) : 0;
}

function isPage({ headers, body, isCut }: HttpResponse): boolean {
  // Of what broke off nobody knows how it goes on.
  if (isCut && ((headers["content-type"] ?? "").includes("html") || /^[\s\ufeff]*</.test(body))) return true;
  if (!/^[\s\ufeff]*</.test(body)) return false;
  return (headers["content-type"] ?? "").includes("html") || /<(?:!doctype\s+)?html\b/i.test(body);
}

const shortened = (text: string): string =>
  text.length > 120 ? `${text.slice(0, 120).toWellFormed()}…` : text;
