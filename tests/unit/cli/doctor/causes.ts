import type { Verdict } from "../../../../cli/refusals/causes";

/**
 * Texts of Kyverno 1.10.7, of 1.19.1 where it says so, and what they are made of, each with its source: recorded, or put together from the format strings
 * at that place. One line is one case: what it means, what it says about the image, the text, where it comes from.
 * MODULES: cosign = Kyverno's fork of cosign 1.13; ggcr = go-containerregistry 0.15.2; sigstore = sigstore/sigstore 1.6.3;
 * rekor = rekor 1.1.1 with go-retryablehttp 0.7.2.
 */
export interface CauseCase {
  /** Ids of refusals.json, in the order of the text; "?" is unknown. */
  readonly means: string;
  readonly verdict: Verdict | undefined;
  readonly text: string;
  readonly source: string;
}

const PATH = ".attestors[0].entries[0].";
const keyless = (text: string) => `failed to verify image ghcr.io/a/b:1: ${PATH}keyless: ${text}`;
const keys = (text: string) => `failed to verify image ghcr.io/a/b:1: ${PATH}keys: ${text}`;
const signatures = (...lines: string[]) => keyless(`no matching signatures:\n${lines.join("\n ")}`);
const keySignatures = (...lines: string[]) => keys(`no matching signatures:\n${lines.join("\n ")}`);
const manifest = 'Get "https://ghcr.io/v2/a/b/manifests/1": ';
const ping = 'Get "https://registry.example.com/v2/": ';
const token = "https://ghcr.io/token?scope=repository%3Aa%2Fb%3Apull&service=ghcr.io";
const rekor = "https://rekor.sigstore.dev/api/v1/log/entries/retrieve";
const aws = "failed to load public key from awskms:///alias/cosign: kms get: ";
const operation = "operation error KMS: GetPublicKey, ";

const bundles = (text: string) => keyless(`failed to fetch bundles: ghcr.io/a/b:1: ${text}`);
const notated = `ghcr.io/a/b@sha256:${"1".repeat(64)}`;
const notation = (text: string) =>
  `failed to verify image ghcr.io/a/b:1: ${PATH.slice(0, -1)}: failed to verify ${notated}: ${text}`;
const notations = (...texts: string[]) =>
  notation(
    [
      "signature verification failed",
      ...texts.map((text) => `failed to verify signature with digest sha256:1, ${text}`),
    ].join("\n"),
  );

const counted =
  'admission webhook "ivpol.validate.kyverno.svc-fail-finegrained-require-signed-images" denied the request: Policy require-signed-images ';

