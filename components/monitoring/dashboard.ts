import type { Json, Manifest } from "../kubernetes/manifest";
import { MANAGED_BY } from "../kubernetes/manifest";
import type { Posture } from "../posture/types";
import { dashboardPanels, type Panel } from "./panels";

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const COLUMNS = 2;
const WIDTH = 24 / COLUMNS;
const HEIGHT = 8;

/** The dashboard as a ConfigMap with the label that Grafana's sidecar looks for. */
export function dashboardConfigMap(posture: Posture, policies: readonly Manifest[]): Manifest {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "image-signing-guard-dashboard",
      namespace: posture.kyverno.namespace,
      labels: { ...MANAGED_BY, grafana_dashboard: "1" },
    },
    data: {
      "image-signing-guard.json": `${JSON.stringify(dashboard(dashboardPanels(posture, policies)), null, 2)}\n`,
    },
  };
}

/** Grafana's model, with no more in it than differs from its defaults. */
export function dashboard(panels: readonly Panel[]): Json {
  return {
    uid: "image-signing-guard",
    title: "Image signing guard",
    tags: ["image-signing-guard", "kyverno"],
    schemaVersion: 39,
    editable: false,
    refresh: "1m",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [{ name: "datasource", label: "Data source", type: "datasource", query: "prometheus" }],
    },
    panels: panels.map((panel, index) => ({
      id: index + 1,
      title: panel.title,
      description: panel.description,
      type: panel.kind,
      datasource: DATASOURCE,
      gridPos: {
        x: (index % COLUMNS) * WIDTH,
        y: Math.floor(index / COLUMNS) * HEIGHT,
        w: WIDTH,
        h: HEIGHT,
      },
      fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
      ...(panel.kind === "table" ? { transformations: [{ id: "labelsToFields" }, { id: "merge" }] } : {}),
      targets: panel.queries.map(({ expr, legend }, query) => ({
        refId: String.fromCharCode(65 + query),
        datasource: DATASOURCE,
        expr,
        legendFormat: legend,
        ...(panel.kind === "timeseries" ? {} : { instant: true, range: false }),
      })),
    })),
  };
}
