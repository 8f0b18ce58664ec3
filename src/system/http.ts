import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { timeLimit } from "../types/quantities.ts";
import type { Http, HttpRequest, HttpResponse } from "./system.ts";

const sentences: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "host name lookup failed",
  EHOSTUNREACH: "host unreachable",
  ENETUNREACH: "network unreachable",
  EPIPE: "connection closed",
};

function sentence(error: Error): Error {
  const code = "code" in error ? String(error.code) : "";
  return new Error(sentences[code] ?? error.message, { cause: error });
}

function request(wanted: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const maxBodyBytes = wanted.maxBodyBytes ?? 65_536;
    const send = wanted.url.startsWith("https:") ? httpsRequest : httpRequest;
    // A connection of its own: a kept-alive one would hide that the listener is gone.
    const outgoing = send(wanted.url, {
      method: wanted.method ?? "GET",
      headers: { "user-agent": "argus", connection: "close", ...wanted.headers },
      agent: false,
      ...(wanted.signal === undefined ? {} : { signal: wanted.signal }),
    });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${timeLimit(wanted.timeoutMs)}`)),
      wanted.timeoutMs,
    );
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    let broken = (error: Error): void => reject(sentence(error));
    outgoing.on("error", (error) => settle(() => broken(error)));
    outgoing.on("response", (incoming) => {
      const latencyMs = performance.now() - started;
      const parts: Buffer[] = [];
      let length = 0;
      const answer = (): HttpResponse => ({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers as Record<string, string | undefined>,
        body: Buffer.concat(parts).subarray(0, maxBodyBytes).toString("utf8"),
        latencyMs,
      });
      const finish = () => settle(() => resolve(answer()));
      incoming.on("data", (part: Buffer) => {
        parts.push(part);
        length += part.length;
        if (length < maxBodyBytes) return;
        finish();
        outgoing.destroy();
      });
      incoming.on("end", finish);
      if (wanted.cutBodyPasses) broken = () => resolve({ ...answer(), isCut: true });
      incoming.on("error", (error) => settle(() => broken(error)));
      if (maxBodyBytes === 0) {
        finish();
        outgoing.destroy();
      }
    });
    outgoing.end(wanted.body);
  });
}

function connectTcp(host: string, port: number, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const socket = connect({ host, port, timeout: timeoutMs });
    socket.on("connect", () => {
      resolve(performance.now() - started);
      socket.destroy();
    });
    socket.on("timeout", () => socket.destroy(new Error(`no answer within ${timeLimit(timeoutMs)}`)));
    socket.on("error", (error) => reject(sentence(error)));
  });
}

export function createHttp(): Http {
  return { request, connect: connectTcp };
}
