import { describeTrust, type TrustDescription } from "../../components/posture/describeTrust";
import { resolveConfig } from "../../components/resolve";
import { configFromSettings } from "../../components/settings";
import { isJson, type OutputOptions, type StackOptions } from "../options";
import { readStackSettings } from "../settings/stackSettings";
import { formatTable } from "../terminal/table";

export interface TrustOptions extends OutputOptions, StackOptions {
  stack: string;
}

/** Also of a bundle that has ended: `trust.strict` must not keep this command from showing it. */
export function trustOf(settings: Record<string, unknown>, now: Date): TrustDescription {
  const config = configFromSettings(settings);
  return describeTrust(resolveConfig({ ...config, trust: { ...config.trust, strict: false } }, { now }), now);
}

function describeTable({ root, source, anchors }: TrustDescription): string {
  const rows = anchors.map(({ use, kind, state, daysLeft, validFrom, validUntil, subject, fingerprint }) => [
    `${use} ${kind}`,
    state === "notYet" ? "not yet" : state,
    validFrom?.slice(0, 10) ?? "-",
    validUntil?.slice(0, 10) ?? "no end stated",
    daysLeft === undefined ? "-" : String(daysLeft),
    subject,
    fingerprint,
  ]);
  const header = ["ANCHOR", "STATE", "FROM", "UNTIL", "DAYS LEFT", "SUBJECT", "FINGERPRINT"];
  const heading = `trust.root: ${root}\nsource: ${source}`;
  const none = "No anchor: every signer of this stack is a key or a certificate.";
  return `${heading}\n\n${rows.length > 0 ? formatTable(header, rows) : none}`;
}

export async function runTrust(options: TrustOptions): Promise<void> {
  const json = isJson(options);
  const now = new Date();
  const trust = trustOf(readStackSettings(options.stack, options.cwd, options), now);
  process.stdout.write(
    `${json ? JSON.stringify({ version: 1, stack: options.stack, ...trust }, null, 2) : describeTable(trust)}\n`,
  );
  process.exitCode = trust.inWindow ? 0 : 1;
}
