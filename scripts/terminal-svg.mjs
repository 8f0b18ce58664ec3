// Turns a report with its colours (FORCE_COLOR=1 argus explain | node scripts/terminal-svg.mjs TITLE) into a picture for the README.
import { readFileSync } from "node:fs";

const colours = { 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 36: "#79c0ff" };
const [title = "argus"] = process.argv.slice(2);
const lines = readFileSync(0, "utf8").trimEnd().split("\n");
const width = Math.max(...lines.map((line) => line.replace(/\u001b\[[\d;]*m/g, "").length));
const [column, row, edge, bar] = [7.83, 18, 16, 34];
// A viewer folds plain spaces.
const escaped = (text) =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/ /g, "\u00a0");

function attributes(codes) {
  const colour = colours[codes.find((code) => colours[code] !== undefined)] ?? "#c9d1d9";
  return `fill="${colour}"${codes.includes("1") ? ' font-weight="bold"' : ""}${codes.includes("2") ? ' opacity="0.6"' : ""}`;
}

function spans(line) {
  let codes = [];
  let at = 0;
  let out = "";
  for (const part of line.split(/(\u001b\[[\d;]*m)/)) {
    const sgr = /^\u001b\[([\d;]*)m$/.exec(part);
    if (sgr !== null) codes = sgr[1] === "0" || sgr[1] === "" ? [] : sgr[1].split(";");
    else if (part !== "") {
      out += `<tspan x="${(edge + at * column).toFixed(1)}" ${attributes(codes)}>${escaped(part)}</tspan>`;
      at += part.length;
    }
  }
  return out;
}

const [w, h] = [Math.ceil(2 * edge + width * column), bar + edge + lines.length * row];
const dots = ["#ff5f56", "#ffbd2e", "#27c93f"].map(
  (fill, index) => `<circle cx="${20 + index * 18}" cy="17" r="5.5" fill="${fill}"/>`,
);
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="${escaped(title)}">
<rect width="${w}" height="${h}" rx="8" fill="#0d1117"/>
${dots.join("")}<text x="${w / 2}" y="21" fill="#8b949e" font-family="sans-serif" font-size="12" text-anchor="middle">${escaped(title)}</text>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13">
${lines.map((line, index) => `<text y="${bar + 14 + index * row}">${spans(line)}</text>`).join("\n")}
</g>
</svg>
`);
