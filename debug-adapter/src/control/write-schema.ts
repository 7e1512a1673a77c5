/**
 * Writes schemas/control.schema.json and schemas/campaign.schema.json. To be run after a change of protocol/control.ts or campaign.ts:
 * node --import ./scripts/lib/typescript.mjs debug-adapter/src/control/write-schema.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { campaignSchema, controlSchema } from './schema.js';

const folder = new URL('../../../schemas/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('control.schema.json', folder), `${JSON.stringify(controlSchema(), null, 2)}\n`);
writeFileSync(new URL('campaign.schema.json', folder), `${JSON.stringify(campaignSchema(), null, 2)}\n`);
