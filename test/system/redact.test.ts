import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact, redactArguments, redactDeep, redactIdentity } from "../../src/system/redact/redact.ts";
import { problemTypes } from "../../src/types/problem.ts";
import { fillIn, madeUpSecret } from "./made-up-secrets.ts";
import { linesOf, plantedCommands, remains } from "./planted.ts";

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

describe("redact", () => {
  const secrets = linesOf("secrets.txt");
  const harmless = [...linesOf("harmless.txt"), ...linesOf("harmless-more.txt")].map((line) =>
    line.replaceAll("⏎", "\n"),
  );

  it.each([
    ["secrets.txt", 300],
    ["command-lines.txt", 250],
    ["journals.txt", 130],
    ["further.txt", 150],
    ["more.txt", 150],
    ["more-logs.txt", 100],
    ["more-tools.txt", 400],
    ["more-traces.txt", 150],
  ])("lets no secret of %s pass, whatever its characters are", (name, fewest) => {
    const templates = linesOf(name);
    expect(templates.length).toBeGreaterThanOrEqual(fewest);
    const passed = templates.flatMap((template) =>
      seeds.flatMap((seed) => {
        const sample = fillIn(template, seed);
        const text = redact(sample.text);
        return sample.secrets.some((secret) => remains(secret, text)) ? [`${template} -> ${text}`] : [];
      }),
    );
    expect([...new Map(passed.map((line) => [line.split(" -> ")[0], line])).values()]).toEqual([]);
  });

  it("touches at most one in fifty of the harmless ones", () => {
    expect(harmless.length).toBeGreaterThanOrEqual(1000);
    const touched = harmless.filter((line) => redact(line) !== line);
    expect(
      touched.length / harmless.length,
      touched.map((line) => `${line} -> ${redact(line)}`).join("\n"),
    ).toBeLessThanOrEqual(0.02);
  });

  it("keeps what surrounds a secret", () => {
    const password = madeUpSecret("pass", 1);
    expect(redact(`mysql -uroot -p${password} -h db`)).toBe("mysql -uroot -p[redacted] -h db");
    expect(redact(`postgres://app:${password}@db:5432/app?sslmode=require`)).toBe(
      "postgres://app:[redacted]@db:5432/app?sslmode=require",
    );
    expect(redact(`{"user":"app","password":"${password}","host":"db"}`)).toBe(
      '{"user":"app","password":"[redacted]","host":"db"}',
    );
    expect(redact(`curl -H "Authorization: Bearer ${madeUpSecret("jwt", 1)}" https://x`)).toBe(
      'curl -H "Authorization: Bearer [redacted]" https://x',
    );
    expect(redact(`GET /a?token=${madeUpSecret("alnum32", 1)}&page=2 200`)).toBe(
      "GET /a?token=[redacted]&page=2 200",
    );
    expect(redact(`bot says ${madeUpSecret("telegram", 1)}, and goes on`)).toBe(
      "bot says [redacted], and goes on",
    );
  });

  it.each(problemTypes)("leaves the key of a problem about a %s, by which people find it", (type) => {
    const key = `${type}:0123456789abcdef`;
    const message = `srv: INFO stale (token=${"x7Kp".repeat(5)})\nargus explain ${key}\n\nINFO other\nargus explain ${key}`;
    expect(redact(key)).toBe(key);
    expect(redact(message).split("\n")[1]).toBe(`argus explain ${key}`);
    expect(redact(message).split("\n").at(-1)).toBe(`argus explain ${key}`);
    expect(redact(message)).toContain("token=[redacted]");
    expect(redactDeep({ key, problems: [key] })).toEqual({ key, problems: [key] });
  });

  it("finds nothing more when it is asked again", () => {
    for (const template of secrets) {
      const once = redact(fillIn(template, 3).text);
      expect(redact(once)).toBe(once);
    }
  });

  it("takes the same secrets out of JSON that was escaped into a string", () => {
    const password = madeUpSecret("pass", 2);
    let text = JSON.stringify({ password, user: "app" });
    for (let depth = 0; depth < 3; depth += 1) {
      expect(redact(text)).not.toContain(password);
      expect(redact(text)).toContain("app");
      text = JSON.stringify({ message: text });
    }
  });

  it("answers for any text, and does not make it longer than the marks it puts in", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.constantFrom(
        "password",
        "=",
        ":",
        '"',
        "'",
        "\\",
        "\n",
        " ",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "://",
        "@",
        "mysql -p",
        "eyJ",
        "\ud800",
        "--token ",
        "Authorization: ",
        "<password>",
        "[",
        "(",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join("");
        const result = redact(text);
        expect(result.length).toBeLessThanOrEqual(text.length + 10 * text.length);
      }),
      { numRuns: 2000 },
    );
  });

  // A quadratic step would need hours for these, a linear one moments: the limit is the test's own.
  const hostile: Record<string, string> = {
    "one letter": "a",
    "names without values": "password",
    "a name of a megabyte": "password_",
    separators: "=",
    "names and separators": "password=",
    "open quotes": 'password="',
    "escaped quotes": '\\"',
    "private keys without an end": "-----BEGIN PRIVATE KEY-----",
    "private keys that begin again": `-----BEGIN PRIVATE KEY-----${"A".repeat(40)}`,
    "ends of private keys": "-----END PRIVATE KEY-----",
    "key lines": "Ab1/".repeat(16),
    "programs with passwords": "mysql -p ",
    "programs without": "mysql curl smbclient htpasswd openssl ",
    flags: "--password ",
    headers: "Authorization: ",
    URLs: "://a:",
    addresses: "a:b@",
    "tokens that begin": "eyJ",
    "token parts": "eyJaaaaaaaaa.",
    prefixes: "sk-",
    "doubtful prefixes": "secret-",
    sentences: "the password is to as now ",
    colons: "password :",
    "new lines": "\n",
    "password and new lines": "password:\n",
    spaces: " ",
    pipes: "echo a | ",
    "angle brackets": "<password>",
    pairs: "name: password value ",
    digits: "1234567890",
    capitals: "Aa",
    dollars: "$1$",
    slashes: "/a",
    dots: "a.",
    users: "login: a / ",
    "here-strings": "kinit <<< a1 ",
    "here-documents": "kinit <<EOF\n",
    "echoes into programs": "echo a1 | kinit ",
    "quoted words": "'a b' ",
    "nested quotes": 'sh -c "a \'b" ',
    "programs after programs": "sudo mysql docker login ",
    "one-time codes": "otp code is ",
    "small words": "abandon ",
    "numbered words": "1. abandon ",
    "backup codes": "backup codes: a1b2c3d4 ",
    "lines that announce": "password below:\n",
    "links that let in": "/reset/aB3",
    "queries with codes": "?code=aB3",
    "logins of mail": "AUTH PLAIN QUJD ",
    "challenges of mail": "334 UGFzc3dvcmQ6\n",
    "words of others": "пароль 密码 passwort ",
    "a mot de passe": "mot de passe est ",
    "settings in lines": "password = a b\n",
    "calls with secrets": 'setPassword("a',
    routers: "snmp-server community a ",
    "small words as a password": "password=abc def ",
  };
  it.each(Object.entries(hostile))("stays linear on a megabyte of %s", (_, unit) => {
    const text = unit.repeat(Math.ceil(1_000_000 / unit.length));
    expect(redact(text).length).toBeGreaterThan(0);
  });
});

