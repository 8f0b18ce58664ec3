/** Report and explanation are two tellings of one trail line: what one says, the other says too. */
import { describe, expect, it } from "vitest";
import { cycleReport } from "../../src/report/cycle-report.ts";
import { explainCycle } from "../../src/report/explain.ts";
import { tellFindings } from "../../src/report/findings.ts";
import { actionName, outcomeOf } from "../../src/report/outcome.ts";
import { modelSentence, refusalSentence } from "../../src/report/sentences.ts";
import { clean, oneLine } from "../../src/report/text.ts";
import { refusalReasons } from "../../src/types/action.ts";
import { modelAnswers, type TrailCycle } from "../../src/types/trail.ts";
import * as all from "./cycles.ts";

// Wide enough that no sentence is broken: what is compared is what is said.
const style = { width: 100_000, color: false, unicode: true };
const cycles = Object.entries(all).filter(
  (entry): entry is [string, TrailCycle] => typeof entry[1] === "object" && "findings" in entry[1],
);

/** Lines that tell what became of an action, without the time it took. */
const outcomes = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /^→ (done|would|failed|no effect|refused|held back|not needed) /.test(line))
    .map((line) => line.replace(/ \([\d.]+ s\)$/, ""));

describe.each(cycles)("%s", (_, cycle) => {
  const report = cycleReport(cycle, style);
  const explanation = explainCycle(cycle, style);
  const { groups, others } = tellFindings(cycle);

  it("every finding of the trail is told or counted, in both", () => {
    const told = groups.flatMap(({ shown, counted }) => [...shown, ...counted].map(({ finding }) => finding));
    expect(new Set(told)).toEqual(new Set(cycle.findings));
    for (const { shown, counted } of groups) {
      for (const { finding } of shown) {
        for (const text of [report, explanation])
          expect(text).toContain(clean(finding.summary, style).trim());
      }
      if (counted.length > 0)
        for (const text of [report, explanation]) expect(text).toContain(`${counted.length} more finding`);
    }
  });

  it("every action has the same outcome in both", () => {
    const told = [
      ...groups.flatMap(({ shown }) => shown.flatMap(({ actions }) => actions)),
      ...others.slice(0, 5),
    ];
    expect(outcomes(explanation).length).toBe(outcomes(report).length);
    for (const [index, line] of outcomes(report).entries()) {
      // Where the gate's last answer stands above it, the explanation does not repeat the sentence.
      expect(line.startsWith(outcomes(explanation)[index] ?? "nothing")).toBe(true);
    }
    for (const action of told) {
      const { word } = outcomeOf(action);
      const name = clean(actionName(action), style).trim();
      if (word !== "would")
        expect(outcomes(report).some((line) => line.startsWith(`→ ${word} ${name}`))).toBe(true);
      if (action.detail.trim() !== "")
        expect(report).toContain(
          clean(oneLine(action.detail), style)
            .replace(/^would /, "")
            .trim(),
        );
    }
  });

  it("whether a finding is resolved is the same in both", () => {
    const unresolved = (text: string, mark: string) => text.split(mark).length - 1;
    expect(unresolved(report, "→ unresolved: ")).toBe(unresolved(explanation, "not by its rule: "));
  });

  it("the model and every note is in both", () => {
    const model = (text: string) => /^Model +(.*)$/m.exec(text)?.[1];
    expect(model(report)).toBe(model(explanation));
    for (const note of cycle.notes)
      for (const text of [report, explanation]) expect(text).toContain(clean(note, style).trim());
  });

  it("every gate step is in the explanation, with its answer", () => {
    for (const { shown } of groups) {
      for (const { step, pass, detail } of shown.flatMap(({ actions }) =>
        actions.flatMap(({ steps }) => steps),
      )) {
        const line = explanation
          .split("\n")
          .find(
            (each) =>
              each.includes(pass ? "passed" : "refused") &&
              each.includes(clean(step, style).trim()) &&
              each.includes(clean(detail, style).trim()),
          );
        expect(line).toBeDefined();
      }
    }
  });
});

describe("an action of a problem with several findings", () => {
  it("is told with the finding that it is about", () => {
    const { groups } = tellFindings(all.twoHundred);
    for (const { finding, actions } of groups.flatMap(({ shown, counted }) => [...shown, ...counted])) {
      for (const { type, target } of actions)
        if (type === "kill_pid") expect(finding.entity?.identity).toContain(`${target}@`);
    }
  });

  it("that belongs to no finding is told besides", () => {
    const lone = all.action(all.finding({ subject: "gone" }), {
      type: "alert",
      target: null,
      detail: "told that it is over",
    });
    const cycle = { ...all.healthy, actions: [lone] };
    for (const text of [cycleReport(cycle, style), explainCycle(cycle, style)])
      expect(text).toContain("→ done alert: told that it is over");
  });
});

describe("sentences", () => {
  it("there is one of its own for each code", () => {
    const sentences = [...refusalReasons.map(refusalSentence), ...modelAnswers.map(modelSentence)];
    expect(new Set(sentences).size).toBe(refusalReasons.length + modelAnswers.length);
    for (const sentence of sentences) expect(sentence).toMatch(/\w/);
  });

  it("stand in for a refusal that has none", () => {
    const finding = all.finding();
    const bare = all.action(finding, {
      result: "skipped",
      refusal: "operator_stopped",
      verified: null,
      detail: "",
      steps: [],
    });
    expect(cycleReport({ ...all.healthy, findings: [finding], actions: [bare] }, style)).toContain(
      "→ refused restart_service openclaw-gateway (operator_stopped): somebody stopped it on purpose",
    );
  });
});
