/** Ways in which the result of a run is learned that are not its own output, or somebody looks into it right now. */
import type { Way } from "./way.ts";

const lost = ">/dev/null 2>&1 </dev/null &";

export const learnedWays: readonly Way[] = [
  // options that stand elsewhere
  {
    name: "a reporter's file by NODE_OPTIONS, behind a name with a blank",
    script: `NODE_OPTIONS='--require "./a b.js" --test-reporter-destination=r.tap' $N --test $T ${lost}`,
  },
  {
    name: "a reporter's file with a blank, by NODE_OPTIONS",
    script: `NODE_OPTIONS='"--test-reporter-destination=r s.tap"' $N --test $T ${lost}`,
  },
  {
    name: "a reporter's file by NODE_OPTIONS in a .env file",
    script: `echo NODE_OPTIONS=--test-reporter-destination=r.tap >.env; $N --env-file=.env --test $T ${lost}`,
  },
  { name: "a file of settings", script: `$N --experimental-config-file=node.config.json --test $T ${lost}` },
  { name: "the usual file of settings", script: `$N --experimental-default-config-file --test $T ${lost}` },
  // files that it leaves
  { name: "coverage", script: `NODE_V8_COVERAGE=cov $N --test $T ${lost}` },
  { name: "a file of what failed", script: `$N --test --test-rerun-failures=state.json $T ${lost}` },
  { name: "a profile", script: `$N --cpu-prof --test $T ${lost}` },
  // descriptors besides its output
  { name: "a third descriptor into a file", script: `$N --test $T 3>result ${lost}` },
  {
    name: "a third descriptor into a pipe that is read",
    script: `{ $N --test $T 3>&1 >/dev/null 2>&1 </dev/null & } | setsid cat >out.log 2>&1 & disown -a`,
  },
  {
    name: "a shell that says the result on a third descriptor",
    script: `setsid sh -c "$N --test $T >/dev/null 2>&1; echo \\$? >&3" 3>result ${lost}`,
  },
  // what comes after it
  {
    name: "a shell that goes on to a program with an option of the same name",
    script: `setsid sh -c "$N --test $T && ./deploy.sh --test" ${lost}`,
  },
  {
    name: "a shell that goes on to a run whose reporter has a file",
    script: `setsid sh -c "$N --test $T; $N --test --test-reporter=tap --test-reporter-destination=x b.mjs" ${lost}`,
  },
  {
    name: "npm that goes on to posttest",
    script: `printf '{"name":"x","scripts":{"test":"$N --test $T","posttest":"./report.sh"}}' >package.json; setsid npm test ${lost} sleep 2`,
    needs: ["npm"],
  },
  // somebody looks into it
  {
    name: "strace",
    script: `$N --test $T ${lost} P=$!; setsid strace -f -o out.txt -p $P >/dev/null 2>&1 & sleep 1`,
    needs: ["strace"],
    root: true,
  },
  {
    name: "gdb",
    script: `$N --test $T ${lost} P=$!; setsid sh -c "sleep 900 | gdb -p $P" >/dev/null 2>&1 & sleep 2`,
    needs: ["gdb"],
    root: true,
  },
  {
    name: "a debugger that was let into the process of the tests by SIGUSR1",
    script: `$REAL --test $T ${lost} P=$!; until C=$(cat /proc/$P/task/*/children) && [ -n "$C" ]; do sleep 0.2; done; sleep 1.5; kill -USR1 $C; sleep 0.5; setsid bash -c 'exec 5<>/dev/tcp/127.0.0.1/9229; sleep 900' ${lost} sleep 0.5`,
  },
  // jobs of somebody
  { name: "a build of Jenkins", script: `$N --test $T ${lost}`, env: { BUILD_ID: "7", BUILD_NUMBER: "7" } },
  { name: "Prow", script: `$N --test $T ${lost}`, env: { PROW_JOB_ID: "7" } },
  {
    name: "Taskcluster",
    script: `$N --test $T ${lost}`,
    env: { TASKCLUSTER_ROOT_URL: "https://ci.example" },
  },
  { name: "Heroku", script: `$N --test $T ${lost}`, env: { HEROKU_TEST_RUN_ID: "7" } },
  { name: "Slurm", script: `$N --test $T ${lost}`, env: { SLURM_JOB_ID: "7" } },
  { name: "Nomad", script: `$N --test $T ${lost}`, env: { NOMAD_ALLOC_ID: "7" } },
];

/** The same as far as it goes, without anybody who learns it. */
export const unlearnedWays: readonly Way[] = [
  {
    name: "NODE_OPTIONS with a blank in a name",
    script: `NODE_OPTIONS='--require "./a b.js" --max-old-space-size=300' $N --test $T ${lost}`,
  },
  {
    name: "a shell that goes on to another run",
    script: `setsid sh -c "$N --test $T; $N --test b.mjs" ${lost}`,
  },
  {
    name: "a third descriptor into a pipe that nobody reads",
    script: `{ $N --test $T 3>&1 >/dev/null 2>&1 </dev/null & } | sleep 0.1`,
  },
  {
    name: "npm without posttest",
    script: `printf '{"name":"x","scripts":{"test":"$N --test $T"}}' >package.json; setsid npm test ${lost} sleep 2`,
    needs: ["npm"],
  },
];
