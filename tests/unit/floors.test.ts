import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";

const ROOT = path.join(__dirname, "..", "..");

/**
 * The house from the ground up: what stands on a floor may rest on its own and on lower ones. An entry is a file or a
 * folder; the longest that fits counts.
 */
const FLOORS: readonly (readonly string[])[] = [
  // Words that everything uses.
  [
    "components/problems",
    "components/globs",
    "components/mistakes",
    "components/unknownValue",
    "components/policies/names",
  ],
  // What a user writes.
  [
    "components/args",
    "components/fields",
    "components/hints",
    "components/schema",
    "components/misspelt",
    "components/settings",
  ],
  ["components/kubernetes/"],
  ["components/posture/"],
  ["components/policies/"],
  ["components/backstop/"],
  ["components/kyverno/"],
  ["components/monitoring/"],
  // The two steps from settings to manifests.
  ["components/resolve", "components/compile"],
  // What Pulumi runs.
  ["components/"],
];

/** Rooms of the command line that several commands share. They know no command, and commands don't know each other. */
const SHARED = ["cluster", "images", "judging", "refusals", "settings", "signatures", "terminal"];

/** Talk to somebody, or to Pulumi. What decides must not. */
const EFFECTS = /^(@pulumi\/|undici$|commander$|node:(fs|os|net|http|https|tls|child_process)$)/;

interface Arrow {
  readonly from: string;
  /** A file of ours without its ending, or a package. */
  readonly to: string;
}

/** Every import of every source file, of types as well, and of those that load late. */
function arrowsOf(...folders: string[]): Arrow[] {
  const files = folders.flatMap((folder) =>
    (fs.readdirSync(path.join(ROOT, folder), { recursive: true }) as string[])
      .filter((file) => file.endsWith(".ts"))
      .map((file) => path.posix.join(folder, file.replaceAll(path.sep, "/"))),
  );
  return files.flatMap((file) =>
    ts.preProcessFile(fs.readFileSync(path.join(ROOT, file), "utf8")).importedFiles.map(({ fileName }) => ({
      from: file.replace(/\.ts$/, ""),
      to: fileName.startsWith(".") ? path.posix.join(path.posix.dirname(file), fileName) : fileName,
    })),
  );
}

const text = ({ from, to }: Arrow) => `${from} -> ${to}`;

function floorOf(file: string): number {
  const fits = FLOORS.flatMap((entries, floor) =>
    entries
      .filter((entry) => (entry.endsWith("/") ? file.startsWith(entry) : file === entry))
      .map((entry) => ({ floor, length: entry.length })),
  );
  return fits.sort((a, b) => b.length - a.length)[0]!.floor;
}

/** Files that lead back to themselves, each with all that do so together. */
function circles(arrows: readonly Arrow[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of arrows) next.set(from, [...(next.get(from) ?? []), to]);
  const reached = (start: string): Set<string> => {
    const seen = new Set<string>();
    const walk = (file: string) => {
      for (const one of next.get(file) ?? []) {
        if (seen.has(one)) continue;
        seen.add(one);
        walk(one);
      }
    };
    walk(start);
    return seen;
  };
  const all = new Map([...next.keys()].map((file) => [file, reached(file)]));
  const round = [...all].filter(([file, seen]) => seen.has(file)).map(([file]) => file);
  const rings = round.map((file) => round.filter((other) => all.get(file)!.has(other) && all.get(other)!.has(file)));
  return [...new Map(rings.map((ring) => [ring.join(), ring])).values()];
}

describe("the house", () => {
  const arrows = arrowsOf("components", "cli", "local", "bench");

  it("is seen whole: imports, types, late imports", () => {
    const found = arrows.map(text);
    assert.ok(arrows.length > 500);
    for (const known of [
      "components/imageSigningGuard -> @pulumi/pulumi",
      "components/args -> @pulumi/pulumi",
      "cli/render/command -> cli/render/run",
      "components/readiness -> components/kyverno/canary",
    ])
      assert.ok(found.includes(known), known);
    assert.deepEqual(
      circles([
        { from: "a", to: "b" },
        { from: "b", to: "c" },
        { from: "c", to: "b" },
      ]),
      [["b", "c"]],
    );
    assert.ok(floorOf("components/policies/names") < floorOf("components/policies/judges"));
  });

  it("is drawn with every folder that stands on a floor, and every shared room", () => {
    const picture = fs.readFileSync(path.join(ROOT, "docs", "images", "house.svg"), "utf8");
    const drawn = [...picture.matchAll(/<text class="code"[^>]*>([^<]*)</g)].map(([, name]) => name!);
    const folders = FLOORS.flat().filter((entry) => entry.endsWith("/") && entry !== "components/");
    const rooms = [...folders.map((folder) => folder.slice("components/".length)), ...SHARED.map((room) => `${room}/`)];
    assert.deepEqual(
      rooms.filter((room) => !drawn.includes(room)),
      [],
    );
  });

  it("has no arrow that runs upward in components/", () => {
    const upward = arrows.filter(
      ({ from, to }) => from.startsWith("components/") && to.startsWith("components/") && floorOf(to) > floorOf(from),
    );
    assert.deepEqual(upward.map(text), []);
    assert.deepEqual(
      arrows
        .filter(({ from, to }) => from.startsWith("components/") && /^(cli|local|bench|tests)\//.test(to))
        .map(text),
      [],
    );
  });

  it("has no circle, not even of types", () => {
    assert.deepEqual(circles(arrows), []);
  });

  it("keeps decisions apart from effects: nothing below resolve and compile talks to anybody", () => {
    const pure = new Set(["components/resolve", "components/compile"]);
    // Grows while it is walked through.
    for (const file of pure)
      for (const { from, to } of arrows) if (from === file && to.startsWith("components/")) pure.add(to);
    assert.ok(pure.has("components/posture/types") && pure.has("components/policies/judges"));
    // Types of Pulumi's are only words.
    const effects = arrows.filter(({ from, to }) => pure.has(from) && EFFECTS.test(to) && from !== "components/args");
    assert.deepEqual(effects.map(text), []);
  });

  it("lets commands share rooms, but not each other", () => {
    const room = (file: string) => /^cli\/([^/]+)\//.exec(file)?.[1];
    const wrong = arrows.filter(({ from, to }) => {
      const [own, other] = [room(from), room(to)];
      return own && other && own !== other && !SHARED.includes(other);
    });
    assert.deepEqual(wrong.map(text), []);
  });
});
