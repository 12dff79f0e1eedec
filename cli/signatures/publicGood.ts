import { TrustedRoot } from "@sigstore/protobuf-specs";
import { type TrustMaterial, toTrustMaterial } from "@sigstore/verify";
import { publicGoodRoot } from "../../components/posture/publicGood";

/** All of the public instance's anchors, as Sigstore's own verifiers take them: Kyverno 1.19 reads the same for bundles. */
export function publicGoodMaterial(): TrustMaterial {
  return toTrustMaterial(TrustedRoot.fromJSON(publicGoodRoot()));
}
