import { GuardMode } from "../../args";
import type { PolicyPlan, Resolved } from "../../posture/types";
import { AUDIT_TEXT, whereNotRefused } from "../auditUnsignedImages";
import { type CelPolicy, celPolicy, joined } from "./celPolicy";
import { PODS, TEMPLATES } from "./place";
import { distinct, shown, uncoveredImages } from "./references";

/**
 * audit-unsigned-images: reports, cluster-wide and in system namespaces too, images that no signer covers. By scans alone: at
 * admission it would cost every request a call.
 */
export function auditUnsignedImages(plan: PolicyPlan, { posture }: Resolved): CelPolicy[] {
  const repositories = posture.images.flatMap((image) => image.repositories);
  return [PODS, TEMPLATES].map((place) => {
    const variables = [
      { name: "images", expression: distinct(place.images("object")) },
      { name: "uncovered", expression: uncoveredImages(repositories, "variables.images") },
    ];
    const validations = [
      {
        expression: "size(variables.uncovered) == 0",
        messageExpression: joined("no signer is configured for ", { cel: shown("variables.uncovered") }),
      },
    ];
    const frame = {
      plan: { ...plan, mode: GuardMode.Audit, scopes: whereNotRefused(posture) },
      place,
      text: { ...AUDIT_TEXT, title: `${AUDIT_TEXT.title}${place === TEMPLATES ? ": pod templates" : ""}` },
      conditions: [],
      admission: false,
      background: true,
    };
    return celPolicy("ValidatingPolicy", frame, { variables, validations });
  });
}
