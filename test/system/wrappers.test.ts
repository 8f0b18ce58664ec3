import { describe, expect, it } from "vitest";
import { agentName } from "../../src/system/agents.ts";
import { isMereWrapper } from "../../src/system/wrappers.ts";

const child = { name: "node", executable: "node", arguments: ["node", "--test", "a.test.mjs"] };
const program = (executable: string, ...args: string[]) => ({
  name: executable,
  executable,
  arguments: args,
});
const shell = (command: string) => program("dash", "sh", "-c", command);

describe("does nothing but wait for what it started", () => {
  it.each([
    shell("node --test"),
    shell("node --test; :"),
    shell("node --test && echo done"),
    shell("tsc -p . && node --test"),
    shell("FOO=1 exec node --test || true"),
    shell("node --test 2>&1 >/dev/null; exit $?"),
    shell("node --test a && node --test b"),
    shell("npm test; true"),
    program("bash", "bash", "-lc", "node --test; :"),
    program(
      "bash",
      "bash",
      "-c",
      "-l",
      "source /root/.claude/s.sh && eval 'node --test' \\< /dev/null && pwd -P >| /tmp/claude-1f-cwd",
    ),
    program("bash", "bash", "-o", "pipefail", "-c", "node --test; :"),
    program("node", "npm test"),
    program("node", "node", "/usr/lib/node_modules/npm/bin/npm-cli.js", "test"),
    program("node", "node", "/x/node_modules/.bin/pnpm", "test"),
    program("node", "node", "/x/node_modules/tsx/dist/cli.mjs", "--test"),
    program("node", "node", "--run", "test"),
    program("timeout", "timeout", "600", "node", "--test"),
    program("bun", "bun", "run", "test"),
    program("time", "time", "node", "--test"),
  ])("$arguments", (one) => expect(isMereWrapper(one, child)).toBe(true));
});

describe("may do something of use afterwards", () => {
  it.each([
    shell("node --test > log; :"),
    shell("node --test; echo $? > result"),
    shell("node --test; ./deploy.sh"),
    shell("node --test && npm publish"),
    shell("node --test | tee log"),
    shell("x=$(node --test); echo $x"),
    shell("x=`node --test`; :"),
    shell("node --test & wait"),
    shell("while :; do node --test; done"),
    shell("if node --test; then :; fi"),
    shell("(node --test; :)"),
    shell("trap 'curl x' EXIT; node --test"),
    shell("echo nothing that runs"),
    program("dash", "sh", "ci.sh"),
    program("bash", "bash"),
    program("bash", "-bash"),
    program("bash", "bash", "-i", "-c", "node --test; :"),
    program("node", "node", "ci.mjs"),
    program("node", "node", "--test", "all.test.mjs"),
    program("node", "node", "/x/node_modules/nodemon/bin/nodemon.js"),
    program("python3.11", "python3", "run.py"),
    program("make", "make", "test"),
    program("time", "time", "-o", "times", "node", "--test"),
    program("xargs", "xargs", "node", "--test"),
    { ...shell("node --test"), executable: null },
  ])("$arguments", (one) => expect(isMereWrapper(one, child)).toBe(false));
});

describe("a coding agent", () => {
  const seen = (name: string, executable: string | null, ...args: string[]) =>
    agentName({ name, executable, arguments: args });
  it("by its executable, its title, its script", () => {
    expect(seen("claude", "claude", "claude")).toBe("claude");
    expect(seen("claude", "node", "claude")).toBe("claude");
    expect(seen("node", "node", "node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js")).toBe(
      "claude",
    );
    expect(seen("node", "node", "node", "/home/dev/.local/bin/claude")).toBe("claude");
    expect(seen("2.0.14", "2.0.14", "/home/dev/.local/bin/claude", "-p")).toBe("claude");
    expect(seen("codex", "codex", "codex", "exec")).toBe("codex");
    expect(seen("codex-x86_64-un", "codex-x86_64-unknown-linux-musl", "codex")).toBe("codex");
  });
  it("nothing else", () => {
    expect(seen("node", "node", "node", "server.js", "claude")).toBeNull();
    expect(seen("bash", "bash", "bash", "-c", "claude")).toBeNull();
    expect(seen("vim", "vim.basic", "vim", "codex.md")).toBeNull();
    expect(seen("node", null)).toBeNull();
  });
});
