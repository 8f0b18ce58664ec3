/** The link between the two processes of Argus, over real unix sockets. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createLink, type Link, LinkLost } from "../../src/system/link/client.ts";
import { maxReplyBytes, maxRequestBytes } from "../../src/system/link/frames.ts";
import { type Handler, type LinkServer, serveLink } from "../../src/system/link/server.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Pair {
  readonly path: string;
  readonly link: Link;
  readonly server: LinkServer;
  readonly faults: string[];
}

async function pair(handler: Handler): Promise<Pair> {
  const dir = mkdtempSync(join(tmpdir(), "argus-link-"));
  const path = join(dir, "socket");
  const faults: string[] = [];
  const server = await serveLink({ path }, handler, (sentence) => faults.push(sentence));
  const link = createLink(path);
  ends.push(
    () => rmSync(dir, { recursive: true, force: true }),
    () => server.close(),
    () => link.close(),
  );
  return { path, link, server, faults };
}

/** Sends bytes as they are; resolves with all that came back when the server ends the connection. */
function sendRaw(path: string, bytes: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let back = "";
    socket.on("data", (data) => {
      back += data.toString("utf8");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(back));
    socket.write(bytes);
  });
}

describe("a link", () => {
  it("carries any JSON there and back, many at once, each to whom it belongs", async () => {
    const { link } = await pair(async (method, params) => ({ method, params }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 20 }), async (values) => {
        const answers = await Promise.all(values.map((value) => link.ask("echo", value)));
        const sent = values.map((value) => JSON.parse(JSON.stringify({ method: "echo", params: value })));
        expect(answers).toEqual(sent);
      }),
      { numRuns: 50 },
    );
  });

  it("carries an answer of megabytes, and asks nothing that is beyond the limit", async () => {
    const { link, faults } = await pair(async (_, length) => "ä".repeat(Number(length)));
    expect(await link.ask("long", 3_000_000)).toBe("ä".repeat(3_000_000));
    await expect(link.ask("echo", "x".repeat(maxRequestBytes))).rejects.toThrow(
      `the request has ${maxRequestBytes + 37} bytes, and ${maxRequestBytes} are allowed`,
    );
    expect(await link.ask("long", 1)).toBe("ä");
    expect(faults).toEqual([]);
  });

  it("gives up on an answer that is longer than any may be", async () => {
    const { link } = await pair(async () => "x".repeat(maxReplyBytes));
    await expect(link.ask("long", null)).rejects.toThrow(`a frame is longer than ${maxReplyBytes} bytes`);
  });

  it("hands an error's sentence back to whoever asked, and goes on", async () => {
    const { link } = await pair(async (method) => {
      if (method === "no") throw new Error("that is not done here");
      return "yes";
    });
    await expect(link.ask("no", null)).rejects.toThrow("that is not done here");
    expect(await link.ask("yes", null)).toBe("yes");
  });

  it("tells the other side when nobody waits any longer", async () => {
    const { link } = await pair(
      (_, __, signal) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => resolve("cut short"), { once: true }),
        ),
    );
    const controller = new AbortController();
    const answer = link.ask("wait", null, controller.signal);
    controller.abort();
    expect(await answer).toBe("cut short");
    const already = link.ask("wait", null, AbortSignal.abort());
    expect(await already).toBe("cut short");
  });

  it("says whether a request had left when the other side went away", async () => {
    const dir = mkdtempSync(join(tmpdir(), "argus-link-"));
    ends.push(() => rmSync(dir, { recursive: true, force: true }));
    const path = join(dir, "socket");
    const server = createServer((socket) => socket.once("data", () => socket.destroy()));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const link = createLink(path);
    const lost = await link.ask("hang", null).catch((error: unknown) => error);
    server.close();
    expect(lost).toBeInstanceOf(LinkLost);
    expect(lost).toMatchObject({
      sent: true,
      message: `the connection to ${path} was lost: the connection was closed`,
    });
    const unreachable = await link.ask("hello", null).catch((error: unknown) => error);
    expect(unreachable).toMatchObject({ sent: false });
    expect(String(unreachable)).toMatch(/cannot be reached: connect ENOENT/);
  });

  it("answers what it was asked before it goes away", async () => {
    const { link, server } = await pair(
      (_, __, signal) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve("cut off"), { once: true })),
    );
    const asked = [link.ask("work", null), link.ask("work", null)];
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    expect(await Promise.all(asked)).toEqual(["cut off", "cut off"]);
  });

  it("stands again when the other side is back", async () => {
    const { link, server, path } = await pair(async () => "first");
    expect(await link.ask("who", null)).toBe("first");
    await server.close();
    await expect(link.ask("who", null)).rejects.toThrow(/cannot be reached|was lost/);
    const second = await serveLink(
      { path },
      async () => "second",
      () => undefined,
    );
    ends.push(() => second.close());
    expect(await link.ask("who", null)).toBe("second");
  });

  it("has a socket that only its owner can open", async () => {
    const { path } = await pair(async () => 1);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe("the answering end", () => {
  it.each([
    ["no JSON", "hello\n"],
    ["another object", '{"id":1}\n'],
    ["a number that is none", '{"id":"1","method":"x","params":1}\n'],
    ["an unknown key", '{"id":1,"method":"x","params":1,"more":1}\n'],
    ["a method without end", `{"id":1,"method":"${"x".repeat(65)}","params":1}\n`],
    ["bytes that are no text", new Uint8Array([0, 255, 254, 10])],
  ])("ends a connection that sends %s", async (_, bytes) => {
    const { path, link, faults } = await pair(async () => "fine");
    expect(await sendRaw(path, bytes)).toBe("");
    expect(faults).toEqual(["what came over the socket is no frame of Argus"]);
    expect(await link.ask("x", 1)).toBe("fine");
  });

  it("survives random bytes", async () => {
    const { path, link } = await pair(async () => "fine");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
        await sendRaw(path, Buffer.concat([bytes, Buffer.from("\n")]));
      }),
      { numRuns: 50 },
    );
    expect(await link.ask("x", 1)).toBe("fine");
  });

  it("ends a connection whose frame is longer than any may be", async () => {
    const { path, link, faults } = await pair(async () => "fine");
    expect(await sendRaw(path, "x".repeat(maxRequestBytes + 1))).toBe("");
    expect(faults).toEqual([`a frame is longer than ${maxRequestBytes} bytes`]);
    expect(await link.ask("x", 1)).toBe("fine");
  });

  it("takes 64 requests at once over all connections, and no more", async () => {
    const { path, faults } = await pair(() => new Promise(() => undefined));
    const frames = (count: number) =>
      Array.from({ length: count }, (_, id) => `{"id":${id},"method":"x","params":null}\n`).join("");
    const first = connect({ path });
    await new Promise((resolve) => first.write(frames(40), () => setTimeout(resolve, 50)));
    await sendRaw(path, frames(25));
    expect(faults).toEqual(["too much was asked at once"]);
    first.destroy();
  });

  it("takes 4 MB of requests at once over all connections, and no more", async () => {
    const { path, faults } = await pair(() => new Promise(() => undefined));
    const frame = (id: number) => `{"id":${id},"method":"x","params":"${"x".repeat(1_000_000)}"}\n`;
    await sendRaw(path, [1, 2, 3, 4, 5].map(frame).join(""));
    expect(faults).toEqual(["too much was asked at once"]);
  });

  it("goes on answering nobody who does not read", async () => {
    const { path, faults } = await pair(async () => "x".repeat(4_000_000));
    const socket = connect({ path });
    socket.on("error", () => undefined);
    socket.pause();
    for (let id = 0; id < 20 && faults.length === 0; id += 1) {
      socket.write(`{"id":${id},"method":"x","params":null}\n`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(faults).toEqual(["whoever asks does not read the answers"]);
    socket.destroy();
  });

  it("goes on answering nobody who does not read over many connections, and answers whoever does", async () => {
    const { path, link, faults } = await pair(async () => "x".repeat(4_000_000));
    const sockets = Array.from({ length: 12 }, () => connect({ path }));
    ends.push(() => sockets.map((socket) => socket.destroy()));
    for (const socket of sockets) {
      socket.on("error", () => undefined);
      socket.pause();
      socket.write('{"id":1,"method":"x","params":null}\n{"id":2,"method":"x","params":null}\n');
    }
    await vi.waitFor(() => expect(faults.length).toBeGreaterThanOrEqual(9), 5_000);
    expect(new Set(faults)).toEqual(new Set(["whoever asks does not read the answers"]));
    expect(await link.ask("x", null)).toHaveLength(4_000_000);
  });

  it("cuts what was asked for short when the asker is gone", async () => {
    let aborted: (value: unknown) => void = () => undefined;
    const seen = new Promise((resolve) => {
      aborted = resolve;
    });
    const { path } = await pair((_, __, signal) => {
      signal.addEventListener("abort", aborted, { once: true });
      return new Promise(() => undefined);
    });
    const socket = connect({ path });
    socket.write('{"id":1,"method":"x","params":null}\n', () => setImmediate(() => socket.end()));
    await seen;
  });
});
