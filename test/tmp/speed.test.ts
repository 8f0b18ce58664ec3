import { it } from "vitest";
import { withoutSecrets } from "../../src/record/history.ts";
import { redact } from "../../src/system/redact/redact.ts";
import { processFact, snapshot } from "../escalate/samples.ts";
it("x", () => {
  for (const n of [600, 5000]) {
    const bases = ["/usr/bin/node --max-old-space-size=4096 /opt/app/dist/server.js --port", "/usr/bin/python3 -m app.worker --queue default --id", "php-fpm: pool www", "mysql -uroot -pS3cret#xx9 -h db app --port", "java -Xmx2g -Dfile.encoding=UTF-8 -cp /opt/app/lib/a.jar:/opt/app/lib/b.jar com.example.Main --id"];
    const processes = Array.from({ length: n }, (_, i) => {
      const args = `${bases[i % 5]} ${i}`.split(" ");
      return { ...processFact(), pid: i + 2, commandLine: args.join(" "), arguments: args };
    });
    for (let k = 0; k < 5; k += 1) {
      const snap = snapshot({ process: processes.map((p) => ({ ...p })) });
      const t = performance.now();
      const safe = withoutSecrets(snap);
      const t2 = performance.now();
      JSON.stringify(safe);
      console.log(n, "redact", (t2 - t).toFixed(2), "ms; stringify", (performance.now() - t2).toFixed(2));
    }
  }
  console.log(redact("x"));
}, 60000);
