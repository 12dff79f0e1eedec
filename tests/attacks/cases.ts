import * as assert from "node:assert/strict";
import { isCelForm } from "../../local/policyForm";
import { type Cluster, cluster, stopCluster, type Verdict } from "./cluster";

interface Row {
  name: string;
  wanted: "refused" | "admitted";
  got: string;
  ok: boolean;
}

const rows: Row[] = [];
const firstRun = 40 * 60_000;

/** Frame of a file: the cluster is shared, and only the first file waits for it. */
export function attacks(title: string, body: (get: () => Cluster) => void): void {
  describe(`attacks: ${title}`, function () {
    this.timeout(60_000);
    let started: Cluster;
    before(async function () {
      this.timeout(firstRun);
      started = await cluster();
    });
    body(() => started);
  });
}

/** The one line that a case is about, and why it is about no other. */
export interface OnlyOn {
  readonly line: "1.10" | "1.19";
  readonly why: string;
}

async function skipElsewhere(test: Mocha.Context, only: OnlyOn | undefined): Promise<void> {
  const { version } = (await cluster()).node.kyverno;
  if (!only || version.startsWith(`${only.line}.`)) return;
  test.skipReason = `needs Kyverno ${only.line}: ${only.why}`;
  test.skip();
}

const COUNTED = "no signature that counts for image";
/** What Kyverno says of signatures among ClusterPolicies. In the other form it only counts them, and the guard's own text stands there. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/no \(matching \)\?signatures|no matching signatures|no signatures found|no signatures(?=[|/]|$)/g, COUNTED],
  [/(?:subject|issuer|digest) mismatch|does not include required embedded SCT/g, COUNTED],
  [/failed to verify image/g, `(?:${COUNTED}|failed to evaluate policy)`],
];

/** A refusal's text as the form that is attacked words it. */
export function inForm(text: RegExp): RegExp {
  if (!isCelForm) return text;
  return new RegExp(
    REASONS.reduce((source, [reason, counted]) => source.replace(reason, counted), text.source),
    text.flags,
  );
}

/** A request that has to be refused with this text. */
export function refused(name: string, text: RegExp, act: () => Promise<Verdict>, only?: OnlyOn): void {
  it(`refused: ${name}`, async function () {
    await skipElsewhere(this, only);
    const answer = await act();
    const wanted = inForm(text);
    const ok = !answer.admitted && wanted.test(answer.message);
    rows.push({ name, wanted: "refused", got: tell(answer), ok });
    assert.equal(answer.admitted, false, "the API server admitted it");
    assert.match(answer.message, wanted);
  });
}

/** A request that has to pass. */
export function admitted(
  name: string,
  act: () => Promise<Verdict>,
  check: (answer: Verdict) => void = () => {},
  only?: OnlyOn,
): void {
  it(`admitted: ${name}`, async function () {
    await skipElsewhere(this, only);
    const answer = await act();
    rows.push({ name, wanted: "admitted", got: tell(answer), ok: answer.admitted });
    assert.equal(answer.admitted, true, answer.message);
    check(answer);
  });
}

/** An outcome that takes more than one answer to see. */
export function outcome(
  name: string,
  wanted: Row["wanted"],
  act: () => Promise<string>,
  timeout = 60_000,
  only?: OnlyOn,
): void {
  it(`${wanted}: ${name}`, async function () {
    await skipElsewhere(this, only);
    this.timeout(timeout);
    const row: Row = { name, wanted, got: "failed", ok: false };
    rows.push(row);
    row.got = await act();
    row.ok = true;
  });
}

const tell = ({ admitted, status, message }: Verdict) =>
  admitted ? `admitted (${status})` : `refused (${status}) ${reasonIn(message)}`;

/** The rule that refused, else the beginning of the text. */
function reasonIn(message: string): string {
  const blocked = message.match(/following policies ([\w-]+): ([\w-]+):/);
  const [, policy] = /denied the request: Policy ([\w-]+) (?:failed|error): /.exec(message) ?? [];
  return blocked ? `${blocked[1]}/${blocked[2]}` : (policy ?? message.slice(0, 90));
}

after(async function () {
  this.timeout(60_000);
  await stopCluster();
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  console.log(`\n  ${"attack or honest request".padEnd(width)}  wanted    seen`);
  for (const { name, wanted, got, ok } of rows) {
    console.log(`  ${name.padEnd(width)}  ${wanted.padEnd(8)}  ${ok ? "" : "WRONG: "}${got}`);
  }
  const count = (wanted: Row["wanted"]) => rows.filter((row) => row.wanted === wanted).length;
  const wrong = rows.filter(({ ok }) => !ok).length;
  console.log(`  ${count("refused")} to be refused, ${count("admitted")} to be admitted, ${wrong} wrong\n`);
});
