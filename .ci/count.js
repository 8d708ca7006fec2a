// Prints "N passed, N failed" from the report of a test runner: `node count.js REPORT EXIT_CODE`. REPORT is vitest's
// JSON or JUnit's XML. A runner that failed without naming a failed test, or left no report, counts as one failure.
import { readFileSync } from 'node:fs';

const [path = '', exitCode = '1'] = process.argv.slice(2);

const counts = (text) => {
  if (path.endsWith('.json')) {
    const { numPassedTests, numFailedTests } = JSON.parse(text);
    return { passed: numPassedTests, failed: numFailedTests };
  }
  const totals = { tests: 0, failures: 0, errors: 0, skipped: 0 };
  for (const [suite] of text.matchAll(/<testsuite\s[^>]*>/g))
    for (const name of Object.keys(totals))
      totals[name] += Number(new RegExp(`\\s${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = totals.failures + totals.errors;
  return { passed: totals.tests - failed - totals.skipped, failed };
};

let total = { passed: 0, failed: 0 };
try {
  total = counts(readFileSync(path, 'utf8'));
} catch {
  // No report: the runner did not get that far.
}
const ran = total.passed + total.failed > 0;
if (total.failed === 0 && (exitCode !== '0' || !ran)) total = { ...total, failed: 1 };
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