it("the words of other languages are all looked for", () => {
  const passed = [
    "Parool",
    "Zaporka",
    "Lykilorð",
    "Nenosiri",
    "Parole",
    "Hasło",
    "Heslo",
    "Kata sandi",
  ].filter((word) => redact(`app[1]: ${word}: ${madeUpSecret("pass", 3)}`).includes(madeUpSecret("pass", 3)));
  expect(passed).toEqual([]);
});

describe("an argument vector", () => {
  it("of any program loses its secrets, wherever they begin and end", () => {
    const passed = seeds.flatMap((seed) =>
      plantedCommands(seed).flatMap(({ template, arguments: args, secrets }) => {
        const line = redactArguments(args).join(" ");
        return secrets.some((secret) => remains(secret, line)) ? [`${template} -> ${line}`] : [];
      }),
    );
    expect(passed).toEqual([]);
  });

  it("keeps its other arguments, and how many there are", () => {
    const two = "two words";
    expect(redactArguments(["app", `--password=${two}`, "--port", "80"])).toEqual([
      "app",
      "--password=[redacted]",
      "--port",
      "80",
    ]);
    expect(redactArguments(["gpg", "--passphrase", "a b c", "-d", "file name.gpg"])).toEqual([
      "gpg",
      "--passphrase",
      "[redacted]",
      "-d",
      "file name.gpg",
    ]);
    expect(redactArguments(["xfreerdp", "/v:host", "/p:a b", "/u:bob"])).toEqual([
      "xfreerdp",
      "/v:host",
      "/p:[redacted]",
      "/u:bob",
    ]);
    expect(redactArguments(["docker", "run", "-e", `DB_PASSWORD=${two}`, "-p", "80:80", "nginx"])).toEqual([
      "docker",
      "run",
      "-e",
      "DB_PASSWORD=[redacted]",
      "-p",
      "80:80",
      "nginx",
    ]);
    expect(
      redactDeep({ commandLine: `app --password=${two} x`, arguments: ["app", `--password=${two}`, "x"] }),
    ).toEqual({
      commandLine: "app --password=[redacted] x",
      arguments: ["app", "--password=[redacted]", "x"],
    });
  });

  it("of any strings stays as long as it was", () => {
    const argument = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.constantFrom(
        "mysql",
        "-p",
        "--password",
        "a b",
        "'",
        "Cookie: a",
        "|",
        "<<<",
        "kinit",
        "=",
        "user:x1y2z3",
      ),
    );
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 12 }), (args) => {
        expect(redactArguments(args)).toHaveLength(args.length);
      }),
      { numRuns: 1000 },
    );
  });
});

