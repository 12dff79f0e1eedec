import * as assert from "node:assert/strict";
import type { Panel } from "../../../components/monitoring/panels";
import { drawDashboard } from "../../../local/dashboardPicture";

const panel = (kind: Panel["kind"], unit: Panel["unit"] = "short"): Panel => ({
  ...{ title: "Refused & <seen>", description: "", kind, unit, queries: [] },
});
const draw = (kind: Panel["kind"], values: [number, number][], unit?: Panel["unit"]) => {
  const samples = [{ metric: { policy_name: "p" }, values }];
  return drawDashboard([{ panel: panel(kind, unit), results: [{ legend: "{{policy_name}}", samples }] }], 0, 100, "c");
};

describe("the dashboard's picture", () => {
  it("draws a line with its legend, and titles that XML can hold", () => {
    const svg = draw("timeseries", [
      [0, 0],
      [50, 2],
    ]);
    assert.match(svg, /Refused &amp; &lt;seen&gt;/);
    assert.match(svg, />p</);
    assert.match(svg, /d="M[\d.]+ [\d.]+L[\d.]+ [\d.]+"/);
  });

  it("leaves a gap where there is no data", () => {
    const values = [0, 1, 2, 60, 61].map((time): [number, number] => [time, 1]);
    assert.equal(
      draw("timeseries", values)
        .match(/d="([^"]+)"/)![1]!
        .match(/M/g)!.length,
      2,
    );
  });

  it("tabulates one moment, in the middle of the run, and not what was before or after", () => {
    const row = (mode: string, times: number[]) => ({
      metric: { policy_name: mode },
      values: times.map((time): [number, number] => [time, 1]),
    });
    const results = [
      {
        legend: "{{policy_name}}",
        samples: [row("audit", [0, 4]), row("enforce", [6, 8, 10, 12]), row("audit", [18])],
      },
    ];
    const svg = drawDashboard([{ panel: panel("table"), results }], 0, 20, "c");
    assert.match(svg, />enforce</);
    assert.doesNotMatch(svg, />audit</);
  });

  it("draws nothing of what is not a number", () => {
    const svg = draw("timeseries", [
      [0, Number.NaN],
      [1, 3],
      [2, Number.POSITIVE_INFINITY],
    ]);
    assert.ok(!/NaN|Infinity|undefined/.test(svg));
  });

  it("shows the last value of a number, and a table's rows", () => {
    assert.match(
      draw(
        "stat",
        [
          [0, 7],
          [1, 41],
        ] as [number, number][],
        "d",
      ),
      />41 days</,
    );
    assert.match(draw("table", [[0, 1]]), />p</);
  });
});
