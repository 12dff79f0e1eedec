import { createHash } from "node:crypto";
import { StoredFormat } from "../signatures/formats";
import type { Found } from "./found";
import type { SignatureReport } from "./imageReport";

export function formatsOf({ layers, unread }: Found): StoredFormat[] {
  return [...new Set([...(layers.length > 0 ? [StoredFormat.CosignTag] : []), ...unread.map(({ format }) => format)])];
}

/** The signatures that were found, those that Kyverno reads first. */
export function signatureReports({ layers, unread }: Found): SignatureReport[] {
  return [
    ...layers.map(({ identity, certificate, bundle, malformed }): SignatureReport => {
      const fingerprint = certificate
        ? `sha256:${createHash("sha256").update(certificate.node.raw).digest("hex")}`
        : undefined;
      return {
        format: StoredFormat.CosignTag,
        by: identity ? "certificate" : "key",
        ...(identity ?? {}),
        ...(fingerprint ? { certificate: fingerprint } : {}),
        ...(bundle ? { loggedAt: new Date(bundle.integratedTime * 1000).toISOString() } : {}),
        ...(malformed ? { malformed } : {}),
      };
    }),
    ...unread.map(
      ({ format, identity }): SignatureReport => ({
        format,
        by: identity ? "certificate" : "unknown",
        ...(identity ?? {}),
      }),
    ),
  ];
}
