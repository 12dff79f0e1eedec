export const SEVERITIES = ["problem", "unknown", "warning", "note", "ok"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One thing that was looked at. */
export interface Finding {
  /** GROUP.CHECK; documented in docs/doctor.md, never given another meaning. */
  readonly id: string;
  readonly severity: Severity;
  readonly evidence: string;
  /** A command that mends it, ready to paste. */
  readonly fix?: string;
}

export interface DoctorReport {
  readonly version: 1;
  readonly stack?: string;
  readonly findings: readonly Finding[];
  readonly exitCode: 0 | 1 | 2;
}

export const ok = (id: string, evidence: string): Finding => ({ id, severity: "ok", evidence });

export const finding = (severity: Exclude<Severity, "ok">, id: string, evidence: string, fix?: string): Finding => ({
  id,
  severity,
  evidence,
  ...(fix ? { fix } : {}),
});

/** 1 when something is wrong, else 2 when something could not be looked at. */
export function exitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  const severities = new Set(findings.map(({ severity }) => severity));
  return severities.has("problem") ? 1 : severities.has("unknown") ? 2 : 0;
}
