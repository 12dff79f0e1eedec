import { type Colour, paint } from "../terminal/colours";
import { printable } from "../terminal/printable";
import type { DoctorReport, Finding, Severity } from "./finding";

const COLOURS: Record<Severity, Colour> = {
  problem: "red",
  unknown: "magenta",
  warning: "yellow",
  note: "dim",
  ok: "green",
};

/** What is wrong first, each with its command; what is well is counted. */
export function describeDoctor({ findings }: DoctorReport, all: boolean): string {
  const shown = findings.filter(({ severity }) => all || severity !== "ok");
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const words: [Severity, string][] = [
    ["problem", "broken"],
    ["unknown", "not seen"],
    ["warning", "to be watched"],
    ["note", "to be known"],
    ["ok", "well"],
  ];
  const summary = words.flatMap(([severity, word]) => (count(severity) > 0 ? [`${count(severity)} ${word}`] : []));
  return [...shown.map(describeFinding), ...(shown.length > 0 ? [""] : []), summary.join(", ")].join("\n");
}

function describeFinding({ id, severity, evidence, fix }: Finding): string {
  const line = `${paint(COLOURS[severity], severity.padEnd(7))}  ${id}: ${printable(evidence)}`;
  return fix ? `${line}\n${" ".repeat(9)}$ ${printable(fix)}` : line;
}
