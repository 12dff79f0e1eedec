import { createHash } from "node:crypto";
import { type Report, STATES, type State } from "../result";
import {
  type Cell,
  headline,
  minute,
  nextSteps,
  STATE_NAMES,
  shareOf,
  type Table,
  tablesOf,
  trendLines,
} from "../tables";
import { SCRIPT } from "./script";
import { STYLE } from "./style";

// By the package's own name, which leads to the same file from the sources and from dist.
const { version } = require("image-signing-guard/package.json") as { version: string };

/**
 * One page that needs nothing else. Names and messages in it are other people's words, so all of it is escaped, and
 * the page forbids every script but its own and every request.
 */
export function reportHtml(report: Report): string {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const security = `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${security}">
<title>Image signing in ${html(report.source)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Image signing</h1>
<dl class="meta">
<div><dt>Cluster</dt><dd>${html(report.source)}</dd></div>
<div><dt>Made</dt><dd><time datetime="${html(report.madeAt)}">${html(minute(report.madeAt))}</time></dd></div>
<div><dt>By</dt><dd>image-signing-guard ${html(version)}</dd></div>
</dl>
</header>
<main>
${cards(report)}
${share(report)}
${list("Next steps", nextSteps(report))}
${trend(report)}
<p class="filter" id="filter" hidden><label for="wanted">Filter all tables</label><input id="wanted" type="search" autocomplete="off"></p>
${tablesOf(report).map(section).join("\n")}
${list("What this page can't know", [...report.notRead.map(({ resource, message }) => `Not read: ${resource}: ${message}`), ...report.limits])}
</main>
<footer><p>image-signing-guard ${html(version)}, report format ${report.version}. ${html(headline(report))}</p></footer>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

export function html(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in HTML.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, " ").replace(/[&<>"']/g, (char) => entities[char]!);
}

function cards({ summary, images: all, trend: since }: Report): string {
  const { percent, violations, images, bypasses } = summary;
  const { signed, wanted } = shareOf(all);
  const card = (value: string, label: string, tone = "", beside = "") =>
    `<div class="card ${tone}"><span class="value">${html(value)}${beside && ` <small>${html(beside)}</small>`}</span><span class="label">${html(label)}</span></div>`;
  const before = since && since.percentBefore !== null ? ` (${since.percentBefore}% before)` : "";
  const over = bypasses.ended + bypasses.invalid;
  return `<div class="cards">
${card(percent === null ? "none" : `${percent}%`, `of what must be signed is signed${before}`, percent === 100 ? "good" : percent === null ? "" : "bad", percent === null ? "" : `${signed} of ${wanted}`)}
${card(String(violations), violations === 1 ? "violation" : "violations", violations > 0 ? "bad" : "good")}
${card(String(images.cannotTell + images.notJudged), "can't be told or not judged yet", images.cannotTell > 0 ? "warn" : "")}
${card(String(bypasses.running), bypasses.running === 1 ? "bypass running" : "bypasses running", bypasses.running > 0 ? "warn" : "")}
${card(String(over), over === 1 ? "bypass over, still there" : "bypasses over, still there", over > 0 ? "bad" : "")}
</div>`;
}

/** Known by more than their colour: a sign in the tables and the legend, a pattern in the bar. */
const SIGNS: Record<State, string> = {
  signed: "\u2713",
  notSigned: "\u2717",
  noSigner: "\u25cb",
  cannotTell: "?",
  notJudged: "\u2013",
};
/** What is drawn in each square of the bar; written out, since the page refers to nothing, not even to itself. */
const PATTERNS: Record<State, (x: number) => string> = {
  signed: () => "",
  notSigned: (x) => `M${x} 14l14-14`,
  noSigner: (x) => `M${x} 7h14`,
  cannotTell: (x) => `M${x + 3} 4h2M${x + 10} 10h2`,
  notJudged: (x) => `M${x + 7} 0v14`,
};
const SQUARE = 14;
/** As wide as the page gets. */
const WIDEST_BAR = 1280;

function pattern(state: State, width: number): string {
  const squares = Array.from({ length: Math.ceil(width / SQUARE) }, (_, index) => PATTERNS[state](index * SQUARE));
  return squares[0] === "" ? "" : `<path class="pattern" d="${squares.join("")}"/>`;
}

const BAR_ORDER: readonly State[] = ["signed", "notSigned", "noSigner", "cannotTell", "notJudged"];

/** All images as one bar, in percent of its width, so that patterns keep their shape; the numbers stand below. */
function share({ summary: { images } }: Report): string {
  const total = STATES.reduce((sum, state) => sum + images[state], 0);
  if (total === 0) return "";
  let x = 0;
  const bars = BAR_ORDER.filter((state) => images[state] > 0).map((state) => {
    const width = (100 * images[state]) / total;
    x += width;
    const place = `x="${(x - width).toFixed(2)}%" width="${width.toFixed(2)}%" height="14"`;
    // An inner picture cuts off what is too long for it.
    return `<svg ${place}><rect class="fill-${state}" width="100%" height="14"/>${pattern(state, WIDEST_BAR)}<rect class="edge" width="2" height="14"/></svg>`;
  });
  const key = (state: State) =>
    `<li><svg viewBox="0 0 14 14" aria-hidden="true"><rect class="fill-${state}" width="14" height="14"/>${pattern(state, SQUARE)}</svg>${SIGNS[state]} ${STATE_NAMES[state]} <b>${images[state]}</b></li>`;
  return `<div class="card share">
<svg class="bar" aria-hidden="true">${bars.join("")}</svg>
<ul class="legend" aria-label="Images by state"><li>All images in use: <b>${total}</b></li>${BAR_ORDER.map(key).join("")}</ul>
</div>`;
}

function trend(report: Report): string {
  return report.trend ? list(`Since ${minute(report.trend.since)}`, trendLines(report)) : "";
}

function list(title: string, lines: readonly string[]): string {
  return `<section><h2>${html(title)}</h2><ul>${lines.map((line) => `<li>${html(line)}</li>`).join("")}</ul></section>`;
}

function section({ name, title, header, rowName, rows, none, note }: Table): string {
  const heading = `<h2 id="${name}">${html(title)}<span class="count">${rows.length}</span></h2>`;
  if (rows.length === 0) return `<section>${heading}<p class="meta">${html(none)}</p></section>`;
  const numeric = header.map((_, column) => rows.every((row) => row[column]!.order !== undefined));
  const head = header.map((text, column) => {
    const label = text.charAt(0) + text.slice(1).toLowerCase();
    return `<th scope="col"${numeric[column] ? ' class="n"' : ""}>${html(label)}</th>`;
  });
  const body = rows.map(
    (row) =>
      `<tr>${row.map((cell, column) => cellHtml(cell, header[column]!, numeric[column]!, header[column] === rowName)).join("")}</tr>`,
  );
  const said = note ? `<p class="meta note">${html(note)}</p>` : "";
  return `<section data-rows aria-labelledby="${name}">${heading}${said}
<div class="scroll" tabindex="0" role="region" aria-labelledby="${name}"><table><caption>${html(title)}</caption>
<thead><tr>${head.join("")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div></section>`;
}

/** With the sign of its state, which colours alone would not tell. */
function signed(text: string, column: string): string {
  const state = column === "STATE" && STATES.find((one) => text.replace(/, bypassed$/, "") === STATE_NAMES[one]);
  return state ? `${SIGNS[state]} ${text}` : text;
}

const MONOSPACED = ["IMAGE", "NAMESPACE", "WORKLOADS", "WORKLOAD", "POLICY", "POLICIES", "IMAGES"];
const TAGGED = ["STATE", "MODE", "READY"];
function cellHtml({ text, short, order, tone }: Cell, column: string, numeric: boolean, isRowName: boolean): string {
  const classes = [
    numeric ? "n" : "",
    MONOSPACED.includes(column) && !numeric ? "name" : "",
    column === "SCANNED" || column === "UNTIL" ? "time" : "",
    tone && (numeric || tone === "quiet" || column === "SCANNED") ? tone : "",
  ].filter(Boolean);
  const label = column.charAt(0) + column.slice(1).toLowerCase();
  const attributes = [
    // What stands over the column, where a phone shows a row as a list.
    isRowName ? "" : ` data-label="${html(label)}"`,
    classes.length > 0 ? ` class="${classes.join(" ")}"` : "",
    short === undefined ? "" : ` title="${html(text)}"`,
    order === undefined ? "" : ` data-order="${order}"`,
  ].join("");
  const content = TAGGED.includes(column)
    ? `<span class="tag ${tone ?? "quiet"}">${html(signed(text, column))}</span>`
    : html(short ?? text);
  return isRowName ? `<th scope="row"${attributes}>${content}</th>` : `<td${attributes}>${content}</td>`;
}
