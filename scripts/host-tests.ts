/** The last line of `npm test`: what it left out, and why or how to run it. */
import { whyNoMonitoring } from "../test/host/monitoring.ts";
import { whyNoHost } from "../test/host/namespaces.ts";

const why = whyNoHost();
const whyNot = whyNoMonitoring();
const some = whyNot === null ? "" : `. Those with Prometheus will fail: ${whyNot}`;
console.log(
  why === null
    ? `Left out: the tests on a real systemd. Here they can run: npm run test:host${some}`
    : `Left out: the tests on a real systemd (npm run test:host). ${why}`,
);
