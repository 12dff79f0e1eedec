import type { StackName } from "./settings";

/** One line of a stack's table. */
export interface PictureRow {
  readonly title: string;
  readonly namespace: string;
  readonly verdict: string;
  readonly message: string;
}

const width = 1080;
const lineHeight = 22;
const longestMessage = 74;
const columns = { mark: 24, title: 48, namespace: 300, verdict: 400, message: 500 } as const;

/** The demo's tables as the README shows them, in the colours of a light or a dark page. */
export function verdictsPicture(tables: Readonly<Partial<Record<StackName, readonly PictureRow[]>>>): string {
  let y = 0;
  const next = (lines = 1) => {
    y += lines * lineHeight;
    return y;
  };
  const text = (x: number, at: number, words: string, kind = "") =>
    `<text x="${x}" y="${at}"${kind ? ` class="${kind}"` : ""}>${escaped(words)}</text>`;
  const parts = Object.entries(tables).flatMap(([stack, rows]) => {
    const title = text(columns.mark, next(1.6), `Pulumi.${stack}.yaml`, "title");
    const head = next(1.2);
    return [
      title,
      ...(["namespace", "verdict", "message"] as const).map((name) => text(columns[name], head, name, "dim")),
      text(columns.title, head, "what is deployed", "dim"),
      ...rows.flatMap((row) => {
        const at = next();
        return [
          `<circle cx="${columns.mark + 6}" cy="${at - 5}" r="4" class="${row.verdict}"/>`,
          text(columns.title, at, row.title),
          text(columns.namespace, at, row.namespace, "dim"),
          text(columns.verdict, at, row.verdict, row.verdict),
          text(columns.message, at, cut(row.message), "dim"),
        ];
      }),
    ];
  });
  const height = y + lineHeight;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="What the dev and the prod stack admit, report and refuse">
<style>
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; }
  .title { font-weight: 700; }
  .dim { fill: #59636e; }
  text.admitted { fill: #1a7f37; } circle.admitted { fill: #1a7f37; }
  text.reported { fill: #9a6700; } circle.reported { fill: #9a6700; }
  text.refused { fill: #cf222e; } circle.refused { fill: #cf222e; }
  .background { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .dim { fill: #9198a1; }
    text.admitted { fill: #3fb950; } circle.admitted { fill: #3fb950; }
    text.reported { fill: #d29922; } circle.reported { fill: #d29922; }
    text.refused { fill: #f85149; } circle.refused { fill: #f85149; }
    .background { fill: #0d1117; }
  }
</style>
<rect class="background" width="${width}" height="${height}" rx="6"/>
${parts.join("\n")}
</svg>
`;
}

const cut = (text: string) => (text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 3)}...`);

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
