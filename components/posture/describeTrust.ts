import { createPublicKey, X509Certificate } from "node:crypto";
import { TrustRoot } from "../args";
import { fingerprint, pemOf } from "./pem";
import { publicGoodSource } from "./publicGood";
import type { Resolved } from "./types";

/** One certificate or key that signatures are held against. */
export interface TrustAnchor {
  readonly use: "fulcio" | "rekor" | "ctLog";
  readonly kind: "certificate" | "key";
  readonly fingerprint: string;
  /** Subject of a certificate, address of a log. */
  readonly subject: string;
  /** ISO dates; absent where the key states no end or no start. */
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly daysLeft?: number;
  readonly state: "valid" | "notYet" | "ended";
}

export interface TrustDescription {
  readonly root: TrustRoot;
  readonly source: string;
  readonly anchors: TrustAnchor[];
  readonly inWindow: boolean;
}

const DAY_MS = 86_400_000;

/** The trust bundle of a posture with its dates, for people and for alarms. */
export function describeTrust({ posture, materials }: Resolved, now: Date): TrustDescription {
  const { trust } = posture;
  const publicGood = trust.root === TrustRoot.PublicGood;
  const source = publicGoodSource();
  const window = (validFrom: string | undefined, validUntil: string | undefined) => {
    const ended = validUntil !== undefined && Date.parse(validUntil) <= now.getTime();
    const early = validFrom !== undefined && Date.parse(validFrom) > now.getTime();
    return {
      ...(validFrom ? { validFrom } : {}),
      ...(validUntil ? { validUntil, daysLeft: Math.floor((Date.parse(validUntil) - now.getTime()) / DAY_MS) } : {}),
      state: ended ? ("ended" as const) : early ? ("notYet" as const) : ("valid" as const),
    };
  };
  const others = posture.images
    .flatMap(({ signers, attestations }) => [...signers, ...attestations.flatMap((statement) => statement.signers)])
    .flatMap((signer) => (signer.kind === "keyless" ? (signer.roots ?? []) : []));
  const certificates = [...new Set([...trust.fulcioCertificates, ...others])].map((id): TrustAnchor => {
    const certificate = new X509Certificate(pemOf(materials.pem, id));
    const [from, until] = [certificate.validFrom, certificate.validTo].map((date) => new Date(date).toISOString());
    return {
      use: "fulcio",
      kind: "certificate",
      fingerprint: fingerprint(certificate.raw),
      subject: certificate.subject.split("\n").join(", "),
      ...window(from, until),
    };
  });
  const key = (use: "rekor" | "ctLog", id: string, own: string): TrustAnchor => {
    const log = publicGood ? source.logs[use] : undefined;
    const der = createPublicKey(pemOf(materials.pem, id)).export({ type: "spki", format: "der" });
    return {
      use,
      kind: "key",
      fingerprint: fingerprint(der),
      subject: log?.url ?? own,
      ...window(log?.validFrom, log?.validUntil),
    };
  };
  const anchors = [
    ...certificates,
    ...(trust.rekor ? [key("rekor", trust.rekor.publicKey, trust.rekor.url)] : []),
    ...(trust.ctLogPublicKey ? [key("ctLog", trust.ctLogPublicKey, "trust.ctLogPublicKey")] : []),
  ];
  return {
    root: trust.root,
    source: publicGood ? `${source.name} ${source.version} (seed of ${source.mirror})` : "the stack's trust block",
    anchors,
    inWindow: anchors.every(({ state }) => state === "valid"),
  };
}
