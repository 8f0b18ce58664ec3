/** A `fetch` for the SDK over the system's HTTP: no redirects, one connection each, and never more than so much of a body. */

import { escapeJson } from "../system/printable.ts";
import type { Http } from "../system/system.ts";
import { bytes } from "../types/quantities.ts";

/** The reply was larger than anything that was asked for. */
export class OversizedReply extends Error {
  override name = "OversizedReply";
}

/** Others tell of the machine, or come from ANTHROPIC_CUSTOM_HEADERS, which somebody set for another program. */
const sentHeaders = new Set([
  "accept",
  "anthropic-beta",
  "anthropic-version",
  "authorization",
  "content-type",
  "user-agent",
  "x-api-key",
]);

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export function boundedFetch(http: Http, maxBodyBytes: number, timeoutMs: number): Fetch {
  return async (input, init = {}) => {
    if (typeof init.body !== "string") throw new Error("the request has no body of text");
    const { status, headers, body } = await http.request({
      url: input instanceof Request ? input.url : String(input),
      method: "POST",
      headers: Object.fromEntries([...new Headers(init.headers)].filter(([name]) => sentHeaders.has(name))),
      body: escapeJson(init.body),
      timeoutMs,
      // One more than is taken, so that what is cut off is seen.
      maxBodyBytes: maxBodyBytes + 1,
      ...(init.signal == null ? {} : { signal: init.signal }),
    });
    if (Buffer.byteLength(body) > maxBodyBytes) {
      throw new OversizedReply(`the reply is larger than ${bytes(maxBodyBytes)}`);
    }
    if (status < 200 || status > 599) throw new Error(`the server answered with status ${status}`);
    const kept = ["content-type", "request-id", "retry-after"].flatMap((name): [string, string][] => {
      const value = headers[name];
      return value === undefined ? [] : [[name, value]];
    });
    const bodyless = status === 204 || status === 205 || status === 304;
    return new Response(bodyless ? null : body, { status, headers: kept });
  };
}
