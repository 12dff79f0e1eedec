import { createHash } from "node:crypto";
import { type Report, STATES, type State } from "../result";
import { type Cell, headline, STATE_NAMES, type Table, tablesOf, trendLines } from "../tables";
import { SCRIPT } from "./script";
import { STYLE } from "./style";

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
<p class="meta">${html(report.source)} &middot; <time datetime="${html(report.madeAt)}">${html(minute(report.madeAt))}</time></p>
</header>
<main>
${cards(report)}
${share(report)}
${trend(report)}
<p class="filter" id="filter" hidden><label for="wanted">Filter all tables</label><input id="wanted" type="search" autocomplete="off"></p>
${tablesOf(report).map(section).join("\n")}
${list("What this page can't know", [...report.notRead.map(({ resource, message }) => `Not read: ${resource}: ${message}`), ...report.limits])}
</main>
<footer><p>image-signing-guard report, format ${report.version}. ${html(headline(report))}</p></footer>
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

const minute = (time: string) => time.replace(/:\d\d(\.\d+)?Z$/, " UTC").replace("T", " ");

function cards({ summary, trend: since }: Report): string {
  const { percent, violations, images, bypasses } = summary;
  const card = (value: string, label: string, tone = "") =>
    `<div class="card ${tone}"><span class="value">${html(value)}</span><span class="label">${html(label)}</span></div>`;
  const before = since && since.percentBefore !== null ? ` (${since.percentBefore}% before)` : "";
  const over = bypasses.ended + bypasses.invalid;
  return `<div class="cards">
${card(percent === null ? "none" : `${percent}%`, `of what must be signed is signed${before}`, percent === 100 ? "good" : percent === null ? "" : "bad")}
${card(String(violations), violations === 1 ? "violation" : "violations", violations > 0 ? "bad" : "good")}
${card(String(images.cannotTell + images.notJudged), "can't be told or not judged yet", images.cannotTell > 0 ? "warn" : "")}
${card(String(bypasses.running), bypasses.running === 1 ? "bypass running" : "bypasses running", bypasses.running > 0 ? "warn" : "")}
${card(String(over), over === 1 ? "bypass over, still there" : "bypasses over, still there", over > 0 ? "bad" : "")}
</div>`;
}

/** All images as one bar; the numbers stand below, for who can't see it. */
function share({ summary: { images } }: Report): string {
  const order: State[] = ["signed", "notSigned", "noSigner", "cannotTell", "notJudged"];
  const total = STATES.reduce((sum, state) => sum + images[state], 0);
  if (total === 0) return "";
  let x = 0;
  const bars = order.map((state) => {
    const width = (1000 * images[state]) / total;
    x += width;
    return `<rect class="fill-${state}" x="${(x - width).toFixed(1)}" y="0" width="${width.toFixed(1)}" height="14"/>`;
  });
  const key = (state: State) =>
    `<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="fill-${state}" width="10" height="10"/></svg>${STATE_NAMES[state]} <b>${images[state]}</b></li>`;
  return `<div class="card share">
<svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">${bars.join("")}</svg>
<ul class="legend" aria-label="Images by state">${order.map(key).join("")}</ul>
</div>`;
}

function trend(report: Report): string {
  return report.trend ? list(`Since ${minute(report.trend.since)}`, trendLines(report)) : "";
}

function list(title: string, lines: readonly string[]): string {
  return `<section><h2>${html(title)}</h2><ul>${lines.map((line) => `<li>${html(line)}</li>`).join("")}</ul></section>`;
}

function section({ name, title, header, rowName, rows, none }: Table): string {
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
  return `<section data-rows aria-labelledby="${name}">${heading}
<div class="scroll" tabindex="0" role="region" aria-labelledby="${name}"><table><caption>${html(title)}</caption>
<thead><tr>${head.join("")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div></section>`;
}

const MONOSPACED = ["IMAGE", "NAMESPACE", "WORKLOADS", "WORKLOAD", "POLICY", "POLICIES", "IMAGES"];
const TAGGED = ["STATE", "MODE", "READY"];
function cellHtml({ text, short, order, tone }: Cell, column: string, numeric: boolean, isRowName: boolean): string {
  const classes = [
    numeric ? "n" : "",
    MONOSPACED.includes(column) && !numeric ? "name" : "",
    column === "SCANNED" || column === "UNTIL" ? "time" : "",
    tone && (numeric || tone === "quiet") ? tone : "",
  ].filter(Boolean);
  const attributes = [
    classes.length > 0 ? ` class="${classes.join(" ")}"` : "",
    short === undefined ? "" : ` title="${html(text)}"`,
    order === undefined ? "" : ` data-order="${order}"`,
  ].join("");
  const content = TAGGED.includes(column)
    ? `<span class="tag ${tone ?? "quiet"}">${html(text)}</span>`
    : html(short ?? text);
  return isRowName ? `<th scope="row"${attributes}>${content}</th>` : `<td${attributes}>${content}</td>`;
}
