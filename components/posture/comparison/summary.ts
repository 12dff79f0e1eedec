import { enforcementAt, namespaceWitnesses } from "../strength/strength";
import type { Posture } from "../types";
import { weakenings } from "../weakenings";
import { labelList, NamespaceNames } from "./names";
import type { Change } from "./result";
import { signerText } from "./signers";
import { list, type Part, parts } from "./words";

/** A whole posture, for a guard that is created or removed. */
export function summarise(posture: Posture, was = ""): Change[] {
  const line = (about: string, text: readonly Part[]): Change => ({ about: `${was}${about}`, strength: "none", text });
  const names = new NamespaceNames(posture);
  const modes = names.groupBy(namespaceWitnesses(posture, posture, names.all), (name) => {
    const { mode } = enforcementAt(posture, name);
    return mode === "none" ? "not checked" : mode;
  });
  const { bypass, trust, kyverno } = posture;
  return [
    ...[...modes].map(([mode, labels]) => line(`mode ${mode}`, labelList(labels))),
    ...posture.images.map(({ name, repositories, signers, threshold }) =>
      line("images", parts`${name} (${list(repositories)}): ${threshold} of ${list(signers.map(signerText))}`),
    ),
    ...posture.exempt.map(({ repositories, reason }) => line("exempt", parts`${list(repositories)}: ${reason}`)),
    line(
      "bypass",
      bypass === "off"
        ? ["off"]
        : parts`${list([...bypass.groups, ...bypass.users])}, at most ${bypass.maxHours} hours`,
    ),
    ...posture.suspended.map(({ policy, until, reason }) =>
      line("suspended", parts`${policy} until ${until}: ${reason}`),
    ),
    ...(weakenings(posture).length > 0 ? [line("unsafe chart values", list(weakenings(posture)))] : []),
    line(
      "trust",
      parts`${trust.root}, ${trust.fulcioCertificates.length} certificates, ${trust.rekor?.url ?? "no transparency log"}`,
    ),
    line("Kyverno", parts`${kyverno.appVersion}, chart ${kyverno.chartVersion}`),
  ];
}
