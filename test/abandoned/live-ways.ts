/** Ways in which somebody still waits for the run, or can learn its result, or which start no test run at all. */
import type { Way } from "./way.ts";

const lost = ">/dev/null 2>&1 </dev/null &";

export const liveWays: readonly Way[] = [
  // somebody waits for it
  { name: "a shell that waits for it", script: `$N --test $T ${lost} wait`, stays: true },
  { name: "sh -c in the foreground", script: `sh -c "$N --test $T; :" >/dev/null 2>&1`, stays: true },
  {
    name: "npm test in the foreground",
    script: `$REAL npm-cli.mjs "$N --test $T" >/dev/null 2>&1`,
    stays: true,
  },
  { name: "an agent that lives", script: `exec $REAL agent.mjs $N --test $T`, stays: true },
  {
    name: "an agent that lives, detached",
    script: `DETACHED=1 exec $REAL agent.mjs $N --test $T`,
    stays: true,
  },
  {
    name: "an agent that lives, through npm",
    script: `exec $REAL agent.mjs $REAL npm-cli.mjs "$N --test $T; :"`,
    stays: true,
  },
  {
    name: "a Python wrapper that lives",
    script: `exec python3 agent.py $N --test $T`,
    stays: true,
    needs: ["python3"],
  },
  { name: "timeout in the foreground", script: `timeout 900 $N --test $T >/dev/null 2>&1`, stays: true },
  {
    name: "make in the foreground",
    script: `printf 'a:\\n\\t$N --test $T\\n' >Makefile; make -j2 a >/dev/null 2>&1`,
    stays: true,
    needs: ["make"],
  },
  // its output goes where somebody can read it
  { name: "nohup into a file", script: `nohup $N --test $T >out.log 2>&1 </dev/null &` },
  { name: "setsid and nohup into a file", script: `setsid nohup $N --test $T >out.log 2>&1 </dev/null &` },
  { name: "disowned into a file", script: `$N --test $T >>out.log 2>&1 </dev/null & disown` },
  { name: "its output alone into a file", script: `$N --test $T >out.log 2>/dev/null </dev/null &` },
  { name: "its errors alone into a file", script: `$N --test $T 2>err.log >/dev/null </dev/null &` },
  { name: "into a file, its errors closed", script: `$N --test $T >out.log 2>&- </dev/null &` },
  {
    name: "into a file that is followed",
    script: `$N --test $T >out.log 2>&1 </dev/null & tail -f out.log >/dev/null`,
    stays: true,
  },
  {
    name: "into a file whose name only looks deleted",
    script: `$N --test $T >"out (deleted)" 2>&1 </dev/null &`,
  },
  {
    name: "into a deleted file that another process has open",
    script: `exec 3<>gone; rm gone; $N --test $T >&3 2>&1 </dev/null & setsid tail -f <&3 >/dev/null 2>&1 &`,
  },
  {
    name: "npm test in the background, into a file",
    script: `setsid $REAL npm-cli.mjs "$N --test $T" >out.log 2>&1 </dev/null &`,
  },
  { name: "real node into a file", script: `setsid $REAL --test $T >out.log 2>&1 </dev/null &` },
  {
    name: "piped into tee",
    script: `{ $N --test $T 2>&1 | tee out.log >/dev/null; } </dev/null >/dev/null 2>&1 &`,
  },
  {
    name: "piped into cat, the shell has ended",
    script: `$N --test $T 2>&1 </dev/null | cat >out.log 2>&1 & disown -a`,
  },
  {
    name: "its errors alone piped into somebody",
    script: `$N --test $T 2> >(cat >err.log) >/dev/null </dev/null &`,
  },
  { name: "a process substitution", script: `$N --test $T > >(cat >out.log) 2>&1 </dev/null &` },
  {
    name: "a named pipe with a reader",
    script: `mkfifo p; setsid cat p >out.log 2>&1 </dev/null & $N --test $T >p 2>&1 </dev/null &`,
  },
  {
    name: "a named pipe in which a reader may come",
    script: `mkfifo p; exec 3<>p; $N --test $T >&3 2>&1 3>&- </dev/null &`,
  },
  {
    name: "a runner that reads its pipe, and did not start it itself",
    script: `exec $REAL agent.mjs sh -c '$N --test $T </dev/null & exit 0'`,
    stays: true,
  },
  {
    name: "the same in Python, with a real pipe",
    script: `exec python3 agent.py sh -c '$N --test $T </dev/null & exit 0'`,
    stays: true,
    needs: ["python3"],
  },
  {
    name: "a shell that holds the other end of its pipe",
    script: `exec 7< <( (exec $N --test $T 2>&1 </dev/null &) ); sleep 900`,
    stays: true,
  },
  {
    name: "a TCP connection",
    script: `$REAL sink.mjs & until [ -s port ]; do sleep 0.1; done; (exec 3>/dev/tcp/127.0.0.1/$(cat port); $N --test $T >&3 2>&1 </dev/null &); wait`,
    stays: true,
  },
  { name: "a device", script: `$N --test $T >/dev/full 2>/dev/null </dev/null &` },
  // a terminal that is there
  {
    name: "script(1)",
    script: `script -qc "$N --test $T" out.log </dev/null >/dev/null 2>&1`,
    stays: true,
    needs: ["script"],
  },
  {
    name: "in the background of a terminal",
    script: `script -qc "bash -c '$N --test $T & sleep 900'" /dev/null </dev/null >/dev/null 2>&1`,
    stays: true,
    needs: ["script"],
  },
  {
    name: "without its parent, in a terminal that lives",
    script: `script -qc "bash -c '($N --test $T &); sleep 900'" /dev/null </dev/null >/dev/null 2>&1`,
    stays: true,
    needs: ["script"],
  },
  {
    name: "without its parent, its terminal lives and its output is thrown away",
    script: `script -qc "bash -c '($N --test $T ${lost}); sleep 900'" /dev/null </dev/null >/dev/null 2>&1`,
    stays: true,
    needs: ["script"],
  },
  {
    name: "a detached tmux pane",
    script: `tmux -S $PWD/t -f /dev/null new -d "$N --test $T"; sleep 900`,
    stays: true,
    needs: ["tmux"],
  },
  {
    name: "the background of a tmux pane",
    script: `tmux -S $PWD/t -f /dev/null new -d "bash -c '$N --test $T & sleep 900'"; sleep 900`,
    stays: true,
    needs: ["tmux"],
  },
  // its reporter has a destination
  {
    name: "a reporter's file",
    script: `$N --test --test-reporter=junit --test-reporter-destination=r.xml $T ${lost}`,
  },
  {
    name: "a reporter's file as an argument of its own",
    script: `$N --test --test-reporter tap --test-reporter-destination r.tap $T ${lost}`,
  },
  {
    name: "a reporter's file, written with underscores",
    script: `$N --test_reporter=tap --test_reporter_destination=r.tap --test $T ${lost}`,
  },
  {
    name: "a reporter's file by NODE_OPTIONS",
    script: `NODE_OPTIONS=--test-reporter-destination=r.tap $N --test $T ${lost}`,
  },
  { name: "a reporter of one's own", script: `$N --test --test-reporter ./to-the-server.mjs $T ${lost}` },
  {
    name: "two reporters, the second with a file",
    script: `$N --test --test-reporter=spec --test-reporter-destination=stdout --test-reporter=lcov --test-reporter-destination=c.info $T ${lost}`,
  },
  // it is meant to go on
  { name: "--watch", script: `$N --test --watch $T ${lost}` },
  { name: "--watch in front", script: `$N --watch --test $T ${lost}` },
  // no test run at all
  { name: "a script's own flag", script: `nohup $N bot.js --test $T ${lost}` },
  {
    name: "a script's own flag, its output into a pipe that nobody reads",
    script: `( setsid $N bot.js --test $T 2>&1 </dev/null & ) | sleep 0.1`,
  },
  {
    name: "--watch, its output into a pipe that nobody reads",
    script: `( setsid $N --test --watch $T 2>&1 </dev/null & ) | sleep 0.1`,
  },
  { name: "a script's own flag behind --", script: `$N -- bot.js --test $T ${lost}` },
  { name: "a script's own flag behind a preloaded module", script: `$N -r ./x.cjs bot.js --test $T ${lost}` },
  {
    name: "a script's own flag behind an option with a value",
    script: `$N --env-file .env --title bot bot.js --test $T ${lost}`,
  },
  {
    name: "a script's own flag behind an option nobody knows",
    script: `$N --brand-new value --test $T ${lost}`,
  },
  { name: "--test taken back", script: `$N --test --no-test $T ${lost}` },
  { name: "the value of another option", script: `$N --require --test $T ${lost}` },
  { name: "a part of a word", script: `$N --test-only $T ${lost}` },
  { name: "code of an option", script: `$N -e '' --test $T ${lost}` },
  { name: "standard input", script: `$N - --test $T ${lost}` },
  {
    name: "a command-line program with a node shebang",
    script: `cp cli.mjs cli; chmod 755 cli; nohup ./cli --test $T ${lost}`,
  },
  { name: "a program of another name", script: `cp $N ./worker; ./worker --test $T ${lost}` },
  {
    name: "a test of a run that is gone",
    script: `$REAL $T ${lost}`,
    env: { NODE_TEST_CONTEXT: "child-v8" },
  },
  // a wrapper that does something with the result
  {
    name: "a CI script",
    script: `printf '%s\\n' "$N --test $T" 'echo $? >result' >ci.sh; setsid bash ci.sh ${lost}`,
  },
  {
    name: "a shell that writes the result down",
    script: `setsid sh -c "$N --test $T; echo \\$? >result" ${lost}`,
  },
  { name: "a subshell that writes the result down", script: `( $N --test $T; echo $? >result ) ${lost}` },
  { name: "a shell that goes on to deploy", script: `setsid sh -c "$N --test $T && ./deploy.sh" ${lost}` },
  {
    name: "a shell that takes the output",
    script: `setsid sh -c 'x=$('"$N --test $T"'); echo $x >result' ${lost}`,
  },
  { name: "a shell with another child", script: `setsid sh -c "sleep 900 & $N --test $T; :" ${lost}` },
  { name: "a loop", script: `setsid sh -c "while :; do $N --test $T; done" ${lost}` },
  {
    name: "a shell whose own output goes into a file",
    script: `setsid sh -c "$N --test $T >/dev/null 2>&1; echo done" >out.log 2>&1 </dev/null &`,
  },
  { name: "xargs", script: `echo $T | setsid xargs $N --test >/dev/null 2>&1 &` },
  {
    name: "make in the background",
    script: `printf 'a:\\n\\t$N --test $T\\n' >Makefile; setsid make -j2 a ${lost}`,
    needs: ["make"],
  },
  {
    name: "a Python wrapper that throws the output away",
    script: `setsid python3 agent.py $N --test $T ${lost}`,
    needs: ["python3"],
  },
  { name: "a Node wrapper in the background", script: `setsid $REAL agent.mjs $N --test $T ${lost}` },
  // a job of somebody
  { name: "GitHub Actions", script: `$N --test $T ${lost}`, env: { GITHUB_ACTIONS: "true", CI: "true" } },
  { name: "GitLab", script: `$N --test $T ${lost}`, env: { GITLAB_CI: "true" } },
  { name: "Jenkins", script: `$N --test $T ${lost}`, env: { JENKINS_URL: "http://ci.example" } },
  { name: "some CI", script: `$N --test $T ${lost}`, env: { CI: "1", CI_COMMIT_SHA: "0123abc" } },
  {
    name: "cron without systemd",
    script: `exec env -i N=$N T=$T HOME=$HOME LOGNAME=dev SHELL=/bin/sh PATH=$PATH sh -c '${"$N"} --test $T ${lost}'`,
  },
  {
    name: "a container's first process",
    script: `unshare --pid --fork $N --test $T ${lost} echo $! >killed.pid`,
    kill: "killed.pid",
    needs: ["unshare"],
    root: true,
  },
  {
    name: "a process of a container",
    script: `setsid unshare --pid --fork sh -c "$N --test $T ${lost} sleep 900" ${lost}`,
    needs: ["unshare"],
    root: true,
  },
];
