import { it } from "vitest";
import { hiderOf, protectWords, knowSecrets, secretsNotHidden } from "../../src/system/redact/known.ts";
import { ownWords } from "../../src/system/own-words.ts";
import { redact } from "../../src/system/redact/redact.ts";
it("x", () => {
  const k = "gw-K3y/with+sp&cial'chars";
  const h = hiderOf([k]);
  const b = (s: string) => Buffer.from(s).toString("base64");
  for (const t of [k, `x ${encodeURIComponent(k)} y`, JSON.stringify({ k }), JSON.stringify(JSON.stringify({ k })), b(k), b("u:" + k), b("us:" + k), b("use:" + k + ":x"), Buffer.from(k).toString("hex"), `cut ${k.slice(0, 12)}`, `cut ${k.slice(0, 12)}… (+33)`, `${k.slice(9)} tail`]) console.log(h(t, "[r]"));
  const t = performance.now(); protectWords(ownWords); knowSecrets([{ name: "A", value: "service", whole: true }, { name: "B", value: "abc", whole: true }, { name: "C", value: "zxcvbnmasd" }]); console.log(performance.now() - t, secretsNotHidden(), redact("a service zxcvbnmasd"));
  const m = "a".repeat(1e6); const t2 = performance.now(); h(m, "x"); console.log(performance.now() - t2);
  const t3 = performance.now(); for (let i = 0; i < 10000; i++) h("/usr/bin/node --max-old-space-size=4096 /opt/openclaw/dist/gateway.js --port 18500", "x"); console.log((performance.now() - t3) / 10, "us");
});
