/**
 * Accessibility of a panel, by axe-core, in the frame where the panel is.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Frame } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResults {
  violations: { id: string; help: string; nodes: { target: unknown[]; failureSummary?: string }[] }[];
  passes: unknown[];
}

/** Fails with every violation of the rules of WCAG 2 A and AA and of axe's best practices; and if axe looked at nothing. */
export async function assertAccessible(frame: Frame, what: string): Promise<void> {
  // Evaluated by the debugging protocol, so the panel's content security policy stays as it is.
  await frame.evaluate(source);
  const results = await frame.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(root: Document, options: object): Promise<AxeResults> } };
    // A panel is a part of the workbench's page: rules about whole pages are the workbench's matter.
    const pageRules = ['region', 'landmark-one-main', 'page-has-heading-one', 'document-title', 'html-has-lang', 'bypass'];
    const rules = Object.fromEntries(pageRules.map((id) => [id, { enabled: false }]));
    return axe.run(document, { rules, resultTypes: ['violations', 'passes'] });
  });
  const text = results.violations.flatMap((violation) =>
    violation.nodes.map(
      (node) => `${violation.id} (${violation.help}) at ${node.target.join(' ')}: ${node.failureSummary ?? ''}`,
    ),
  );
  assert.deepEqual(text, [], `accessibility of ${what}`);
  assert.ok(results.passes.length > 0, `axe found nothing to check in ${what}`);
}
