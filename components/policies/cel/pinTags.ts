import type { ImageRule } from "../../posture/types";
import { type CelPolicy, celPolicy, type Frame } from "./celPolicy";
import { type CelPlace, DEBUG } from "./place";
import { belongsTo } from "./references";

/**
 * Puts the digest behind each tag of an image that somebody must have signed, before it is verified: what is verified is
 * what runs. The kind that verifies could do it itself, and would wait for ever on a pod with one image twice
 * (kyverno#17275).
 */
export function pinTags(
  frame: Frame & { readonly place: CelPlace },
  images: readonly ImageRule[],
  bypassed?: string,
): CelPolicy {
  const repositories = images.flatMap((image) => image.repositories);
  const patches = frame.place.fields.map((field) => patchesOf(frame.place, field, repositories, bypassed)).join(" + ");
  return celPolicy("MutatingPolicy", frame, {
    reinvocationPolicy: "IfNeeded",
    mutations: [
      {
        patchType: "JSONPatch",
        jsonPatch: { expression: patches },
      },
    ],
  });
}

function patchesOf(place: CelPlace, field: string, repositories: readonly string[], bypassed?: string): string {
  const list = `${place.pod("object")}.?spec.?${field}.orValue([])`;
  const image = `${list}[n].?image.orValue('')`;
  const isNew = place === DEBUG ? ` && ${image} in ${place.images("object")}` : "";
  const isJudged = bypassed === undefined ? "" : `!(${bypassed}) && `;
  const isTag = `${isJudged}!${image}.contains('@') && ${belongsTo(repositories, image)}${isNew}`;
  const path = `${place.pointer} + '/spec/${field}/' + string(n) + '/image'`;
  return `lists.range(size(${list})).filter(n, ${isTag}).map(n, JSONPatch{op: 'replace', path: ${path}, value: ${image} + '@' + image.getMetadata(${image}).digest})`;
}
