/**
 * Which of a process's arguments are Node's own options. A script has arguments too: `node bot.js --test` hands
 * `--test` to bot.js. Node reads its options up to the first argument that is no option and no option's value
 * (node(1); node_options of 20, 22 and 24 say the same). Pure.
 */

/** Options whose value may be an argument of its own. A value that begins with a dash is refused by Node. */
const withValue = new Set(
  (
    "-C -e -r --allow-fs-read --allow-fs-write --build-snapshot-config --conditions --cpu-prof-dir " +
    "--cpu-prof-interval --cpu-prof-name --debug-port --diagnostic-dir --disable-proto --disable-warning " +
    "--dns-result-order --env-file --env-file-if-exists --eval --experimental-config-file " +
    "--experimental-default-type --experimental-loader --experimental-package-map --experimental-policy " +
    "--experimental-sea-config --experimental-test-isolation --experimental-test-tag-filter --heap-prof-dir " +
    "--heap-prof-interval --heap-prof-name --heapsnapshot-near-heap-limit --heapsnapshot-signal --icu-data-dir " +
    "--import --input-type --inspect-port --inspect-publish-uid --loader --localstorage-file " +
    "--max-http-header-size --max-old-space-size-percentage --network-family-autoselection-attempt-timeout " +
    "--openssl-config --policy-integrity --redirect-warnings --report-dir --report-directory --report-filename " +
    "--report-signal --require --run --secure-heap --secure-heap-min --security-revert --security-reverts " +
    "--snapshot-blob --test-concurrency --test-coverage-branches --test-coverage-exclude " +
    "--test-coverage-functions --test-coverage-include --test-coverage-lines --test-global-setup " +
    "--test-isolation --test-name-pattern --test-random-seed --test-reporter --test-reporter-destination " +
    "--test-rerun-failures --test-shard --test-skip-pattern --test-timeout --title --tls-cipher-list " +
    "--tls-keylog --trace-event-categories --trace-event-file-pattern --trace-require-module " +
    "--unhandled-rejections --use-largepages --v8-pool-size --watch-kill-signal --watch-path"
  ).split(" "),
);

/** The usual ones that take none, so that a file may follow. */
const withoutValue = new Set(
  (
    "-c -h -i -v --build-snapshot --check --enable-source-maps --entry-url --experimental-abortcontroller " +
    "--experimental-detect-module --experimental-eventsource --experimental-fetch --experimental-global-customevent " +
    "--experimental-global-navigator --experimental-global-webcrypto --experimental-import-meta-resolve " +
    "--experimental-json-modules --experimental-modules --experimental-network-inspection " +
    "--experimental-permission --experimental-require-module --experimental-sqlite --experimental-strip-types " +
    "--experimental-test-coverage --experimental-test-module-mocks --experimental-test-snapshots " +
    "--experimental-top-level-await --experimental-transform-types --experimental-vm-modules " +
    "--experimental-wasm-modules --experimental-webstorage --experimental-websocket --expose-gc " +
    "--expose-internals --frozen-intrinsics --help --inspect --inspect-brk --inspect-wait --interactive --jitless " +
    "--openssl-legacy-provider --pending-deprecation --permission --preserve-symlinks --preserve-symlinks-main " +
    "--report-on-fatalerror --report-on-signal --report-uncaught-exception --strip-types --test " +
    "--test-force-exit --test-only --test-randomize --test-update-snapshots --throw-deprecation " +
    "--trace-deprecation --trace-exit --trace-sigint --trace-uncaught --trace-warnings --use-env-proxy " +
    "--use-openssl-ca --use-system-ca --version --warnings --watch --watch-preserve-output --abort-on-uncaught-exception " +
    "--perf-basic-prof --perf-prof --interpreted-frames-native-stack --cpu-prof --heap-prof --addons " +
    "--deprecation --insecure-http-parser --verify-base-objects --zero-fill-buffers --force-fips --enable-fips"
  ).split(" "),
);

/** A value follows only when the next argument is none of Node's options. */
const mayTakeValue = new Set(["-p", "--print"]);

export interface NodeCommand {
  /** Names in their order, written with dashes: `--test`, `-r`. One that `--no-` took back is not among them. */
  readonly options: readonly string[];
  /** Values of those that have one, in the order of the options; `""` for the others. */
  readonly values: readonly string[];
  /** What runs; null: standard input, code of an option, or nothing. */
  readonly script: string | null;
}

/**
 * @param args the whole command line, the program itself first.
 * @returns null where nobody can tell the options from the script's own arguments.
 */
