import * as assert from "node:assert/strict";
import type { Effect, ImpactResult } from "../../../../cli/impact/result";
import { describeImpact } from "../../../../cli/impact/table";

const effect = (uses: Effect["uses"]): Effect => ({
  verdict: "refused",
  namespace: "production",
  owner: { kind: "Deployment", name: "shop" },
  image: "ghcr.io/a/b:1",
  runningDigests: [],
  place: "container",
  uses,
  mode: "enforce",
  reason: "unsigned",
  detail: "there is no signature",
  source: "registry",
});
const result = (uses: Effect["uses"]): ImpactResult => ({
  version: 1,
  kind: "impact",
  stack: "prod",
  source: "test",
  askedAt: "2026-06-01T12:00:00.000Z",
  kyverno: "v1.10.7",
  everywhere: false,
  readiness: {
    percent: 0,
    workloads: 1,
    ready: 0,
    images: { refused: 1, cannotTell: 0, bypassed: 0, reported: 0, admitted: 0 },
  },
  findings: [effect(uses)],
  notRead: [],
  notes: [],
  exitCode: 1,
});

describe("impact's table", () => {
  const cases: [uses: Effect["uses"], said: RegExp][] = [
    [
      [
        { when: "next", kind: "Deployment", count: 1, names: ["shop"] },
        { when: "next", kind: "ReplicaSet", count: 1, names: ["shop-1"] },
        { when: "running", kind: "Pod", count: 1, names: ["shop-1-a"] },
      ],
      / {2}next, running {2}/,
    ],
    [
      [
        { when: "rollback", kind: "ReplicaSet", count: 2, names: ["a", "b"] },
        { when: "running", kind: "Pod", count: 3, names: ["p"] },
      ],
      / {2}rollback to 2 ReplicaSets, running x3 {2}/,
    ],
  ];
  for (const [uses, said] of cases) it(`${said}`, () => assert.match(describeImpact(result(uses), false), said));
});
