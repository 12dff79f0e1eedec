import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

/** Kubernetes' own objects among the values: the chart hands them on whole, so anything may stand below. */
const HANDED_ON =
  /^(resources|labels|(podS|s)ecurityContext|(startup|liveness|readiness)Probe|updateStrategy|sigstoreVolume|podAntiAffinity)$/;

/** The paths of a chart's values below each top-level key, in words; `.*` marks blocks that may hold anything. */
export function chartKeys(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, pathsBelow(key, value).join(" ")]));
}

/** `""` is the key itself. */
function pathsBelow(key: string, value: unknown): string[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [""];
  const entries = Object.entries(value);
  if (entries.length === 0 || HANDED_ON.test(key)) return ["*"];
  return entries.flatMap(([child, below]) =>
    pathsBelow(child, below).map((rest) => (rest === "" ? child : `${child}.${rest}`)),
  );
}

/** What `components/posture/chartKeys.json` says of a chart folder. */
export function chartKeysOf(folder: string): { version: string; keys: Record<string, string> } {
  const read = (file: string) => parse(fs.readFileSync(path.join(folder, file), "utf8")) as Record<string, unknown>;
  return { version: String(read("Chart.yaml").version), keys: chartKeys(read("values.yaml")) };
}

/** `npm run chart-keys CHART_FOLDER`: adds or renews the keys of one version. */
if (require.main === module) {
  const file = path.join(__dirname, "..", "..", "components", "posture", "chartKeys.json");
  const { version, keys } = chartKeysOf(process.argv[2]!);
  const known = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
  fs.writeFileSync(file, `${JSON.stringify({ ...known, [version]: keys }, null, 2)}\n`);
}
