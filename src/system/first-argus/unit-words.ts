/** Which unit a sentence of the first Argus names. Most words before "is down" are prose, and no unit. Pure. */

const quotes = "[\"'\\u0060]";
const name = "([A-Za-z][A-Za-z0-9_.@-]{1,63})";
const adverb = "(?:now|again|still|currently|completely|been|repeatedly|suddenly|unexpectedly|no longer)";
const state = String.raw`(?:down|inactive|failed|failing|crashed|crashing|stopped|exited|dead|died|unreachable|unresponsive|unavailable|missing|not (?:running|active|responding|answering|up|reachable)|no longer (?:running|active|up))\b`;
const become = String.raw`(?:(?:is|was|has|are|went|keeps|became|appears|seems|remains|entered|${adverb})\s+){0,3}`;
const noun = "(?:service|unit|daemon)";

const quotedName = new RegExp(
  String.raw`\b${noun}:?\s+${quotes}${name}${quotes}|${quotes}${name}${quotes}\s+(?:${noun}\b|${become}${state})`,
  "i",
);
const patterns = [
  // service nginx is down, Service nginx: inactive, Service nginx (pid 4411) died
  new RegExp(
    String.raw`\b${noun}:?\s+(?:named\s+|called\s+)?${name}(?:\s+\(pid \d+\))?:?\s+${become}${state}`,
    "gi",
  ),
  // nginx service is down
  new RegExp(String.raw`(?<![\w./@-])${name}\s+${noun}:?\s+${become}${state}`, "gi"),
  // nginx is down
  new RegExp(
    String.raw`(?:^|[:;,(]\s*)${name}:?\s+(?:${become}(?!failed|failing|missing|unavailable)${state}|(?:is|was|has|keeps|entered)\s+${become}${state})`,
    "gi",
  ),
];

/** @returns undefined where none is clearly named. */
export function unitIn(text: string): string | undefined {
  const quoted = quotedName.exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2];
  for (const pattern of patterns)
    for (const match of text.matchAll(pattern)) {
      const found = (match[1] ?? "").replace(/[.-]+$/, "");
      // A sentence begins with a capital.
      const word = /^[A-Z][a-z0-9_.@-]+$/.test(found) ? found.toLowerCase() : found;
      if (isUnitWord(word)) return word;
    }
  return undefined;
}

function isUnitWord(word: string): boolean {
  const lower = word.toLowerCase();
  if (stopWords.has(lower)) return false;
  return (
    /[\d@._-]/.test(word) || known.has(lower) || !/(?:ly|ed|ing|ness|tion|sion|ment|ity|able)$/.test(lower)
  );
}

/** They end as words of prose do. */
const known = new Set(["memcached", "named", "embed"]);

const stopWords = new Set(
  `a about account accounts active activity after again agent agents alert alerts all also although an and another any
  api app application applications appears appear apps are argument as at auth availability backend backup backups bad because been
  before being both broker browser but by cache caches can cause check checker checks client clients cluster code
  component components config configuration connection connections connectivity container containers core could
  cpu crash crashed critical cron current currently dashboard data database db default degraded dependencies
  dependency dependent deploy detected detection device disk dns down download each either else endpoint endpoints error
  errors every everything exit external external-facing fail failed failure failures few file files first for from
  frontend gateway group had has have health healthcheck health-check heartbeat host hosts how however http https in
  inactive instance instances internal internet interruption into is issue issues it its itself job jobs just key last
  latency least like link live load local log login logs machine mail main manager many may memory mesh message
  might missing mode monitor monitored monitors more most mount much must my name names near network never new no node
  nodes none nor not nothing now of off often old on once one only or other others our out out-of-memory outage outages
  over own page pages partially peer performance perhaps pid pids pipeline pod port ports primary probably problem process
  processes program project proxy quality queue queues recovery remote remains request requests resource response restart
  restarts rest result root rule rules run running same script scripts second secondary seem seems server servers service
  services session sessions several share she shell should side sign since site sites slow so socket sockets some
  something soon start starts startup state status still stop stopped stops storage stream subsystem such suddenly sync
  system systems target task tasks test tests than that the their them then there these they thing things third this
  those three though thread threads time timeout timer times to today too traffic two type unavailable under unhealthy
  unit unit-test units unresponsive until up update upstream uptime url us usage use user users very via was watchdog watcher
  we web website were what when where whether which while who why will with without worker workers would yet you your
  discovery downtime likely logic overnight pressure`.split(/\s+/),
);
