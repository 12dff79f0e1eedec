import * as assert from "node:assert/strict";
import { GuardInputError, type Problem } from "../../components/problems";

/** The problems that a call reports; an error of any other kind, or none at all, fails the test. */
export function problemsOf(call: () => unknown): readonly Problem[] {
  try {
    call();
  } catch (error) {
    if (!(error instanceof GuardInputError)) throw error;
    for (const problem of error.problems) assertHelpful(problem);
    return error.problems;
  }
  assert.fail("expected problems, but the input was accepted");
}

/** What a careless template prints; as words of their own, for a random key's base64 may well spell "NaN". */
const LEAKED = /(?<![\w+/=])(undefined|NaN|\[object)(?![\w+/=])/;

/** Every problem says what was found, what would be allowed and what to do, in words and on one line. */
function assertHelpful(problem: Problem): void {
  for (const part of ["key", "found", "allowed", "fix"] as const) {
    assert.ok(problem[part].trim(), `${problem.key} has no "${part}"`);
    assert.ok(!problem[part].includes("\n"), `"${part}" of ${problem.key} has several lines: ${problem[part]}`);
    assert.ok(!/\bat .+:\d+:\d+/.test(problem[part]), `"${part}" of ${problem.key} holds a stack: ${problem[part]}`);
    assert.ok(!LEAKED.test(problem[part]), `"${part}" of ${problem.key}: ${problem[part]}`);
    assert.ok(!/^(Invalid|Expected|Unrecognized)/.test(problem[part]), `"${part}" of ${problem.key} is the parser's`);
  }
}
