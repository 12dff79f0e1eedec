import type { AdmissionResult } from "./results";
import { type Variant, variants } from "./variants";

const titles: Record<Variant, string> = {
  none: "no policy",
  stock: "hand-written, stock chart",
  hand: "hand-written, our chart",
  guard: "this package",
};

const width = 790;
const left = 210;
const right = 80;
const barHeight = 14;
const groupGap = 18;
const top = 64;

/** Bars of the median with a whisker to p95, on a logarithmic axis: the times span three powers of ten. */
export function latencyPicture({ rows }: Pick<AdmissionResult, "rows">): string {
  const most = Math.max(...rows.flatMap(({ latency }) => variants.map((variant) => latency[variant].p95)));
  const least = Math.min(...rows.flatMap(({ latency }) => variants.map((variant) => latency[variant].p50)));
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const x = (value: number) => left + ((Math.log10(value) - from) / (to - from)) * (width - left - right);
  const groupHeight = variants.length * barHeight + groupGap;
  const height = top + rows.length * groupHeight + 30;
  const ticks = Array.from({ length: to - from + 1 }, (_, at) => 10 ** (from + at));
  const parts = [
    ...ticks.flatMap((tick) => [
      `<line class="grid" x1="${n(x(tick))}" y1="${top - 6}" x2="${n(x(tick))}" y2="${height - 28}"/>`,
      `<text class="small" x="${n(x(tick))}" y="${height - 12}" text-anchor="middle">${tick < 1000 ? `${tick} ms` : `${tick / 1000} s`}</text>`,
    ]),
    ...variants.flatMap((variant, at) => [
      `<rect class="${variant}" x="${20 + at * 180}" y="34" width="12" height="12" rx="2"/>`,
      `<text class="small" x="${20 + at * 180 + 18}" y="44">${titles[variant]}</text>`,
    ]),
    ...rows.flatMap(({ kind, containers, parallel, latency }, row) => {
      const y = top + row * groupHeight;
      const label = `${kind} of ${containers}${parallel > 1 ? `, ${parallel} at once` : ""}`;
      return [
        `<text x="${left - 10}" y="${y + 32}" text-anchor="end">${label}</text>`,
        ...variants.flatMap((variant, at) => {
          const { p50, p95 } = latency[variant];
          const barTop = y + at * barHeight;
          const middle = barTop + barHeight / 2 - 1;
          return [
            `<rect class="${variant}" x="${left}" y="${barTop}" width="${n(x(p50) - left)}" height="${barHeight - 3}" rx="2"/>`,
            `<line class="whisker" x1="${n(x(p50))}" y1="${middle}" x2="${n(x(p95))}" y2="${middle}"/>`,
            `<text class="small" x="${n(x(p95) + 6)}" y="${middle + 4}">${time(p50)}</text>`,
          ];
        }),
      ];
    }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Time to admit a pod">
<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .small { font-size: 12px; }
  .title { font-weight: 600; font-size: 14px; }
  .grid { stroke: #8b949e; stroke-opacity: 0.35; }
  .whisker { stroke: #6e7781; stroke-width: 1.5; }
  .none { fill: #9aa4ae; }
  .stock { fill: #d29922; }
  .hand { fill: #bf8700; }
  .guard { fill: #2f81f7; }
  .background { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .whisker { stroke: #9aa4ae; }
    .none { fill: #6e7681; }
    .background { fill: #0d1117; }
  }
</style>
<rect class="background" width="${width}" height="${height}"/>
<text class="title" x="${left}" y="20">Time to admit a pod: median, whisker to p95</text>
${parts.join("\n")}
</svg>
`;
}

const n = (value: number) => value.toFixed(1);
const time = (ms: number) =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
