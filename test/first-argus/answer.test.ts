/** Replies in a fence, as models write them that are asked for JSON in words; the first Argus took them. */
import { describe, expect, it } from "vitest";
import { type Answer, readAnswer } from "../../src/escalate/answer.ts";

const offered = { unresolved: [], candidates: [], source: "llm:m", confidence: 0.6 };
const reply = (assessment: string, indent?: number) =>
  JSON.stringify({ assessment, observations: [], actions: [] }, null, indent);
const read = (text: string): string => {
  const answer = readAnswer(text, offered);
  return typeof answer === "string" ? `refused: ${answer}` : (answer as Answer).assessment;
};
const fenced = (text: string, word = "json") => `\`\`\`${word}\n${text}\n\`\`\``;
const refused = "refused: the reply is not JSON, or has text around it";

describe("a reply", () => {
  it.each([
    ["is one block", fenced(reply("all is well"))],
    ["is one block over several lines", fenced(reply("all is well", 2))],
    ["has words around its block", `I looked.\n\n${fenced(reply("all is well"))}\n\nThat is all.`],
    ["has line ends of Windows", fenced(reply("all is well")).replaceAll("\n", "\r\n")],
    ["names the language in capitals", fenced(reply("all is well"), "JSON")],
    ["has a block without a language", fenced(reply("all is well"), "")],
    ["is the object alone", reply("all is well")],
  ])("that %s is read", (_, text) => expect(read(text)).toBe("all is well"));

  it.each([
    ["has two blocks", `${fenced(reply("one"))}\n${fenced(reply("two"))}`],
    ["has a second block of another kind", `${fenced(reply("one"))}\n${fenced("rm -rf /", "sh")}`],
    ["has an object before its block", `${reply("one")}\n${fenced("{")}`],
    ["has a block that is not closed", `\`\`\`json\n${reply("one")}`],
    ["has a block within a line", `so: \`\`\`json ${reply("one")} \`\`\``],
    ["has a block of another language", fenced(reply("one"), "js")],
    ["has two blocks without a language", `${fenced(reply("one"), "")}\n${fenced(reply("two"), "")}`],
    ["has no object in its block", fenced("[]")],
    ["has a fence within a line beside its block", `\`\`\`sh x\`\`\`\n${fenced(reply("one"))}`],
    [
      "hides a block in a text of its object",
      fenced(`{"assessment":"x","observations":["\`\`\`json\n${reply("two")}\n\`\`\`"],"actions":[]}`),
    ],
    ["has two objects in its block", fenced(`${reply("one")}\n${reply("two")}`)],
  ])("that %s is refused", (_, text) => expect(read(text)).toBe(refused));

  it("whose own texts hold a fence is read as the object that it is", () => {
    expect(read(reply("run ```json\n{}\n``` first"))).toContain("run ```json");
  });

  it("in a fence, whose own texts hold one too, is read as the object that it is", () => {
    expect(read(fenced(reply("run ```systemctl restart x``` first")))).toContain("systemctl");
    expect(read(fenced(reply("run\n```sh\nid\n```\nfirst")))).toContain("id");
  });

  it("in a fence is held to the same shape", () => {
    expect(read(fenced('{"assessment":"x","actions":[]}'))).toContain("has another shape");
  });
});
