import type { Panel } from "../components/monitoring/panels";
import type { Samples } from "./prometheus";

/** A panel with what each of its queries returned. */
export interface DrawnPanel {
  readonly panel: Panel;
  readonly results: readonly { readonly legend: string; readonly samples: readonly Samples[] }[];
}

interface Line {
  readonly name: string;
  readonly values: readonly [number, number][];
}

const COLUMNS = 2;
const WIDTH = 560;
const HEIGHT = 250;
const GAP = 12;
const COLOURS = [
  "#3b82f6",
  "#ef4444",
  "#22c55e",
  "#f59e0b",
  "#a855f7",
  "#14b8a6",
  "#ec4899",
  "#64748b",
  "#84cc16",
  "#0ea5e9",
];
const LEGEND_LINES = 6;

/** The dashboard's panels as one SVG. No browser and no Grafana: the same data, plainly drawn. */
export function drawDashboard(panels: readonly DrawnPanel[], start: number, end: number, caption: string): string {
  const rows = Math.ceil(panels.length / COLUMNS);
  const width = COLUMNS * (WIDTH + GAP) + GAP;
  const height = rows * (HEIGHT + GAP) + GAP + 28;
  const parts = panels.map((drawn, index) => {
    const x = GAP + (index % COLUMNS) * (WIDTH + GAP);
    const y = 28 + GAP + Math.floor(index / COLUMNS) * (HEIGHT + GAP);
    return `<g transform="translate(${x} ${y})">${drawPanel(drawn, start, end)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<title>${escapeXml(caption)}</title>`,
    `<rect width="${width}" height="${height}" fill="#f8fafc"/>`,
    text(GAP, 24, caption, "#334155", 13),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ panel, results }: DrawnPanel, start: number, end: number): string {
  const lines = linesOf(results);
  const frame = `<rect width="${WIDTH}" height="${HEIGHT}" rx="4" fill="white" stroke="#cbd5e1"/>${text(10, 20, panel.title, "#0f172a", 13)}`;
  if (panel.kind === "timeseries") return frame + drawLines(lines, panel.unit, start, end);
  if (panel.kind === "stat") {
    const last = lines[0]?.values.at(-1)?.[1] ?? Number.NaN;
    return frame + text(WIDTH / 2 - 70, HEIGHT / 2 + 20, format(last, panel.unit), "#16a34a", 44);
  }
  const rows = rowsAt(lines, (start + end) / 2);
  const step = Math.min(20, (HEIGHT - 56) / rows.length);
  const size = Math.min(12, Math.floor(step - 2));
  return frame + rows.map(({ name }, index) => text(16, 48 + index * step, name, "#334155", size)).join("");
}

/** A table shows one moment, as Grafana's does: what was before and after would contradict it. */
function rowsAt(lines: readonly Line[], moment: number): readonly Line[] {
  const distance = ({ values }: Line) => Math.min(...values.map(([time]) => Math.abs(time - moment)));
  const nearest = Math.min(...lines.map(distance));
  return lines.filter((line) => distance(line) === nearest);
}

function drawLines(lines: readonly Line[], unit: Panel["unit"], start: number, end: number): string {
  const legendLines = Math.min(lines.length, LEGEND_LINES);
  const box = { left: 58, top: 32, right: WIDTH - 12, bottom: HEIGHT - 26 - legendLines * 14 };
  const largest = Math.max(...lines.flatMap(({ values }) => values.map(([, value]) => value)), 0);
  const top = niceCeiling(largest);
  const x = (time: number) => box.left + ((time - start) / (end - start)) * (box.right - box.left);
  const y = (value: number) => box.bottom - (value / top) * (box.bottom - box.top);
  const grid = [0, 0.5, 1].map(
    (share) =>
      `<line x1="${box.left}" x2="${box.right}" y1="${y(top * share)}" y2="${y(top * share)}" stroke="#e2e8f0"/>${text(6, y(top * share) + 4, format(top * share, unit), "#64748b")}`,
  );
  const times = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const seconds = Math.round((end - start) * share);
    return text(
      x(start + seconds) - 12,
      box.bottom + 13,
      `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`,
      "#64748b",
    );
  });
  const curves = lines.map(({ values }, index) => {
    // A gap in the data is a gap in the line.
    const step = smallestStep(values);
    const path = values
      .map(([time, value], at) => {
        const joined = at > 0 && time - values[at - 1]![0] <= step * 1.5;
        return `${joined ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
      })
      .join("");
    return `<path d="${path}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.6"/>`;
  });
  const legend = lines.slice(0, LEGEND_LINES).map(({ name }, index) => {
    const at = box.bottom + 30 + index * 14;
    const more =
      index === LEGEND_LINES - 1 && lines.length > LEGEND_LINES ? ` (and ${lines.length - LEGEND_LINES} more)` : "";
    return `<rect x="${box.left}" y="${at - 8}" width="10" height="3" fill="${COLOURS[index % COLOURS.length]}"/>${text(box.left + 16, at - 3, name + more, "#334155", 10)}`;
  });
  return [...grid, ...times, ...curves, ...legend].join("");
}

function linesOf(results: DrawnPanel["results"]): Line[] {
  return results.flatMap(({ legend, samples }) =>
    samples.map(({ metric, values }) => ({
      name: legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ""),
      values: values.filter(([, value]) => Number.isFinite(value)),
    })),
  );
}

function smallestStep(values: readonly [number, number][]): number {
  const steps = values.slice(1).map(([time], index) => time - values[index]![0]);
  return Math.min(...steps, Number.MAX_SAFE_INTEGER);
}

function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= value) ?? value;
}

function format(value: number, unit: Panel["unit"]): string {
  if (!Number.isFinite(value)) return "-";
  const number = value >= 100 ? value.toFixed(0) : Number(value.toPrecision(2)).toString();
  if (unit === "d") return `${number} days`;
  if (unit === "s") return value > 0 && value < 1 ? `${Number((value * 1000).toPrecision(2))} ms` : `${number} s`;
  return unit === "short" ? number : `${number}/s`;
}

function text(x: number, y: number, content: string, fill: string, size = 11): string {
  return `<text x="${x}" y="${y.toFixed(1)}" fill="${fill}" font-size="${size}">${escapeXml(content)}</text>`;
}

function escapeXml(content: string): string {
  return content.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
