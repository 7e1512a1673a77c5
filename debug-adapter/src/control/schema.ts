/**
 * The control protocol as JSON Schema, for clients in other languages: schemas/control.schema.json is this, written by
 * write-schema.ts. Test: test/unit/control-schema.test.ts.
 */
import * as z from 'zod';
import { Campaign } from '../protocol/campaign.js';
import { CONTROL_PROTOCOL, notifications, requests } from '../protocol/control.js';

type Schema = Record<string, unknown>;

function plain(type: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' }) as Schema;
  return schema;
}

export function controlSchema(): Schema {
  const methods = Object.entries(requests).map(([name, { params, result }]) => [
    name,
    {
      type: 'object',
      properties: { params: plain(params, 'input'), result: plain(result, 'output') },
      required: ['params', 'result'],
    },
  ]);
  const notices = Object.entries(notifications).map(([name, params]) => [name, plain(params, 'output')]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: "Cairn's control protocol",
    description:
      'JSON-RPC 2.0 with Content-Length headers (as in the Language Server Protocol) over control.sock in the runtime folder of a session.',
    protocol: CONTROL_PROTOCOL,
    $defs: { requests: Object.fromEntries(methods) as Schema, notifications: Object.fromEntries(notices) as Schema },
  };
}

/** What the file of a campaign can have; schemas/campaign.schema.json, for editors. */
export function campaignSchema(): object {
  return { title: 'Cairn campaign', ...z.toJSONSchema(Campaign, { target: 'draft-7', io: 'input' }) };
}
