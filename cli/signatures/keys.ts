import { createPublicKey, type KeyObject } from "node:crypto";
import { pemOf } from "../../components/posture/pem";
import type { KeySigner, Resolved } from "../../components/posture/types";

/** Undefined for a key in a KMS or a Secret, which only the cluster can read. */
export function keyOf({ publicKey }: KeySigner, { materials }: Resolved): KeyObject | undefined {
  return publicKey ? createPublicKey(pemOf(materials.pem, publicKey)) : undefined;
}
