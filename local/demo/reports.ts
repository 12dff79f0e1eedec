import type { ControlPlane } from "../controlPlane";
import { ApiError, requestObject } from "../request";
import { sleep } from "../waitFor";

/** One line of a PolicyReport. */
export interface ReportRow {
  readonly uid: string;
  readonly policy: string;
  readonly rule: string;
  readonly result: "pass" | "fail" | "warn" | "error" | "skip";
  readonly message: string;
}

interface ObjectReference {
  uid?: string;
}

interface PolicyReport {
  /** 1.19 writes a report for each object, */
  scope?: ObjectReference;
  /** 1.10 one for each policy, with the objects in its results. */
  results?: {
    policy: string;
    rule: string;
    result: ReportRow["result"];
    message?: string;
    resources?: ObjectReference[];
  }[];
}

/** Every result about namespaced objects that Kyverno's reports controller has written so far. */
export async function readRows(plane: ControlPlane): Promise<ReportRow[]> {
  const { items } = await requestObject<{ items: PolicyReport[] }>(
    plane.client,
    "GET",
    "/apis/wgpolicyk8s.io/v1alpha2/policyreports",
  ).catch((error) => {
    if (error instanceof ApiError && error.status === 404) return { items: [] };
    throw error;
  });
  return items.flatMap(({ scope, results = [] }) =>
    results.flatMap(({ policy, rule, result, message = "", resources = [] }) =>
      [...resources, ...(scope ? [scope] : [])].map(({ uid = "" }) => ({ uid, policy, rule, result, message })),
    ),
  );
}

/** Reports take 30 to 70 seconds: Kyverno collects changes before it scans, and again before it writes. */
export const reportTimeoutMs = 120_000;

export interface WantedRow {
  readonly uid: string;
  readonly policy: string;
  readonly result: ReportRow["result"];
}

/**
 * Reads the reports until they have a result of each policy about each object, or the time is over. Kyverno 1.19 now and then
 * forgets an object until the next scan, an hour later; `remind` has it look at one once more, half-way.
 */
export async function waitForRows(
  plane: ControlPlane,
  wanted: readonly WantedRow[],
  { timeoutMs = reportTimeoutMs, remind }: { timeoutMs?: number; remind?: (uid: string) => Promise<void> } = {},
): Promise<ReportRow[]> {
  const start = Date.now();
  let reminded = false;
  for (;;) {
    const rows = await readRows(plane);
    const lacking = wanted.filter(
      (want) => !rows.some((f) => f.uid === want.uid && f.policy === want.policy && f.result === want.result),
    );
    if (lacking.length === 0 || Date.now() > start + timeoutMs) return rows;
    if (remind && !reminded && Date.now() > start + timeoutMs / 2) {
      reminded = true;
      for (const uid of new Set(lacking.map((one) => one.uid))) await remind(uid);
    }
    await sleep(1000);
  }
}
