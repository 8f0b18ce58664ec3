import { expect, it } from "vitest";
import { explainProblem } from "../../src/report/explain-problem.ts";
import { cycle } from "./cycles.ts";
import * as views from "./views.ts";

const plain = { color: false, unicode: true, width: 100 };

it.each([
  ["of one second, as when a unit fails and wakes Argus twice", "2026-11-21T00:00:05Z"],
  ["of a clock that was set back by an hour", "2026-11-20T23:00:00Z"],
])("tells cycles in the order in which they happened: %s", (_, later) => {
  const opened = cycle({
    cycle: { id: "first", ts: "2026-11-21T00:00:05Z" },
    problems: { opened: [views.problemOfLife.key], resolved: [], open: [] },
  });
  const resolved = cycle({
    cycle: { id: "second", ts: later },
    problems: { opened: [], resolved: [views.problemOfLife.key], open: [] },
  });
  const text = explainProblem(views.problemOfLife.key, null, [resolved, opened], views.now, plain);
  expect(text.match(/opened|resolved/g)).toEqual(["opened", "resolved"]);
});
