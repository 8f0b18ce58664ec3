/** The last line of `npm test`: what it left out, and why or how to run it. */
import { whyNoHost } from "../test/host/namespaces.ts";

const why = whyNoHost();
console.log(
  why === null
    ? "Left out: the tests on a real systemd. Here they can run: npm run test:host"
    : `Left out: the tests on a real systemd (npm run test:host). ${why}`,
);
