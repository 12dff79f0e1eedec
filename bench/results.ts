import * as fs from "node:fs";
import * as path from "node:path";
import type { Usage } from "./controller";
import { type Machine, machine } from "./machine";
import { quick } from "./quick";
import type { Kind } from "./requests";
import type { Spread } from "./stats";
import type { Variant } from "./variants";

export interface AdmissionRow {
  readonly kind: Kind;
  readonly containers: number;
  readonly parallel: number;
  /** Requests of each variant. */
  readonly samples: number;
  /** Milliseconds from the request to the answer. */
  readonly latency: Readonly<Record<Variant, Spread>>;
  /** What one request used of the admission controller; the median of the rounds. */
  readonly usage: Readonly<Record<Variant, Usage>>;
  /** Requests that were not admitted, by variant. */
  readonly failed: Readonly<Record<Variant, number>>;
}

export interface AdmissionResult {
  readonly kyverno: string;
  readonly kubernetes: string;
  readonly rounds: number;
  /** Load average of the machine before the control plane was started. */
  readonly loadBefore: number;
  readonly rows: readonly AdmissionRow[];
}

export interface EntriesRow {
  readonly entries: number;
  /** ClusterPolicies, the sum of their JSON, and the largest. */
  readonly policies: number;
  readonly sizeKiB: number;
  readonly largestKiB: number;
  /** From other policies to these in force. */
  readonly secondsToReady: number;
  /** What a Pod with one container used of the admission controller; the median of the rounds. */
  readonly usage: Usage;
}

export interface EntriesResult {
  readonly kyverno: string;
  readonly kubernetes: string;
  readonly rounds: number;
  readonly loadBefore: number;
  /** The hand-written rule on the stock chart. */
  readonly stock: Usage;
  readonly rows: readonly EntriesRow[];
}

/** What a Pod with one container used, by the median of the rounds, and how long it took, in milliseconds. */
interface Request {
  readonly usage: Usage;
  readonly p50: number;
}

export interface OthersRow {
  /** Policies of other teams in the same Kyverno. */
  readonly others: number;
  readonly stock: Request;
  readonly guard: Request;
}

export interface OthersResult {
  readonly kyverno: string;
  readonly kubernetes: string;
  readonly rounds: number;
  readonly loadBefore: number;
  readonly rows: readonly OthersRow[];
}

export interface LoadRow {
  readonly memoryLimit: string;
  readonly deployments: {
    readonly admitted: number;
    /** Refused because Kyverno did not answer in time. */
    readonly timedOut: number;
    /** Refused for any other reason. */
    readonly refused: number;
    /** Until the last Deployment was admitted, and until each had its pod. */
    readonly secondsToAdmit: number;
    readonly secondsToPods: number;
    readonly latency: Spread;
  };
  readonly pods: { readonly admitted: number; readonly seconds: number; readonly latency: Spread };
  /** Resident memory of Kyverno's admission controller. */
  readonly peaksMiB: { readonly idle: number; readonly afterDeployments: number; readonly afterPods: number };
}

export interface LoadResult {
  readonly kyverno: string;
  readonly kubernetes: string;
  readonly loadBefore: number;
  readonly deploymentCount: number;
  readonly podCount: number;
  readonly containers: number;
  readonly parallel: number;
  readonly rows: readonly LoadRow[];
}

/** The component, and what one would write without it: a Release and the same policies as CustomResources. */
export const programs = ["component", "bare"] as const;
export type ProgramName = (typeof programs)[number];

export interface ProgramResult {
  /** Medians, seconds. */
  readonly preview: number;
  readonly up: number;
  /** A preview with nothing to change. */
  readonly emptyPreview: number;
  /** What the engine counts, the component among them, without stack and provider. */
  readonly resources: number;
  /** Largest peak of resident memory of the program's process. */
  readonly memoryMiB: number;
}

export interface PulumiResult {
  readonly kyverno: string;
  readonly kubernetes: string;
  readonly plugin: string;
  readonly loadBefore: number;
  readonly rounds: number;
  readonly programs: Readonly<Record<ProgramName, ProgramResult>>;
}

/** The last measurement of each bench, kept in the repository: docs/performance.md is made from these. */
export interface Results {
  admission: AdmissionResult;
  entries: EntriesResult;
  others: OthersResult;
  load: LoadResult;
  pulumi: PulumiResult;
}

export type Saved<T> = T & { readonly date: string; readonly machine: Machine };

const folder = path.join(__dirname, "results");

export function save<Name extends keyof Results>(name: Name, result: Results[Name]): void {
  const saved = { date: new Date().toISOString().slice(0, 10), machine: machine(), ...result };
  const text = `${JSON.stringify(saved, rounded, 2)}\n`;
  if (quick) {
    console.log(`  quick run, not saved:\n${text}`);
    return;
  }
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.json`), text);
}

export function load<Name extends keyof Results>(name: Name): Saved<Results[Name]> | undefined {
  const file = path.join(folder, `${name}.json`);
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as Saved<Results[Name]>) : undefined;
}

/** A tenth is more than these numbers are worth. */
const rounded = (_key: string, value: unknown) => (typeof value === "number" ? Math.round(value * 10) / 10 : value);
