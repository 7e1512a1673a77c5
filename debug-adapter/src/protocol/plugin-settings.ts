/**
 * A plugin's settings against the JSON Schema (draft 2020-12) that it came with: what is wrong, where, in words for whoever typed it.
 * Test: test/unit/plugin-settings.test.ts.
 */
import { type ErrorObject, type ValidateFunction, Ajv2020 as Validator } from 'ajv/dist/2020.js';
import * as z from 'zod';

export const SettingsProblem = z.object({
  /** Names and indexes from the settings' root; empty: the settings as a whole. */
  path: z.array(z.string()),
  message: z.string(),
});
export type SettingsProblem = z.infer<typeof SettingsProblem>;

/** By the schema's text: making one takes longer than many restarts of small programs. */
const validators = new Map<string, ValidateFunction>();
const MOST_VALIDATORS = 32;

function validatorOf(schema: object | boolean): ValidateFunction {
  const text = JSON.stringify(schema);
  const known = validators.get(text);
  if (known !== undefined) return known;
  // A vendor's schema may have keywords for tools of its own.
  const made = new Validator({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
  if (validators.size >= MOST_VALIDATORS) validators.clear();
  validators.set(text, made);
  return made;
}

/** Throws what is wrong with the schema itself. An older draft is read as if it were the newest: few words have another meaning. */
export function settingsProblems(given: object | boolean, settings: unknown): SettingsProblem[] {
  const validate = validatorOf(typeof given === 'boolean' ? given : withoutDraft(given));
  if (validate(settings)) return [];
  return (validate.errors ?? []).map(asProblem);
}

function withoutDraft({ $schema: _draft, ...schema }: { $schema?: unknown }): object {
  return schema;
}

function asProblem({ instancePath, keyword, params, message = 'is wrong' }: ErrorObject): SettingsProblem {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
  const given = params as Record<string, unknown>;
  switch (keyword) {
    case 'required':
      return { path: [...path, String(given['missingProperty'])], message: 'is required' };
    case 'additionalProperties':
      return { path: [...path, String(given['additionalProperty'])], message: 'is no setting of this plugin' };
    case 'enum':
      return {
        path,
        message: `must be one of ${(given['allowedValues'] as unknown[]).map((one) => JSON.stringify(one)).join(', ')}`,
      };
    case 'const':
      return { path, message: `must be ${JSON.stringify(given['allowedValue'])}` };
    default:
      return { path, message };
  }
}

export function formatProblem({ path, message }: SettingsProblem): string {
  return path.length === 0 ? `The settings: ${message}` : `"${path.join('.')}" ${message}`;
}
