import { PolicyForm } from "../components/args";
import type { Sigstore } from "./sigstore";
import type { SigstoreServices } from "./sigstoreServices";

/** Suites and the demo run on ClusterPolicies, or by this variable on the form that it names. */
export const FORM_VARIABLE = "IMAGE_SIGNING_GUARD_POLICIES";

export const isCelForm = process.env[FORM_VARIABLE] === PolicyForm.ImageValidatingPolicy;

const services = new WeakMap<Sigstore, SigstoreServices>();

/** Policies of the newer form ask an update repository, so their trust names the one that the stand-in has. */
export function rememberServices(sigstore: Sigstore, started: SigstoreServices): void {
  services.set(sigstore, started);
}

/** What the form adds to a stack's settings. */
export function kyvernoOfForm(): { policies?: PolicyForm } {
  return isCelForm ? { policies: PolicyForm.ImageValidatingPolicy } : {};
}

/** The same for its trust. */
export function trustOfForm(sigstore: Sigstore): object {
  return isCelForm ? trustOfCelPolicies(sigstore) : {};
}

/** The chain that a signature brings along is not read, so the intermediate is named. */
export function trustOfCelPolicies(sigstore: Sigstore): object {
  const { url, tufRoot } = services.get(sigstore) ?? {};
  if (url === undefined || tufRoot === undefined) throw new Error("the stand-in's services do not run");
  return {
    fulcioCertificates: sigstore.fulcioRoots + sigstore.intermediate.pem,
    tuf: { mirror: url, root: tufRoot },
  };
}
