import * as assert from "node:assert/strict";
import { type Challenge, challengesOf } from "../../../../cli/images/challenge";

const cases: [header: string | null, challenges: [scheme: string, parameters: Record<string, string>][]][] = [
  [null, []],
  ["", []],
  ["Basic", [["basic", {}]]],
  ['Basic realm="x"', [["basic", { realm: "x" }]]],
  [
    'Bearer realm="https://a/t",service="s",scope="x:y:pull"',
    [["bearer", { realm: "https://a/t", service: "s", scope: "x:y:pull" }]],
  ],
  ["Bearer realm=https://a/t,service=s", [["bearer", { realm: "https://a/t", service: "s" }]]],
  ['bearer Realm = "https://a/t" , Service = s', [["bearer", { realm: "https://a/t", service: "s" }]]],
  [
    'Basic realm="a, b", Bearer realm="https://a/t"',
    [
      ["basic", { realm: "a, b" }],
      ["bearer", { realm: "https://a/t" }],
    ],
  ],
  [
    'Negotiate, Basic realm="x"',
    [
      ["negotiate", {}],
      ["basic", { realm: "x" }],
    ],
  ],
  ['Bearer realm="say \\"hi\\"", realm="again"', [["bearer", { realm: 'say "hi"' }]]],
  ['Bearer scope="repository:a/b:pull,push"', [["bearer", { scope: "repository:a/b:pull,push" }]]],
  ['realm="nobody", Basic', [["basic", {}]]],
  ['Bearer realm="https://a/t', [["bearer", {}]]],
  ['=,=,"', []],
  ["Bearer __proto__=x", [["bearer", JSON.parse('{"__proto__":"x"}')]]],
];

describe("check: what a registry asks for", () => {
  for (const [header, challenges] of cases) {
    it(`${header}`, () =>
      assert.deepEqual(
        challengesOf(header).map(({ scheme, parameters }: Challenge) => [scheme, Object.entries(parameters)]),
        challenges.map(([scheme, parameters]) => [scheme, Object.entries(parameters)]),
      ));
  }
});
