import type { ControlPlane } from "../controlPlane";
import { ApiError, request, requestObject } from "../request";
import type { DemoCase, Manifest, Verdict } from "./cases";
import type { DemoImages } from "./images";
import { mainObjection, shortMessage } from "./refusal";
import { type ReportRow, waitForRows } from "./reports";
import type { StackName } from "./settings";

/** Collection of each kind that the cases use. */
const collections: Record<string, (namespace: string) => string> = {
  Pod: (namespace) => `/api/v1/namespaces/${namespace}/pods`,
  Deployment: (namespace) => `/apis/apps/v1/namespaces/${namespace}/deployments`,
  CronJob: (namespace) => `/apis/batch/v1/namespaces/${namespace}/cronjobs`,
};

export const collectionOf = (kind: string, namespace: string): string => collections[kind]!(namespace);

interface Created {
  metadata: { uid: string; name: string };
  spec: { containers?: { image: string }[] };
}

/** What the API server answered to one case. */
export interface Attempt {
  readonly demoCase: DemoCase;
  readonly name: string;
  readonly created?: Created;
  /** The whole refusal. */
  readonly refusal?: string;
}

/** What came of a case, with the reports' word. */
export interface Outcome {
  readonly demoCase: DemoCase;
  readonly verdict: Verdict;
  readonly asExpected: boolean;
  readonly short: string;
  readonly full: string;
  readonly rows: readonly ReportRow[];
}

export async function attempt(
  plane: ControlPlane,
  demoCase: DemoCase,
  images: DemoImages,
  stack: StackName,
): Promise<Attempt> {
  const name = `${demoCase.id}-${stack}`;
  const object = demoCase.make(images, name);
  const manifest: Manifest = { ...object, metadata: { ...object.metadata, namespace: demoCase.namespace } };
  try {
    const path = collectionOf(manifest.kind, demoCase.namespace);
    return { demoCase, name, created: await requestObject<Created>(plane.client, "POST", path, manifest) };
  } catch (error) {
    if (error instanceof ApiError) return { demoCase, name, refusal: error.message };
    throw error;
  }
}

/** Tries every case, then waits for the reports about what was admitted. */
export async function tryAll(
  plane: ControlPlane,
  cases: readonly DemoCase[],
  images: DemoImages,
  stack: StackName,
  beforeReports: () => void = () => {},
): Promise<Outcome[]> {
  const attempts: Attempt[] = [];
  for (const demoCase of cases) attempts.push(await attempt(plane, demoCase, images, stack));
  beforeReports();
  const wanted = attempts.flatMap(({ demoCase, created }) => {
    const { policy, verdict } = demoCase.expected[stack];
    if (!created || !policy || verdict === "refused") return [];
    return [{ uid: created.metadata.uid, policy, result: verdict === "reported" ? "fail" : "pass" } as const];
  });
  const remind = async (uid: string) => {
    const one = attempts.find(({ created }) => created?.metadata.uid === uid);
    if (!one) return;
    const { kind } = one.demoCase.make(images, one.name);
    const path = `${collectionOf(kind, one.demoCase.namespace)}/${one.name}`;
    const again = { metadata: { labels: { "looked-at": "again" } } };
    await request(plane.client, "PATCH", path, again, "application/merge-patch+json");
  };
  const rows = await waitForRows(plane, wanted, { remind });
  return attempts.map((one) => outcome(one, rows, stack));
}

function outcome({ demoCase, created, refusal }: Attempt, all: readonly ReportRow[], stack: StackName): Outcome {
  const expected = demoCase.expected[stack];
  const rows = created ? all.filter(({ uid }) => uid === created.metadata.uid) : [];
  const failed = rows.filter(({ result }) => result === "fail" || result === "error");
  // Several policies may report one image; the one that the case is about speaks.
  const main = failed.find(({ policy }) => policy === expected.policy) ?? failed[0];
  const verdict: Verdict = created ? (main ? "reported" : "admitted") : "refused";
  const objection = refusal === undefined ? undefined : mainObjection(refusal);
  const passed = rows.some(({ policy, result }) => policy === expected.policy && result === "pass");
  const policy = objection?.policy ?? main?.policy ?? (passed ? expected.policy : undefined);
  const text = refusal ?? main?.message ?? "";
  return {
    demoCase,
    verdict,
    asExpected:
      verdict === expected.verdict && policy === expected.policy && (!expected.says || expected.says.test(text)),
    short: shortOf(created, objection?.message ?? refusal ?? main?.message, policy),
    full: refusal ?? failed.map((f) => `${f.policy}, ${f.rule}: ${f.message.trim()}`).join("\n"),
    rows,
  };
}

function shortOf(created: Created | undefined, text: string | undefined, policy: string | undefined): string {
  if (text !== undefined) return shortMessage(text);
  if (policy === undefined) return "nobody looked";
  const digest = /:[^@/]+@(sha256:[0-9a-f]{12})/.exec(created?.spec.containers?.[0]?.image ?? "")?.[1];
  return digest ? `verified; tag pinned to ${digest}` : "verified";
}

/** Removes what a stack's cases left, so that the next stack starts with empty namespaces. */
export async function removeAll(plane: ControlPlane, cases: readonly DemoCase[], stack: StackName): Promise<void> {
  for (const demoCase of cases) {
    const name = `${demoCase.id}-${stack}`;
    const { kind } = demoCase.make({} as DemoImages, name);
    await request(plane.client, "DELETE", `${collectionOf(kind, demoCase.namespace)}/${name}`, {
      propagationPolicy: "Background",
      gracePeriodSeconds: 0,
    });
  }
}
