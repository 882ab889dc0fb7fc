// SPDX-License-Identifier: Apache-2.0
// client_v2 - @modelcontextprotocol/client, which speaks both eras
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { run } from './steps.mjs';

const require = createRequire(process.env.STOCKADE_NODE_MODULES + '/x.js');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load('@modelcontextprotocol/client');
const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio');

// MCP_MODE: auto, or a version that nothing but it will do for.
const mode = process.env.MCP_MODE;
const versionNegotiation = mode ? { mode: mode === 'auto' ? mode : { pin: mode } } : undefined;

await run(
  (listChanged) => new Client({ name: 'client-v2', version: '1' }, { capabilities: {}, listChanged, versionNegotiation }),
  (o) => new StdioClientTransport(o),
  (client, params, options) => client.callTool(params, options),
);
