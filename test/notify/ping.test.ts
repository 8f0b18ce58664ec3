/** The dead man's switch, over a real server. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createPinger } from "../../src/notify/ping.ts";
import { createHttp } from "../../src/system/http.ts";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function listener(statusOf: (count: number) => number = () => 200) {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.url ?? "");
    response.writeHead(statusOf(heard.length)).end("OK");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => server.close());
  return { heard, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("a ping", () => {
  it("goes to the URL itself, /start and /fail, in the order of the cycles, with what else the URL holds", async () => {
    const { heard, url } = await listener();
    const { ping } = createPinger(createHttp(), `${url}/ping/1234-abcd/?rid=7`, () => undefined);
    await Promise.all([ping("start"), ping("success"), ping("start"), ping("fail")]);
    expect(heard).toEqual([
      "/ping/1234-abcd/start?rid=7",
      "/ping/1234-abcd/?rid=7",
      "/ping/1234-abcd/start?rid=7",
      "/ping/1234-abcd/fail?rid=7",
    ]);
  });

  it("that is not heard is said once, not every cycle, and so is its return", async () => {
    const { url } = await listener((count) => (count <= 3 ? 503 : 200));
    const said: (string | null)[] = [];
    const { ping } = createPinger(createHttp(), url, (sentence) => said.push(sentence));
    for (let count = 0; count < 5; count += 1) await ping("success");
    expect(said).toEqual([
      "the dead man's switch (ARGUS_PING_URL) was not reached: it answered with status 503",
      null,
    ]);
  });

  it("does not fail where nobody listens, and goes nowhere without a URL", async () => {
    const { server, url } = await listener();
    await new Promise((resolve) => server.close(resolve));
    const said: (string | null)[] = [];
    await createPinger(createHttp(), url, (sentence) => said.push(sentence)).ping("start");
    expect(said).toEqual([expect.stringContaining("was not reached: connection refused")]);
    await createPinger(createHttp(), null, () => expect.fail("nothing to say")).ping("start");
  });
});