export function parseNodeCommand(args: readonly string[]): NodeCommand | null {
  const options: string[] = [];
  const values: string[] = [];
  const add = (name: string, value = "") => {
    options.push(name);
    values.push(value);
  };
  let at = 1;
  for (; at < args.length; at += 1) {
    const argument = args[at] ?? "";
    if (argument === "--") {
      at += 1;
      break;
    }
    if (argument === "-" || !argument.startsWith("-")) break;
    const { name, value } = split(argument);
    const next = args[at + 1];
    const hasNext = next !== undefined && (next === "-" || !next.startsWith("-"));
    if (value !== null) {
      // Node ends at once with a value for an option that takes none.
      if (withoutValue.has(name) && !name.startsWith("--inspect")) return null;
      add(name, value);
    } else if (withValue.has(name) || name === "-pe" || (mayTakeValue.has(name) && hasNext)) {
      if (!hasNext) return null;
      add(name, next);
      at += 1;
    } else if (name.startsWith("--no-")) {
      removeAll(options, values, `--${name.slice("--no-".length)}`);
      if (hasNext && !withoutValue.has(`--${name.slice("--no-".length)}`)) return null;
    } else if (withoutValue.has(name) || !hasNext) {
      // A flag this list does not know: no value can follow, since what follows begins with a dash or is not there.
      add(name);
    } else {
      return null;
    }
  }
  const script = args[at];
  return { options, values, script: script === undefined || script === "-" ? null : script };
}

/**
 * The arguments that NODE_OPTIONS stands for: parted by blanks, but for those between double quotes, where a backslash
 * takes the next character as it is (node(1)). Null: a quote is open, with which Node does not start.
 */
export function splitNodeOptions(text: string): string[] | null {
  const args: string[] = [];
  let argument: string | null = null;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    let character = text.charAt(at);
    if (character === " " && !quoted) {
      if (argument !== null) args.push(argument);
      argument = null;
      continue;
    }
    argument ??= "";
    if (character === '"') {
      quoted = !quoted;
      continue;
    }
    if (character === "\\" && quoted) {
      at += 1;
      character = text.charAt(at);
    }
    argument += character;
  }
  if (argument !== null) args.push(argument);
  return quoted ? null : args;
}

/** `--test_only=x`: Node takes an underscore for a dash in the name, and a value after `=` for long options only. */
function split(argument: string): { name: string; value: string | null } {
  if (!argument.startsWith("--")) return { name: argument, value: null };
  const equals = argument.indexOf("=");
  const name = equals < 0 ? argument : argument.slice(0, equals);
  return { name: name.replaceAll("_", "-"), value: equals < 0 ? null : argument.slice(equals + 1) };
}

function removeAll(options: string[], values: string[], name: string): void {
  for (let at = options.length - 1; at >= 0; at -= 1) {
    if (options[at] !== name) continue;
    options.splice(at, 1);
    values.splice(at, 1);
  }
}

/** Debian installed Node as `nodejs` for years. */
export const isNode = (executable: string | null): boolean =>
  executable === "node" || executable === "nodejs";

/** Names of Node's own options; none for another program, and where they cannot be told from the script's. */
export function runtimeOptionsOf(executable: string | null, args: readonly string[]): string[] {
  if (!isNode(executable)) return [];
  const command = parseNodeCommand(args);
  if (command === null) return [];
  const { options } = command;
  // Node watches when it is given a path to watch.
  return options.includes("--watch-path") && !options.includes("--watch")
    ? [...options, "--watch"]
    : [...options];
}

/** Code in place of tests; Node refuses most of them beside `--test`, and none of them is a run of tests. */
const otherModes = [
  "-c",
  "-e",
  "-h",
  "-i",
  "-p",
  "-pe",
  "-v",
  "--build-snapshot",
  "--check",
  "--eval",
  "--help",
  "--interactive",
  "--print",
  "--run",
  "--version",
  "--watch",
];

/** `node --test`, and not one that is meant to go on (`--watch`). */
export function isTestRun(runtimeOptions: readonly string[]): boolean {
  return runtimeOptions.includes("--test") && !otherModes.some((mode) => runtimeOptions.includes(mode));
}

const ownReporters = new Set(["spec", "tap", "dot", "junit", "lcov"]);

/**
 * Whether its result goes somewhere besides its standard output and error: into a file that
 * `--test-reporter-destination` names, or wherever a reporter that is not Node's own sends it.
 */
export function reportsElsewhere({ options, values }: NodeCommand): boolean {
  return options.some((option, at) => {
    const value = values[at] ?? "";
    if (option === "--test-reporter-destination") return value !== "stdout" && value !== "stderr";
    return option === "--test-reporter" && !ownReporters.has(value);
  });
}