export const CAUSES: readonly CauseCase[] = [
  // ImageValidatingPolicies of Kyverno 1.19.1.
  one(
    "no-counting-signature",
    undefined,
    `${counted}failed: no signature that counts for image ghcr.io/a/b:1: images ghcr.io/a/* must be signed by https://github.com/a/b/.github/workflows/x.yml@refs/heads/main (issuer https://i). Why it does not count, image-signing-guard check IMAGE tells`,
    "policies/cel/judges.ts",
  ),
  one(
    "not-found",
    undefined,
    `${counted}error: failed to evaluate policy: GET https://ghcr.io/v2/a/b/manifests/1: MANIFEST_UNKNOWN: Unknown manifest`,
    "recorded on 1.19.1",
  ),
  one(
    "not-found",
    undefined,
    'admission webhook "mpol.validate.kyverno.svc-fail-finegrained-verify-image-signatures" denied the request: Resource: apps/name-6, Kind: Pod, Errors: [Policy verify-image-signatures: failed to evaluate policy: failed to get image data: GET https://ghcr.io/v2/a/b/manifests/latest: MANIFEST_UNKNOWN: Unknown manifest]',
    "recorded on 1.19.1",
  ),
  one(
    "malformed-reference",
    undefined,
    `${counted}failed: invalid reference format: ghcr.io/a/B:1. Write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST.`,
    "policies/cel/judges.ts",
  ),
  // Sigstore bundles, Kyverno 1.19.1 pkg/image/verifiers/cpol/cosign.
  one(
    "no-matching-bundles",
    "notVerified",
    keyless("sigstore bundle verification failed: no matching signatures found"),
    "1.19.1 verifier.go:38",
  ),
  one("too-many-referrers", undefined, bundles("failed to fetch referrers: too many referrers found, max limit is 50")),
  one(
    "unreadable-bundle",
    undefined,
    bundles("failed to unmarshal bundle: proto: syntax error (line 1:1): unexpected x"),
  ),
  one("unreadable-bundle", undefined, bundles("layers not found")),
  one("unreadable-bundle", undefined, bundles("layer size 20000000 exceeds 10485760")),
  one("not-found", undefined, bundles("HEAD https://ghcr.io/v2/a/b/manifests/1: unexpected status code 404 Not Found")),
  one(
    "unauthorized",
    undefined,
    bundles("GET https://ghcr.io/v2/a/b/referrers/sha256:1: UNAUTHORIZED: authentication required"),
  ),
  one(
    "registry-timeout",
    undefined,
    bundles(
      `failed to fetch referrer layer: ${manifest}net/http: request canceled (Client.Timeout exceeded while awaiting headers)`,
    ),
  ),
  one(
    "update-repository",
    undefined,
    keyless(
      'failed to get trusted material: ghcr.io/a/b:1: initializing tuf: updating local metadata and targets: error updating to TUF remote mirror: tuf: failed to download timestamp.json: Get "https://tuf.example.com/timestamp.json": dial tcp: lookup tuf.example.com: no such host',
    ),
    "1.19.1 pkg/sigstoretuf:73",
  ),
  one(
    "update-repository",
    undefined,
    keyless(
      "failed to get trusted material: ghcr.io/a/b:1: error getting target trusted_root.json: tuf: no such target",
    ),
    "1.19.1 pkg/sigstoretuf:77",
  ),
  one(
    "invalid-configuration",
    undefined,
    keys("failed to get trusted material: ghcr.io/a/b:1: failed to load public key: PEM decoding failed"),
    "1.19.1 sigstore.go:251",
  ),
  // Notation: notation-go 1.0.0-rc.6 in Kyverno 1.10.7, 1.3.2 in 1.19.1.
  one(
    "no-notation-signature",
    "unsigned",
    notation(`no signature is associated with "${notated}", make sure the artifact was signed successfully`),
  ),
  one("notation-refused", "notVerified", notation("signature verification failed")),
  one(
    "notation-limit",
    undefined,
    notation("signature evaluation stopped. The configured limit of 10 signatures to verify per artifact exceeded"),
  ),
  one(
    "notation-untrusted",
    "wrongCA",
    notations("the signature's certificate chain does not contain any trusted certificate"),
  ),
  one(
    "notation-envelope notation-untrusted",
    "wrongCA",
    notations(
      "signature is invalid. Error: crypto/rsa: verification error",
      "signature is not produced by a trusted signer",
    ),
  ),
  one(
    "notation-envelope",
    "notVerified",
    notations("unable to parse the digital signature, error : invalid character 'x'"),
  ),
  one(
    "notation-expired",
    "notVerified",
    notations('digital signature has expired on "Mon, 02 Jan 2006 15:04:05 -0700"'),
  ),
  one(
    "notation-expired",
    "notVerified",
    notations(
      'verification time is after certificate "CN=team" validity period, it was expired at "Mon, 02 Jan 2006 15:04:05 -0700"',
    ),
  ),
  one("notation-revoked", "notVerified", notations('signing certificate with subject "CN=team" is revoked')),
  one(
    "notation-revocation",
    undefined,
    notations('signing certificate with subject "CN=team" revocation status is unknown'),
  ),
  one("notation-plugin", "notVerified", notations("plugin unsupported due to nil verifier.pluginManager")),
  one(
    "registry-error",
    undefined,
    notation(
      `unable to retrieve digital signature with digest "sha256:1" associated with "${notated}" from the Repository, error : GET "https://ghcr.io/v2/a/b/blobs/sha256:1": response status code 503: Service Unavailable`,
    ),
  ),
  one(
    "unauthorized",
    undefined,
    notation('GET "https://ghcr.io/v2/a/b/referrers/sha256:1": response status code 401: Unauthorized'),
    "oras-go registry/remote/errcode",
  ),
  // What its verifier says of cosign's tag format, as admission said it.
  ...(
    [
      [
        "certificate-expired",
        "notVerified",
        "checking expiry on certificate with bundle: certificate expired before observed time: 2026-11-28T19:02:13Z is before 2026-11-28T19:52:13Z",
      ],
      [
        "certificate-expired",
        "notVerified",
        "checking expiry on certificate with bundle: certificate was issued after observed time: 2026-11-29T19:52:14Z is after 2026-11-28T19:52:14Z",
      ],
      ["certificate-expired", "notVerified", "expected a signed timestamp to verify an expired certificate"],
      ["no-receipt", "notVerified", "certificate does not include required embedded SCT and no detached SCT was set"],
      [
        "untrusted-certificate",
        "wrongCA",
        'cert verification failed: x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "sigstore-local"). Check your TUF root (see cosign initialize) or set a custom root with env var SIGSTORE_ROOT_FILE',
      ],
      ["no-certificate", "wrongSigner", "empty key"],
      [
        "untrusted-log",
        "notVerified",
        "error verifying bundle: signature in bundle does not match signature being verified",
      ],
      [
        "untrusted-log",
        "notVerified",
        "error verifying bundle: comparing public key PEMs, expected -----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n, got -----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n",
      ],
      ["malformed-signature", "notVerified", "unmarshaling bundle: unexpected end of JSON input"],
      ["malformed-signature", "notVerified", "error during PEM decoding"],
      [
        "malformed-signature",
        "notVerified",
        "error verifying bundle: failed to extract key from bundle: unsupported type",
      ],
      ["no-log-entry", "notVerified", "offline verification failed"],
    ] as const
  ).map(([means, verdict, text]) =>
    one(means, verdict, keyless(`no matching signatures: ${text}`), "recorded, 1.19.1"),
  ),
  one("notation-envelope", "notVerified", notations("content descriptor mismatch"), "recorded, 1.19.1"),
  // Of Kyverno 1.13.4.
  one(
    "not-found",
    undefined,
    keyless("image tag not found: GET https://ghcr.io/v2/a/b/manifests/never: MANIFEST_UNKNOWN: Unknown manifest"),
    "recorded, 1.13.4",
  ),
  one(
    "trust-files-missing",
    undefined,
    keyless(
      'failed to load Rekor public keys: updating local metadata and targets: error updating to TUF remote mirror: tuf: failed to download 10.root.json: Get "https://tuf-repo-cdn.sigstore.dev/10.root.json": Forbidden',
    ),
    "recorded, 1.13.4",
  ),
  // Verdicts about signatures.
  one("no-matching-signatures", "unsigned", signatures(), "cosign pkg/cosign/verify.go:586"),
  one(
    "untrusted-certificate",
    "wrongCA",
    signatures("x509: certificate signed by unknown authority"),
    "crypto/x509 verify.go",
  ),
  one(
    "untrusted-certificate",
    "wrongCA",
    signatures(
      'x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "sigstore")',
    ),
    "recorded: other-certificate-authority.txt",
  ),
  one(
    "certificate-expired",
    "notVerified",
    signatures(
      "x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is after 2025-01-01T00:00:00Z",
    ),
    "crypto/x509 verify.go",
  ),
  one(
    "certificate-unusable",
    "wrongCA",
    signatures("x509: certificate specifies an incompatible key usage"),
    "crypto/x509 verify.go",
  ),
  one(
    "certificate-expired",
    "notVerified",
    signatures(
      "checking expiry on cert: certificate expired before signatures were entered in log: 2026-01-01 is before 2026-01-02",
    ),
    "cosign pkg/cosign/verify.go:914",
  ),
  one(
    "no-certificate",
    "wrongSigner",
    signatures("no certificate found on signature"),
    "cosign pkg/cosign/verify.go:601",
  ),
  one(
    "invalid-signature",
    "notVerified",
    keySignatures("invalid signature when validating ASN.1 encoded signature"),
    "sigstore pkg/signature/ecdsa.go:194",
  ),
  one("invalid-signature", "notVerified", keySignatures("crypto/rsa: verification error"), "crypto/rsa"),
  one(
    "invalid-signature",
    "notVerified",
    keySignatures("failed to verify signature"),
    "sigstore pkg/signature/ed25519.go:137",
  ),
  one(
    "invalid-signature",
    "notVerified",
    keySignatures("failed vault verification"),
    "sigstore kms/hashivault/client.go",
  ),
  one(
    "invalid-signature",
    "notVerified",
    keyless("invalid signature"),
    "kyverno pkg/cosign/cosign.go, matchSignatures",
  ),
  one(
    "other-image",
    "notVerified",
    signatures(`invalid or missing digest in claim: sha256:${"a".repeat(64)}`),
    "cosign pkg/cosign/verifiers.go:46",
  ),
  one(
    "malformed-signature",
    "notVerified",
    signatures("invalid certificate found on signature: x509: malformed certificate"),
    "cosign pkg/cosign/verify.go:172",
  ),
  one("malformed-signature", "notVerified", keySignatures("illegal base64 data at input byte 4"), "encoding/base64"),
  one(
    "untrusted-log",
    "notVerified",
    keySignatures("unable to verify bundle: rekor log public key not found for payload"),
    "cosign pkg/cosign/verify.go:638, 895",
  ),
  one(
    "untrusted-log",
    "notVerified",
    signatures("ctfe public key not found for embedded SCT"),
    "cosign fulcioverifier/ctl/verify.go:147",
  ),
  one("untrusted-log", "notVerified", signatures("no SCT found"), "cosign fulcioverifier/ctl/verify.go:139"),
  one(
    "no-log-entry",
    "notVerified",
    signatures("signature not found in transparency log"),
    "cosign pkg/cosign/tlog.go:409",
  ),
  one(
    "subject-mismatch",
    "wrongSigner",
    keyless(
      "subject mismatch: expected https://github.com/a/*, received x509: certificate signed by unknown authority",
    ),
    "kyverno pkg/cosign/cosign.go, matchCertificateData",
  ),
  one(
    "issuer-mismatch",
    "wrongSigner",
    keyless("issuer mismatch: expected https://a, received https://b"),
    "kyverno pkg/cosign/cosign.go",
  ),
  one(
    "extension-mismatch",
    "wrongSigner",
    keyless("extension mismatch: expected push for key githubWorkflowTrigger, received release"),
    "kyverno pkg/cosign/cosign.go",
  ),
  one(
    "annotations-mismatch",
    "wrongSigner",
    keyless("annotations mismatch: a does not match expected value b for key c"),
    "kyverno pkg/cosign/cosign.go",
  ),
  one(
    "no-matching-attestations",
    "notVerified",
    keyless("no matching attestations:\n"),
    "cosign pkg/cosign/verify.go:855",
  ),
  one(
    "no-matching-attestations",
    "notVerified",
    ".attestations[0].attestors[0].entries[0].keyless: attestions not found for predicate type https://slsa.dev/provenance/v1",
    "kyverno pkg/engine/internal/imageverifier.go",
  ),
  one(
    "no-matching-attestations",
    "notVerified",
    ".attestations[0].attestors[0].entries[0].keyless: attestation checks failed for ghcr.io/a/b:1 and predicate x: ",
    "kyverno pkg/engine/internal/imageverifier.go",
  ),

  // Several of them: each by its own place.
  one(
    "untrusted-certificate no-certificate",
    "wrongSigner",
    signatures("x509: certificate signed by unknown authority", "no certificate found on signature"),
    "cosign pkg/cosign/verify.go:586",
  ),
  one(
    "invalid-signature log-unreachable",
    undefined,
    keySignatures(
      "invalid signature when validating ASN.1 encoded signature",
      `searching log query: Post "${rekor}": dial tcp: lookup rekor.sigstore.dev on 10.96.0.10:53: no such host`,
    ),
    "cosign pkg/cosign/verify.go:586, tlog.go:406",
  ),
  one(
    "subject-mismatch kms-permission",
    undefined,
    `${keyless("subject mismatch: expected a, received b")}; .attestors[0].entries[1].keys: ${aws}${operation}https response error StatusCode: 400, RequestID: 1, api error AccessDeniedException: no`,
    "kyverno imageverifier.go, multierr.Combine",
  ),
  one("?", undefined, signatures("something that nobody has seen"), "none: must stay unknown"),
  one("untrusted-certificate ?", undefined, signatures("x509: certificate signed by unknown authority", "hm"), "none"),
  one("?", undefined, keyless("hm: x509: certificate signed by unknown authority"), "none"),

  // The registry: TLS, network, DNS.
  one(
    "registry-certificate",
    undefined,
    keyless(`${ping}x509: certificate signed by unknown authority`),
    "net/http, crypto/tls",
  ),
  one(
    "registry-certificate",
    undefined,
    keyless(`${ping}tls: failed to verify certificate: x509: certificate signed by unknown authority`),
    "crypto/tls since Go 1.20",
  ),
  one(
    "registry-certificate-expired",
    undefined,
    keyless(
      `${ping}x509: certificate has expired or is not yet valid: current time 2026-01-01T00:00:00Z is after 2025-01-01T00:00:00Z`,
    ),
    "crypto/x509",
  ),
  one(
    "registry-certificate-name",
    undefined,
    keyless(`${ping}x509: certificate is valid for a.example.com, not registry.example.com`),
    "crypto/x509",
  ),
  one(
    "registry-certificate-name",
    undefined,
    keyless(`${ping}x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs`),
    "crypto/x509",
  ),
  one("registry-tls", undefined, keyless(`${ping}tls: first record does not look like a TLS handshake`), "crypto/tls"),
  one("registry-tls", undefined, keyless(`${ping}remote error: tls: bad certificate`), "crypto/tls"),
  one("plain-http", undefined, keyless(`${ping}http: server gave HTTP response to HTTPS client`), "net/http"),
  one(
    "registry-certificate",
    undefined,
    keySignatures('Get "https://ghcr.io/v2/a/b/blobs/sha256:1": x509: certificate signed by unknown authority'),
    "cosign static.Copy in verifySignatures",
  ),
  one(
    "unreachable",
    undefined,
    keyless(`${ping}dial tcp 10.0.0.1:443: connect: connection refused`),
    "recorded: registry-down.txt",
  ),
  one("unreachable", undefined, keyless(`${ping}dial tcp 10.0.0.1:443: i/o timeout`), "net"),
  one("unreachable", undefined, keyless(`${ping}net/http: TLS handshake timeout`), "net/http"),
  one("unreachable", undefined, keyless(`${manifest}EOF`), "recorded: registry-reset.txt"),
  one(
    "unreachable",
    undefined,
    keyless(`${manifest}read tcp 10.0.0.2:1->10.0.0.1:443: read: connection reset by peer`),
    "net",
  ),
  one(
    "unknown-host",
    undefined,
    keyless(`${ping}dial tcp: lookup registry.example.com on 10.96.0.10:53: no such host`),
    "net",
  ),
  one("unknown-host", undefined, keyless(`${ping}dial tcp: lookup registry.example.com: i/o timeout`), "net"),
  one(
    "unknown-host",
    undefined,
    keyless(`${ping}dial tcp: lookup registry.example.com on 10.96.0.10:53: server misbehaving`),
    "net",
  ),
  one(
    "proxy",
    undefined,
    keyless(`${ping}proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection refused`),
    "net/http",
  ),
  one("proxy", undefined, keyless(`${ping}Proxy Authentication Required`), "net/http"),
  one("registry-timeout", undefined, keyless(`${manifest}context deadline exceeded`), "context"),
  one(
    "registry-timeout",
    undefined,
    keyless(
      `${manifest}net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`,
    ),
    "net/http",
  ),
  one("canceled", undefined, keyless(`${manifest}context canceled`), "context"),
  one("canceled", undefined, keyless("context canceled"), "context"),

  // The registry's answers.
  one(
    "unauthorized",
    undefined,
    keyless("GET https://ghcr.io/v2/a/b/manifests/1: UNAUTHORIZED: authentication required"),
    "ggcr transport/error.go",
  ),
  one(
    "unauthorized",
    undefined,
    keyless("GET https://ghcr.io/v2/a/b/manifests/1: unexpected status code 401 Unauthorized"),
    "ggcr transport/error.go",
  ),
  one(
    "forbidden",
    undefined,
    keyless("GET https://ghcr.io/v2/a/b/manifests/1: DENIED: requested access to the resource is denied"),
    "ggcr transport/error.go",
  ),
  one(
    "rate-limited",
    undefined,
    keyless("GET https://index.docker.io/v2/a/b/manifests/1: TOOMANYREQUESTS: You have reached your pull rate limit"),
    "ggcr transport/error.go",
  ),
  one(
    "not-found",
    undefined,
    keyless("GET https://ghcr.io/v2/a/b/manifests/1: MANIFEST_UNKNOWN: manifest unknown"),
    "recorded: unknown-tag.txt",
  ),
  one("not-found", undefined, keyless("not found"), "kyverno pkg/cosign/cosign.go, FetchAttestations"),
  one(
    "not-found",
    undefined,
    "failed to update digest: failed to fetch image reference: ghcr.io/a/b:1, error: GET https://ghcr.io/v2/a/b/manifests/1: MANIFEST_UNKNOWN: manifest unknown",
    "kyverno imageverifier.go, registryclient/client.go",
  ),
  one(
    "registry-error",
    undefined,
    keyless(
      "GET https://ghcr.io/v2/a/b/manifests/1: unexpected status code 503 Service Unavailable: no matching signatures:",
    ),
    "ggcr transport/error.go, its body",
  ),
  one(
    "registry-refuses",
    undefined,
    keyless("GET https://ghcr.io/v2/a/b/manifests/1: unexpected status code 406 Not Acceptable"),
    "ggcr transport/error.go",
  ),
  one(
    "malformed",
    undefined,
    keyless("unknown mime type: application/vnd.docker.distribution.manifest.v1+prettyjws"),
    "cosign pkg/oci/remote/remote.go:76",
  ),
  one("malformed", undefined, keyless("unexpected EOF"), "recorded: registry-malformed.txt"),
  one("malformed", undefined, keyless("invalid character '<' looking for beginning of value"), "encoding/json"),
  one(
    "malformed",
    undefined,
    keyless(`manifest digest: "sha256:1" does not match requested digest: "sha256:2" for "ghcr.io/a/b"`),
    "ggcr remote/fetcher.go:154",
  ),
  one(
    "token-unauthorized",
    undefined,
    keyless(`GET ${token}: unexpected status code 401 Unauthorized: {"details":"incorrect username or password"}`),
    "ggcr transport/bearer.go",
  ),
  one("token-forbidden", undefined, keyless(`GET ${token}: DENIED: denied`), "ggcr transport/bearer.go"),
  one(
    "token-rate-limited",
    undefined,
    keyless(`GET ${token}: unexpected status code 429 Too Many Requests`),
    "ggcr transport/bearer.go",
  ),
  one(
    "registry-error",
    undefined,
    keyless(`GET ${token}: unexpected status code 502 Bad Gateway`),
    "ggcr transport/bearer.go",
  ),
  one(
    "unknown-host",
    undefined,
    keyless(
      'Get "https://auth.docker.io/token?scope=repository%3Aa&service=registry.docker.io": dial tcp: lookup auth.docker.io: no such host',
    ),
    "ggcr transport/bearer.go",
  ),

  one(
    "token-unusable",
    undefined,
    keyless(`GET ${token}: no token in bearer response:\n<html>`),
    "ggcr transport/bearer.go:180",
  ),

  // The name of the image.
  one(
    "unparsed-reference",
    undefined,
    `failed to verify image docker.io/a:latest: ${PATH}keyless: failed to parse image docker.io/a:latest`,
    "kyverno pkg/cosign/cosign.go",
  ),
  one(
    "malformed-reference",
    undefined,
    "failed to add image information to the policy rule context: invalid image 'ghcr.io/A/b' (bad image: ghcr.io/A/b: repository name must be lowercase)",
    "kyverno policy_context.go:207, pkg/utils/api/image.go, pkg/utils/image/infos.go",
  ),

  // Keys in the cloud. Kyverno asks for most when it looks at the first signature, so behind "no matching signatures".
  one(
    "kms-region",
    undefined,
    keySignatures(`${operation}failed to resolve service endpoint, an AWS region is required, but was not found`),
    "aws-sdk-go-v2",
  ),
  one(
    "kms-credentials",
    undefined,
    keySignatures(
      `getting public key: ${operation}failed to sign request: failed to retrieve credentials: no EC2 IMDS role found`,
    ),
    "sigstore kms/aws/client.go, aws-sdk-go-v2",
  ),
  one(
    "kms-credentials",
    undefined,
    keys(
      `${aws}${operation}https response error StatusCode: 400, RequestID: 1, api error UnrecognizedClientException: The security token included in the request is invalid.`,
    ),
    "aws-sdk-go-v2",
  ),
  one(
    "kms-permission",
    undefined,
    keySignatures(
      `getting public key: ${operation}https response error StatusCode: 400, RequestID: 1, api error AccessDeniedException: User: arn:aws:sts::1:x is not authorized to perform: kms:GetPublicKey`,
    ),
    "aws-sdk-go-v2",
  ),
  one(
    "kms-not-found",
    undefined,
    keySignatures(
      `getting public key: ${operation}https response error StatusCode: 400, RequestID: 1, NotFoundException: Alias arn:aws:kms:eu-west-1:1:alias/x is not found.`,
    ),
    "aws-sdk-go-v2",
  ),
  one(
    "kms-disabled",
    undefined,
    keySignatures(
      `getting public key: ${operation}https response error StatusCode: 400, RequestID: 1, DisabledException: arn:aws:kms:eu-west-1:1:key/x is disabled.`,
    ),
    "aws-sdk-go-v2",
  ),
  one(
    "kms-unreachable",
    undefined,
    keySignatures(
      `getting public key: ${operation}https response error StatusCode: 0, RequestID: , request send failed, Post "https://kms.eu-west-1.amazonaws.com/": dial tcp: lookup kms.eu-west-1.amazonaws.com: no such host`,
    ),
    "aws-sdk-go-v2",
  ),
  one(
    "kms-reference",
    undefined,
    keys(
      "failed to load public key from awskms://x: kms get: kms specification should be in the format awskms://[ENDPOINT]/[ID/ALIAS/ARN] (endpoint optional)",
    ),
    "sigstore kms/aws/client.go",
  ),
  one(
    "kms-credentials",
    undefined,
    keys(
      "failed to load public key from gcpkms://projects/p: kms get: new gcp kms client: google: could not find default credentials. See https://cloud.google.com/docs/authentication",
    ),
    "sigstore kms/gcp/client.go",
  ),
  one(
    "kms-api-disabled",
    undefined,
    keySignatures(
      "transient error getting info from KMS: rpc error: code = PermissionDenied desc = Cloud Key Management Service (KMS) API has not been used in project 1234 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/cloudkms.googleapis.com/overview?project=1234 then retry.",
    ),
    "Google's own text behind sigstore kms/gcp/client.go:362",
  ),
  one(
    "kms-permission",
    undefined,
    keySignatures(
      "transient error getting info from KMS: rpc error: code = PermissionDenied desc = Permission 'cloudkms.cryptoKeyVersions.list' denied on resource",
    ),
    "sigstore kms/gcp/client.go:362",
  ),
  one(
    "kms-not-found",
    undefined,
    keySignatures(
      "transient error getting info from KMS: rpc error: code = NotFound desc = CryptoKey projects/p not found.",
    ),
    "sigstore kms/gcp/client.go:362",
  ),
  one(
    "kms-unreachable",
    undefined,
    keySignatures(
      'transient error getting info from KMS: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 1.2.3.4:443: i/o timeout"',
    ),
    "sigstore kms/gcp/client.go:362",
  ),
  one(
    "kms-permission",
    undefined,
    keySignatures(
      'public key: keyvault.BaseClient#GetKey: Failure responding to request: StatusCode=403 -- Original Error: autorest/azure: Service returned an error. Status=403 Code="Forbidden" Message="The user does not have keys get permission"',
    ),
    "sigstore kms/azure/client.go",
  ),
  one(
    "kms-not-found",
    undefined,
    keySignatures(
      'public key: keyvault.BaseClient#GetKey: Failure responding to request: StatusCode=404 -- Original Error: autorest/azure: Service returned an error. Status=404 Code="KeyNotFound" Message="A key with (name/id) cosign was not found"',
    ),
    "sigstore kms/azure/client.go",
  ),
  one(
    "kms-credentials",
    undefined,
    keySignatures(
      "public key: azure.BearerAuthorizer#WithAuthorization: Failed to refresh the Token for request to https://v.vault.azure.net/keys/cosign/: StatusCode=400 -- Original Error: adal: Refresh request failed. Status Code = '400'.",
    ),
    "sigstore kms/azure/client.go, go-autorest",
  ),
  one("kms", undefined, keys(`${aws}something new`), "none: whatever it is, the key could not be used"),
  one(
    "vault-address",
    undefined,
    keys("failed to load public key from hashivault://cosign: kms get: VAULT_ADDR is not set"),
    "sigstore kms/hashivault/client.go",
  ),
  one(
    "vault-denied",
    undefined,
    keys(
      "failed to load public key from hashivault://cosign: kms get: read .vault-token file: open /home/nonroot/.vault-token: no such file or directory",
    ),
    "sigstore kms/hashivault/client.go",
  ),
  one(
    "vault-denied",
    undefined,
    keySignatures(
      "public key: Error making API request.\n\nURL: GET https://vault:8200/v1/transit/keys/cosign\nCode: 403. Errors:\n\n* permission denied",
    ),
    "vault/api ResponseError",
  ),
  one(
    "vault-sealed",
    undefined,
    keySignatures(
      "Error making API request.\n\nURL: GET https://vault:8200/v1/transit/keys/cosign\nCode: 503. Errors:\n\n* Vault is sealed",
    ),
    "vault/api ResponseError",
  ),
  one(
    "vault-not-found",
    undefined,
    keySignatures("public key: could not read data from transit key path: /transit/keys/cosign"),
    "sigstore kms/hashivault/client.go",
  ),
  one(
    "vault-unreachable",
    undefined,
    keys(
      'failed to load public key from hashivault://cosign: kms get: Get "https://vault:8200/v1/transit/keys/cosign": dial tcp: lookup vault: no such host',
    ),
    "sigstore kms/hashivault/client.go",
  ),
  one(
    "secret-missing",
    undefined,
    keys('failed to load public key from k8s://kyverno/cosign: checking if secret exists: secrets "cosign" not found'),
    "cosign pkg/cosign/kubernetes/secret.go:50",
  ),
  one(
    "secret-forbidden",
    undefined,
    keys(
      'failed to load public key from k8s://kyverno/cosign: checking if secret exists: secrets "cosign" is forbidden: User "system:serviceaccount:kyverno:x" cannot get resource "secrets"',
    ),
    "cosign pkg/cosign/kubernetes/secret.go:50",
  ),
  one(
    "secret-unreadable",
    undefined,
    keys("failed to load public key from k8s://kyverno/cosign: PEM decoding failed"),
    "cosign pkg/signature/keys.go:184",
  ),
  one(
    "invalid-configuration",
    undefined,
    keys("failed to load public key from PEM: pem to public key: PEM decoding failed"),
    "kyverno pkg/cosign/cosign.go",
  ),
  one(
    "invalid-configuration",
    undefined,
    keyless("failed to load Root certificates: error creating root cert pool"),
    "kyverno pkg/cosign/cosign.go",
  ),

  one(
    "kms-throttled",
    undefined,
    keySignatures(
      `getting public key: ${operation}https response error StatusCode: 400, RequestID: 1, api error ThrottlingException: Rate exceeded`,
    ),
    "aws-sdk-go-v2",
  ),

  // The logs and the root of trust.
  one(
    "log-unreachable",
    undefined,
    signatures(
      `searching log query: Post "${rekor}": POST ${rekor} giving up after 4 attempt(s): Post "${rekor}": dial tcp: lookup rekor.sigstore.dev: no such host`,
    ),
    "cosign pkg/cosign/tlog.go:406, go-retryablehttp client.go:741",
  ),
  one(
    "log-unreachable",
    undefined,
    signatures(`searching log query: Post "${rekor}": context deadline exceeded`),
    "cosign pkg/cosign/tlog.go:406",
  ),
  one(
    "log-unreachable",
    undefined,
    signatures(`searching log query: Post "${rekor}": x509: certificate signed by unknown authority`),
    "cosign pkg/cosign/tlog.go:406",
  ),
  one(
    "log-error",
    undefined,
    signatures(
      "searching log query: [POST /api/v1/log/entries/retrieve][400] searchLogQueryBadRequest  &{Code:400 Message:verifying signature}",
    ),
    "rekor generated client",
  ),
  one(
    "trust-files-missing",
    undefined,
    signatures(
      'updating local metadata and targets: error updating to TUF remote mirror: tuf: failed to download 3.root.json: Get "https://tuf-repo-cdn.sigstore.dev/3.root.json": Forbidden\nremote status:{\n\t"mirror": "x"\n}',
    ),
    "recorded: trust-files-missing.txt",
  ),
  one(
    "trust-files-missing",
    undefined,
    signatures(
      "unable to verify bundle: retrieving rekor public key: updating local metadata and targets: error updating to TUF remote mirror: invalid key",
    ),
    "cosign verify.go:638, 890; sigstore pkg/tuf/client.go:329",
  ),
  one(
    "trust-files-missing",
    undefined,
    signatures("error reading alternate public key file"),
    "cosign fulcioverifier/ctl/verify.go:103",
  ),
  one(
    "trust-files-missing",
    undefined,
    keyless("failed to get roots from fulcio: initializing tuf: getting trusted meta: EOF"),
    "kyverno pkg/cosign/cosign.go",
  ),

  one(
    "log-list-broken",
    undefined,
    signatures("no valid tlog entries found dial tcp: lookup rekor.sigstore.dev: no such host"),
    "cosign pkg/cosign/verify.go:461",
  ),
  one(
    "untrusted-log",
    "notVerified",
    signatures("no valid tlog entries found rekor log public key not found for payload"),
    "cosign pkg/cosign/verify.go:461, tlog.go:482",
  ),
  one(
    "trust-files-missing",
    undefined,
    signatures(
      "no valid tlog entries found unable to fetch Rekor public keys: updating local metadata and targets: invalid key",
    ),
    "cosign pkg/cosign/verify.go:461, tlog.go:477",
  ),

  // Kyverno itself, and the API server before it.
  one("disk-full", undefined, keyless("write /tmp/x: no space left on device"), "syscall ENOSPC"),
  one("out-of-memory", undefined, signatures("fork/exec: cannot allocate memory"), "syscall ENOMEM"),
  one(
    "webhook-certificate",
    undefined,
    'Internal error occurred: failed calling webhook "mutate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/mutate/fail?timeout=10s": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    "apiserver admission/plugin/webhook",
  ),
  one(
    "webhook-timeout",
    undefined,
    'Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": context deadline exceeded',
    "apiserver admission/plugin/webhook",
  ),
  one(
    "webhook-canceled",
    undefined,
    'Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": context canceled',
    "apiserver admission/plugin/webhook",
  ),
  one(
    "webhook-unreachable",
    undefined,
    'Internal error occurred: failed calling webhook "mutate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/mutate/fail?timeout=10s": no endpoints available for service "kyverno-svc"',
    "apiserver proxy",
  ),
  one(
    "pod-too-large",
    undefined,
    'Internal error occurred: failed calling webhook "at-most-50-containers.pod.image-signing-guard": failed to call webhook: Post "https://a-pod-may-have-at-most-50-containers.kyverno.svc:443/?timeout=1s": service "a-pod-may-have-at-most-50-containers" not found',
    "tests/e2e/backstop.test.ts",
  ),
  one(
    "other-webhook",
    undefined,
    'Internal error occurred: failed calling webhook "sidecar-injector.istio.io": failed to call webhook: Post "https://istiod.istio-system.svc:443/inject?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused',
    "apiserver admission/plugin/webhook",
  ),

  // What an outside tester brought.
  one(
    "registry-timeout",
    undefined,
    keyless(`${manifest}net/http: timeout awaiting response headers`),
    "net/http transport.go, errTimeout",
  ),
  one("malformed", undefined, keyless(`${ping}malformed HTTP response "\\x15\\x03\\x01"`), "net/http response.go"),
  one("malformed", undefined, keyless(`${manifest}stopped after 10 redirects`), "net/http client.go:817"),
  one("malformed", undefined, keyless(`${manifest}unsupported protocol scheme ""`), "net/http transport.go"),
  one("proxy", undefined, keyless(`${ping}Gateway Timeout`), "net/http, what a proxy answers to CONNECT"),
  one(
    "proxy",
    undefined,
    keyless(`${ping}socks connect tcp 10.0.0.9:1080->registry.example.com:443: dial tcp 10.0.0.9:1080: i/o timeout`),
    "golang.org/x/net/internal/socks",
  ),
  one(
    "unauthorized",
    undefined,
    keyless("error getting credentials - err: exit status 1, out: `no usable credentials`"),
    "docker-credential-helpers client/client.go",
  ),
  one(
    "token-unusable",
    undefined,
    keyless("GET https://auth.example.com/token?scope=a&service=b: unexpected status code 400 Bad Request"),
    "ggcr transport/bearer.go",
  ),
  one(
    "disk-full",
    undefined,
    keyless(
      "failed to get roots from fulcio: initializing tuf: creating cached local store: mkdir /.sigstore: no space left on device",
    ),
    "sigstore pkg/tuf/client.go, syscall ENOSPC",
  ),
  one(
    "disk-full",
    undefined,
    keys("failed to load public key from k8s://kyverno/cosign: open /tmp/x: no space left on device"),
    "syscall ENOSPC",
  ),
  one("out-of-memory", undefined, keys(`${aws}fork/exec /bin/x: cannot allocate memory`), "syscall ENOMEM"),
  one(
    "kms-reference",
    undefined,
    keySignatures(
      `${operation}https response error StatusCode: 400, RequestID: 1, InvalidArnException: Invalid keyId 'x'`,
    ),
    "aws-sdk-go-v2 kms/types",
  ),
  one(
    "kms-disabled",
    undefined,
    keySignatures(`${operation}https response error StatusCode: 400, RequestID: 1, UnsupportedOperationException: `),
    "aws-sdk-go-v2 kms/types: a key that is symmetric",
  ),
  one(
    "kms-permission",
    undefined,
    keySignatures("PERMISSION_DENIED: Permission 'cloudkms.cryptoKeyVersions.viewPublicKey' denied on resource"),
    "Google's APIs, as REST words it",
  ),
  one(
    "kms-unreachable",
    undefined,
    keySignatures(
      'public key: keyvault.BaseClient#GetKey: Failure responding to request: StatusCode=403 -- Original Error: autorest/azure: Service returned an error. Status=403 Code="Forbidden" Message="Client address is not authorized and caller is not a trusted service." InnerError={"code":"ForbiddenByFirewall"}',
    ),
    "Azure Key Vault's firewall",
  ),
  one(
    "vault-unreachable",
    undefined,
    keySignatures(
      'public key: Get "https://vault.vault:8200/v1/transit/keys/cosign": x509: certificate signed by unknown authority',
    ),
    "sigstore kms/hashivault/client.go",
  ),
  one(
    "vault-unreachable",
    undefined,
    keySignatures(
      'Get "https://vault.vault:8200/v1/team/transit/keys/cosign": dial tcp 10.0.0.1:8200: connect: connection refused',
    ),
    "sigstore kms/hashivault/client.go, TRANSIT_SECRET_ENGINE_PATH",
  ),
  one(
    "invalid-signature",
    "notVerified",
    keys("no matching attestations:\naccepted signatures do not match threshold, Found: 0, Expected 1"),
    "go-securesystemslib dsse/verify.go",
  ),
  one(
    "malformed-signature",
    "notVerified",
    keySignatures('signature layer sha256:1 is missing "dev.cosignproject.cosign/signature" annotation'),
    "cosign pkg/oci/internal/signature/layer.go",
  ),
  one(
    "?",
    undefined,
    "failed to load context: failed to fetch image data",
    "kyverno pkg/engine/jsonContext.go: no key",
  ),
];

function one(means: string, verdict: Verdict | undefined, text: string, source = "the sources above"): CauseCase {
  return { means, verdict, text, source };
}
