/** Parts of the schema of a campaign's file, and of what is wrong with one, for forms. Pure. Test: test/unit/faults-words.test.ts. */
import type { CampaignProblem } from '../../../debug-adapter/src/protocol/campaign.js';
import type { SettingsProblem } from '../../../debug-adapter/src/protocol/plugin-settings.js';
import { isObject } from '../../../debug-adapter/src/protocol/settings-value.js';

type Schema = Record<string, unknown>;

const objectOf = (value: unknown): Schema => (isObject(value) ? value : {});

/** Of the place at `path` (a number: in a list); with `only`: only those of its properties, in that order. */
export function partOf(schema: Schema, path: readonly (string | number)[], only?: readonly string[]): Schema {
  const part = path.reduce<Schema>(
    (at, key) => objectOf(typeof key === 'number' ? at['items'] : objectOf(at['properties'])[key]),
    schema,
  );
  if (only === undefined) return part;
  const properties = objectOf(part['properties']);
  return { ...part, properties: Object.fromEntries(only.map((key) => [key, properties[key]])) };
}

/** What is wrong in the place at `path`, as its form names places. */
export function withoutNumbers(problems: readonly CampaignProblem[], path: readonly (string | number)[]): SettingsProblem[] {
  return problems
    .filter((one) => one.path.length > path.length && path.every((part, index) => one.path[index] === part))
    .map(({ path: at, message }) => {
      const place = `${at.join('.')}: `;
      return {
        path: at.slice(path.length).map(String),
        message: message.startsWith(place) ? message.slice(place.length) : message,
      };
    });
}