it("two names that differ in their secret alone stay two, and say nothing of it", () => {
  const [one, other] = [1, 2].map((seed) => redactIdentity(`/tmp/s:run-${madeUpSecret("github", seed)}`));
  expect(one).toMatch(/^\/tmp\/s:run-\[redacted\]#[0-9a-f]{8}$/);
  expect(other).not.toBe(one);
  expect(redactIdentity("/tmp/s:run-1")).toBe("/tmp/s:run-1");
});

describe("redactDeep", () => {
  const password = madeUpSecret("pass", 5);

  it("redacts every text of plain data and leaves the rest", () => {
    const value = {
      a: [`PGPASSWORD=${password}`, 7, null, true],
      nested: { line: `--token ${madeUpSecret("alnum32", 1)}` },
    };
    expect(redactDeep(value)).toEqual({
      a: ["PGPASSWORD=[redacted]", 7, null, true],
      nested: { line: "--token [redacted]" },
    });
  });

  it("takes a value away whose key tells what it is", () => {
    expect(
      redactDeep({ password, db_password: 4711, token: "abcdef", max_tokens: 4096, tokenType: "bearer" }),
    ).toEqual({
      password: "[redacted]",
      db_password: "[redacted]",
      token: "[redacted]",
      max_tokens: 4096,
      tokenType: "bearer",
    });
  });

  it("reads an argument vector as a command line", () => {
    expect(
      redactDeep(["node", "x.js", "--password", password, "--port", "80", "--token", "--verbose"]),
    ).toEqual(["node", "x.js", "--password", "[redacted]", "--port", "80", "--token", "--verbose"]);
  });

  it("ends in a circle and in a well", () => {
    const circle: Record<string, unknown> = { name: "x" };
    circle.self = circle;
    expect(redactDeep(circle)).toEqual({ name: "x", self: "[redacted]" });
    let well: unknown = password;
    for (let depth = 0; depth < 10_000; depth += 1) well = [well];
    expect(JSON.stringify(redactDeep(well))).not.toContain(password);
  });

  it("leaves its argument alone and keeps keys such as __proto__ what they are", () => {
    const value = JSON.parse('{"__proto__": {"password": "abcdef"}, "password": "abcdef"}');
    const before = JSON.stringify(value);
    expect(JSON.stringify(redactDeep(value))).toBe(
      '{"__proto__":{"password":"[redacted]"},"password":"[redacted]"}',
    );
    expect(JSON.stringify(value)).toBe(before);
  });

  it("agrees with redact on any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(typeof JSON.stringify(redactDeep(value))).toBe(typeof JSON.stringify(value));
      }),
    );
  });
});
