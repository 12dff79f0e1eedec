/** The page's look: two palettes, one layout, and paper. Colours keep a contrast of 4.5 and never speak alone. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #566173; --line: #dfe3ea; --head: #eef1f5;
  --good: #14683a; --good-back: #dff3e6; --bad: #a4161a; --bad-back: #fde4e4; --warn: #7a4b00; --warn-back: #fdeecb;
  --quiet-back: #e9ecf1; --accent: #2454b8;
  --bar-good: #2f9e5c; --bar-bad: #d6363b; --bar-warn: #e0a11b; --bar-quiet: #a9b2c0; --bar-none: #7b8798;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10141b; --card: #181e28; --ink: #e6eaf1; --soft: #9fabbd; --line: #2b3443; --head: #202836;
    --good: #7fdca4; --good-back: #12351f; --bad: #ff9d9d; --bad-back: #47181b; --warn: #f5cd74; --warn-back: #3d2e0a;
    --quiet-back: #2a3240; --accent: #8ab0ff;
    --bar-good: #38b26a; --bar-bad: #e5555a; --bar-warn: #d9a12a; --bar-quiet: #5d6a7e; --bar-none: #465164;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header, footer { max-width: 1280px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 0; }
p { margin: 0; }
.meta { color: var(--soft); overflow-wrap: anywhere; }
dl.meta { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 0; } dl.meta dt, dl.meta dd { display: inline; margin: 0; }
dl.meta dt::after { content: ": "; } dl.meta dd { color: var(--ink); }
.note { font-size: 13px; }
.cards { display: grid; grid-template-columns: 1.5fr repeat(4, 1fr); gap: 12px; margin: 24px 0 12px; }
.card, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.card { padding: 14px 16px; }
.card .value { display: block; font-size: 30px; font-weight: 650; line-height: 1.15; font-variant-numeric: tabular-nums; }
.card .label { color: var(--soft); font-size: 13px; }
.card .value small { font-size: 15px; font-weight: 500; color: var(--soft); white-space: nowrap; }
.card.good .value { color: var(--good); } .card.bad .value { color: var(--bad); } .card.warn .value { color: var(--warn); }
.share { padding: 14px 16px; margin-bottom: 12px; }
.share .bar { display: block; width: 100%; height: 14px; border-radius: 7px; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 10px 0 0; padding: 0; list-style: none; font-size: 13px; color: var(--soft); }
.pattern { fill: none; stroke: var(--card); stroke-width: 2; opacity: .75; } .edge { fill: var(--card); }
.legend svg { width: 14px; height: 14px; margin-right: 6px; vertical-align: -2px; border-radius: 2px; display: inline-block; }
.legend b { color: var(--ink); font-variant-numeric: tabular-nums; }
.fill-signed { fill: var(--bar-good); } .fill-notSigned { fill: var(--bar-bad); } .fill-cannotTell { fill: var(--bar-warn); }
.fill-noSigner { fill: var(--bar-none); } .fill-notJudged { fill: var(--bar-quiet); }
section { margin: 16px 0; overflow: hidden; }
section > h2, section > .top { padding: 14px 16px 10px; }
.top { display: flex; align-items: baseline; justify-content: space-between; gap: 12px; flex-wrap: wrap; }
.count { color: var(--soft); font-weight: 400; font-size: 14px; margin-left: 6px; }
section ul, section > p { margin: 0; padding: 0 16px 14px; } section ul { padding-left: 34px; }
section li { margin: 4px 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; vertical-align: top; padding: 7px 12px; border-top: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 16px; } th:last-child, td:last-child { padding-right: 16px; }
thead th { background: var(--head); font-weight: 600; color: var(--soft); white-space: nowrap; font-size: 12.5px; }
thead th button { all: unset; cursor: pointer; color: inherit; }
thead th button:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
thead th button::after { content: " \\2195"; opacity: .45; }
thead th[aria-sort="ascending"] button::after { content: " \\2191"; opacity: 1; }
thead th[aria-sort="descending"] button::after { content: " \\2193"; opacity: 1; }
tbody tr:hover td, tbody tr:hover th { background: color-mix(in srgb, var(--head) 55%, transparent); }
tbody th { font-weight: 400; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.quiet { color: var(--soft); }
.name { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12.5px; overflow-wrap: break-word; }
.time { min-width: 18ch; }
.tag { display: inline-block; padding: 0 8px; border-radius: 10px; font-size: 12.5px; font-weight: 550; white-space: nowrap; }
.tag.good { color: var(--good); background: var(--good-back); } .tag.bad { color: var(--bad); background: var(--bad-back); }
.tag.warn { color: var(--warn); background: var(--warn-back); } .tag.quiet { color: var(--soft); background: var(--quiet-back); }
td.time.warn { color: var(--warn); font-weight: 600; }
td.n.bad { color: var(--bad); font-weight: 600; } td.n.warn { color: var(--warn); font-weight: 600; } td.n.good { color: var(--good); }
input { font: inherit; font-size: 14px; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 5px 10px; width: 260px; max-width: 100%; }
.filter { margin: 12px 0 0; } .filter label { color: var(--soft); font-size: 13px; margin-right: 8px; }
[hidden] { display: none !important; }
footer { color: var(--soft); font-size: 13px; padding-bottom: 40px; }
@media (max-width: 900px) { .cards { grid-template-columns: repeat(2, 1fr); } main, header, footer { padding: 0 12px; } header { padding-top: 20px; } }
@media screen and (max-width: 600px) {
  table, tbody, tr, th, td { display: block; } thead { display: none; }
  table { font-size: 14px; } tbody tr { border-top: 1px solid var(--line); padding: 8px 0; } tbody tr:first-child { border-top: 0; }
  tbody th, tbody td, tbody th:first-child, tbody td:first-child { border: 0; padding: 2px 16px; overflow-wrap: anywhere; }
  tbody th { font-weight: 600; } td.n { text-align: left; }
  tbody td:empty { display: none; }
  td::before { content: attr(data-label) ": "; color: var(--soft); font: 13px system-ui, sans-serif; }
  .filter label { display: block; } input { width: 100%; }
}
@page { size: A4 landscape; margin: 12mm; }
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --head: #eee;
    --good: #14683a; --good-back: #fff; --bad: #a4161a; --bad-back: #fff; --warn: #7a4b00; --warn-back: #fff; --quiet-back: #fff;
    --bar-good: #2f9e5c; --bar-bad: #d6363b; --bar-warn: #e0a11b; --bar-quiet: #a9b2c0; --bar-none: #7b8798;
  }
  body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, header, footer { max-width: none; padding: 0; } header { padding-top: 0; }
  .cards { margin: 10px 0; grid-template-columns: 1.5fr repeat(4, 1fr); }
  .filter, thead th button::after { display: none; }
  section, .card { border-radius: 0; } section { overflow: visible; border-width: 0; }
  section > h2, section > .top { padding-left: 0; } .scroll { overflow: visible; }
  table { font-size: 8.5pt; } .name, .tag { font-size: 8pt; } .tag { padding: 0; border: 0; }
  th, td { padding: 3px 6px; } thead { display: table-header-group; } tr, li, .card { break-inside: avoid; }
  h2 { break-after: avoid; }
}
`;
