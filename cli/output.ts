import { fileReason } from "../components/mistakes";
import { GuardInputError } from "../components/problems";

/** Runs what writes where --out says; what hinders it is one error about the option. */
export function writingTo(out: string, kind: "file" | "folder", write: () => void): void {
  try {
    write();
  } catch (error) {
    const { path: place = out, message } = error as NodeJS.ErrnoException;
    throw new GuardInputError([
      {
        key: "--out",
        found: `${place}: ${fileReason(message)}`,
        allowed: `a ${kind} that can be written`,
        fix: `name another ${kind}`,
      },
    ]);
  }
}
