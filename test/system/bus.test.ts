/** The D-Bus client: its codec by properties, its conversations with a dbus-daemon of the test's own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { openConnection } from "../../src/system/bus/connection.ts";
import { decodeMessage, encodeCall, messageLength } from "../../src/system/bus/message.ts";
import { pick } from "../../src/system/bus/pick.ts";
import { unitOfPath, unitPath } from "../../src/system/bus/systemd1.ts";
import { decode, encode, typesOf } from "../../src/system/bus/wire.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A type and a value of it, as encode takes it and as decode gives it back. */
type Sample = { type: string; given: unknown; back: unknown };
const same = (type: string, values: fc.Arbitrary<unknown>): fc.Arbitrary<Sample> =>
  values.map((value) => ({ type, given: value, back: value }));
const text = fc.string({ unit: "grapheme" }).filter((value) => !value.includes("\0"));
const basic: fc.Arbitrary<Sample> = fc.oneof(
  same("y", fc.integer({ min: 0, max: 255 })),
  same("b", fc.boolean()),
  same("n", fc.integer({ min: -32_768, max: 32_767 })),
  same("q", fc.integer({ min: 0, max: 65_535 })),
  same("i", fc.integer()),
  same("u", fc.nat()),
  same("x", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  same("t", fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  same("d", fc.double({ noNaN: true })),
  same("s", text),
);
const { value: anyValue } = fc.letrec<{ value: Sample }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    basic,
    tie("value").map(({ type, given, back }) => ({ type: "v", given: [type, given], back })),
    fc.array(tie("value"), { minLength: 1, maxLength: 4 }).map((fields) => ({
      type: `(${fields.map(({ type }) => type).join("")})`,
      given: fields.map(({ given }) => given),
      back: fields.map(({ back }) => back),
    })),
    fc.tuple(tie("value"), fc.nat(5)).map(([{ type, given, back }, times]) => ({
      type: `a${type}`,
      given: Array.from({ length: times }, () => given),
      back: Array.from({ length: times }, () => back),
    })),
  ),
}));

