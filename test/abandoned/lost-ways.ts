/** Ways in which a test run ends up with nobody who waits for it or can learn its result. */
import type { Way } from "./way.ts";

const lost = ">/dev/null 2>&1 </dev/null &";

export const lostWays: readonly Way[] = [
  { name: "its parent has ended, /dev/null", script: `$N --test $T ${lost}` },
  { name: "setsid, /dev/null", script: `setsid $N --test $T ${lost}` },
  { name: "nohup, /dev/null", script: `nohup $N --test $T ${lost}` },
  { name: "started by a double fork", script: `(setsid sh -c "$N --test $T & exit 0") ${lost}` },
  { name: "closed descriptors", script: `$N --test $T >&- 2>&- <&- &` },
  { name: "a deleted file", script: `$N --test $T >gone 2>&1 </dev/null & sleep 0.1; rm gone` },
  { name: "a pipe without a reader", script: `( $N --test $T 2>&1 </dev/null & ) | sleep 0.1` },
  {
    name: "a pipe without a reader, errors thrown away",
    script: `( $N --test $T 2>/dev/null </dev/null & ) | sleep 0.1`,
  },
  {
    name: "a pipe whose reader was killed",
    script: `mkfifo p; cat <p >/dev/null & echo $! >killed.pid; ( exec $N --test $T 2>&1 </dev/null ) | { echo $BASHPID >>killed.pid; exec cat >/dev/null; } & disown -a`,
    kill: "killed.pid",
  },
  {
    // It writes its first line before the pipe breaks: a write into a broken one would end it.
    name: "real node into a pipe without a reader",
    script: `( setsid $REAL --test $T 2>&1 </dev/null & ) | sleep 2`,
  },
  { name: "it ignores SIGTERM", script: `trap "" TERM; setsid $N --test $T ${lost}` },
  // agents that were killed
  {
    name: "an agent in Node was killed",
    script: `$REAL agent.mjs $N --test $T ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "an agent in Node was killed, detached run",
    script: `DETACHED=1 $REAL agent.mjs $N --test $T ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "an agent in Node was killed, real node",
    script: `$REAL agent.mjs $REAL --test $T ${lost} sleep 2; echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "an agent in Python was killed",
    script: `python3 agent.py $N --test $T ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
    needs: ["python3"],
  },
  {
    name: "an agent was killed, its shell lives on",
    script: `$REAL agent.mjs sh -c "$N --test $T; :" ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "an agent and npm were killed, the shell between them lives on",
    script: `KILL_NPM=1 $REAL agent.mjs $REAL npm-cli.mjs "$N --test $T; :" ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "an agent was killed, npm and its shell live on",
    script: `$REAL agent.mjs $REAL npm-cli.mjs "$N --test $T; :" ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "an agent was killed, npm itself lives on",
    script: `printf '{"name":"x","scripts":{"test":"$N --test $T; :"}}' >package.json; $REAL agent.mjs npm test ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
    needs: ["npm"],
  },
  {
    name: "an agent was killed, timeout lives on",
    script: `$REAL agent.mjs timeout 900 $N --test $T ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "Claude Code's own shell lives on",
    script: `$REAL agent.mjs bash -c "source /dev/null && eval '$N --test $T' \\\\< /dev/null && pwd -P >| /tmp/claude-ab12-cwd" ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
  },
  {
    name: "a script of somebody who sets CI so that nothing asks questions",
    script: "$N --test $T >/dev/null 2>&1 </dev/null &",
    env: { CI: "true" },
  },
  {
    name: "an agent that sets CI was killed",
    script: `$REAL agent.mjs $N --test $T ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
    env: { CI: "1", CLAUDECODE: "1" },
  },
  // terminals that are gone
  {
    name: "its terminal is gone",
    script: `script -qc "bash -c 'trap \\"\\" HUP; exec $N --test $T'" /dev/null </dev/null >/dev/null 2>&1 & echo $! >killed.pid; disown`,
    kill: "killed.pid",
    needs: ["script"],
  },
  {
    name: "its tmux server was killed",
    script: `tmux -S $PWD/t -f /dev/null new -d "bash -c 'trap \\"\\" HUP; exec $N --test $T'"; tmux -S $PWD/t display -p '#{pid}' >killed.pid`,
    kill: "killed.pid",
    needs: ["tmux"],
  },
  // options in front of the files
  { name: "a loader", script: `$N --import ./x.mjs --test $T ${lost}` },
  { name: "a preloaded module", script: `$N -r ./x.cjs --test $T ${lost}` },
  {
    name: "reporters that write to standard output",
    script: `$N --test --test-reporter spec --test-reporter-destination=stdout $T ${lost}`,
  },
  {
    name: "memory and underscores",
    script: `$N --max-old-space-size=512 --test_concurrency=2 --test $T ${lost}`,
  },
  { name: "an option that is newer than Argus", script: `$N --brand-new --test $T ${lost}` },
  { name: "files behind --", script: `$N --test -- $T ${lost}` },
  {
    name: "tsx",
    script: `$REAL agent.mjs $REAL $TSX --test $T ${lost} sleep 4; echo $! >killed.pid`,
    kill: "killed.pid",
  },
];
