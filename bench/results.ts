import * as fs from "node:fs";
import * as path from "node:path";
import type { AdmissionResult } from "./admission";
import type { DeploymentsResult } from "./deployments";
import { type Machine, machine } from "./machine";
import type { PulumiResult } from "./pulumi";
import { quick } from "./quick";

/** The last measurement of each bench, kept in the repository: docs/performance.md is made from these. */
export interface Results {
  admission: AdmissionResult;
  deployments: DeploymentsResult;
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