describe("the codec", () => {
  it("gives back what it was given, whatever is nested in whatever", () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 5 }), (samples) => {
        const signature = samples.map(({ type }) => type).join("");
        const bytes = encode(
          signature,
          samples.map(({ given }) => given),
        );
        const { values, end } = decode(signature, bytes, true);
        expect(values).toEqual(samples.map(({ back }) => back));
        expect(end).toBe(bytes.length);
      }),
    );
  });

  it("answers random bytes with values or a sentence, never with anything else", () => {
    const signatures = fc.constantFrom("a{sv}", "(ssa(ub)v)", "v", "aas", "a(sv)t", "g", "aaaaaaaav");
    fc.assert(
      fc.property(signatures, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (signature, bytes, little) => {
        try {
          decode(signature, Buffer.from(bytes), little);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: a D-Bus (message|array|variant) /);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("takes a message to pieces only when it is whole, and says what is none", () => {
    const call = {
      destination: "org.freedesktop.systemd1",
      path: "/org/freedesktop/systemd1",
      interface: "org.freedesktop.systemd1.Manager",
      member: "GetUnit",
      signature: "s",
      body: ["nginx.service"],
    };
    const bytes = encodeCall(call, 7, false);
    for (let length = 0; length < 16; length += 1) expect(messageLength(bytes.subarray(0, length))).toBe(16);
    expect(messageLength(Buffer.concat([bytes, Buffer.from("more")]))).toBe(bytes.length);
    const message = decodeMessage(bytes);
    expect(message).toMatchObject({ kind: "call", path: call.path, member: "GetUnit" });
    expect(message.body()).toEqual(["nginx.service"]);
    expect(() => messageLength(Buffer.from("HTTP/1.1 200 OK\r\n"))).toThrow("is no D-Bus message");
    const huge = Buffer.from(bytes);
    huge.writeUInt32LE(0x7fffffff, 4);
    expect(() => messageLength(huge)).toThrow("a D-Bus message is longer than 16777216 bytes");
  });

  it("answers random bytes in place of a message with a message or a sentence", () => {
    const start = encodeCall({ ...bus, member: "ListNames" }, 1, false);
    const changes = fc.array(fc.tuple(fc.nat(start.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(changes, (many) => {
        const bytes = Buffer.from(start);
        for (const [at, byte] of many) bytes[at] = byte;
        try {
          if (messageLength(bytes) <= bytes.length) decodeMessage(bytes).body();
        } catch (error) {
          expect(String(error)).toMatch(/^Error: (a D-Bus |what came over the bus is no D-Bus message)/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("knows no type that there is not", () => {
    expect(typesOf("a{sv}(iu)as")).toEqual(["a{sv}", "(iu)", "as"]);
    expect(() => typesOf("(i")).toThrow("names the unknown type");
    expect(() => typesOf("z")).toThrow("names the unknown type");
    expect(() => typesOf(`${"a".repeat(40)}i`)).toThrow("nests deeper");
  });

  it("picks the wanted entries of a dictionary, whatever the others hold", () => {
    const names = fc.constantFrom("Id", "Names", "MainPID", "ExecStart", "Ünit", "");
    fc.assert(
      fc.property(fc.array(fc.tuple(names, anyValue), { maxLength: 12 }), (entries) => {
        const given = entries.map(([name, { type, given }]) => [name, [type, given]]);
        const wanted = new Set(["Id", "MainPID"]);
        const all = new Map(entries.map(([name, { back }]) => [name, back]));
        const expected = [...all].filter(([name]) => wanted.has(name));
        expect(new Map(pick(encode("a{sv}", [given]), true, wanted))).toEqual(new Map(expected));
      }),
    );
  });

  it("picks from random bytes what is there, or says in a sentence what is wrong", () => {
    const body = encode("a{sv}", [
      [
        ["Id", ["s", "a.service"]],
        ["ExecStart", ["a(sasbttttuii)", [["/bin/true", ["true"], false, 1n, 2n, 3n, 4n, 5, 6, 7]]]],
        ["Job", ["(uo)", [0, "/"]]],
        ["Held", ["v", ["v", ["g", "as"]]]],
      ],
    ]);
    const changes = fc.array(fc.tuple(fc.nat(body.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(changes, fc.nat(body.length), fc.boolean(), (many, length, little) => {
        const bytes = Buffer.from(body);
        for (const [at, byte] of many) bytes[at] = byte;
        for (const some of [bytes, bytes.subarray(0, length)]) {
          try {
            pick(some, little, new Set(["Id", "Job"]));
          } catch (error) {
            expect(String(error)).toMatch(/^Error: a D-Bus (message|array|variant) /);
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("takes no array of what has no size, which would never end", () => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(8, 0);
    expect(() => decode("a()", bytes, true)).toThrow("names an empty struct");
    expect(() => decode("a{}", bytes, true)).toThrow("names an empty struct");
  });

  it("reads unit names out of paths as systemd writes them, and writes them", () => {
    const path = (label: string) => `/org/freedesktop/systemd1/unit/${label}`;
    expect(unitOfPath(path("getty_40tty1_2eservice"))).toBe("getty@tty1.service");
    expect(unitPath("getty@tty1.service")).toBe(path("getty_40tty1_2eservice"));
    expect(unitPath("1a_b.mount")).toBe(path("_31a_5fb_2emount"));
    expect(unitOfPath("/org/freedesktop/systemd1")).toBeNull();
    fc.assert(
      fc.property(text, (name) => {
        expect(unitOfPath(unitPath(name))).toBe(name);
      }),
    );
  });
});

/** A bus of the test's own; an ordinary user may have one as well. */
async function daemon(): Promise<{ path: string; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "argus-bus-"));
  const path = join(dir, "bus");
  writeFileSync(
    join(dir, "config"),
    `<busconfig><type>session</type><listen>unix:path=${path}</listen><auth>EXTERNAL</auth>
     <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
  );
  const child: ChildProcess = spawn("dbus-daemon", [`--config-file=${join(dir, "config")}`, "--nofork"], {
    stdio: "ignore",
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once("exit", () => resolve());
      child.kill("SIGKILL");
    });
  ends.push(async () => {
    await stop();
    rmSync(dir, { recursive: true, force: true });
  });
  // The socket is there a moment before anybody listens at it.
  for (let wait = 0; wait < 200 && !(await isHeard(path)); wait += 1)
    await new Promise((resolve) => setTimeout(resolve, 25));
  return { path, stop };
}

const isHeard = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

const bus = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};
const uid = process.geteuid?.() ?? 0;

describe("a connection to a bus", () => {
  it("asks and is answered, hears signals, and says when it is over", async () => {
    const { path, stop } = await daemon();
    let ended = 0;
    const connection = await openConnection(path, uid, false, () => {
      ended += 1;
    });
    const names = await connection.call({ ...bus, member: "ListNames" });
    expect(names.body()[0]).toContain("org.freedesktop.DBus");
    await expect(connection.call({ ...bus, member: "NoSuchThing" })).rejects.toThrow(/NoSuchThing/);

    const heard: string[] = [];
    const lost = new Promise<string>((resolve) => {
      connection.listen({ onSignal: ({ member }) => heard.push(member), onLost: resolve });
    });
    const request = { ...bus, member: "RequestName", signature: "su", body: ["argus.test", 0] };
    await connection.call(request);
    expect(heard).toContain("NameAcquired");
    const hanging = connection.call({ ...bus, member: "ListNames" });
    await hanging;
    await stop();
    expect(await lost).toBe("the connection was closed");
    expect(ended).toBe(1);
    await expect(connection.call({ ...bus, member: "ListNames" })).rejects.toThrow(/was lost/);
  });

  it("refuses what speaks no D-Bus, or does not speak at all, with a sentence", async () => {
    const dir = mkdtempSync(join(tmpdir(), "argus-bus-"));
    const path = join(dir, "bus");
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        if (data.toString().startsWith("\0AUTH")) socket.write("OK 0123\r\n");
        else socket.write(Buffer.alloc(64, 0x41));
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    ends.push(
      () => rmSync(dir, { recursive: true, force: true }),
      () => server.close(),
    );
    await expect(openConnection(path, uid, false, () => {})).rejects.toThrow(/is no D-Bus message/);
    await expect(openConnection(join(dir, "none"), uid, false, () => {})).rejects.toThrow(/ENOENT/);
  });
});
