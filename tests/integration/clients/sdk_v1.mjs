// SPDX-License-Identifier: Apache-2.0
// sdk_v1 - @modelcontextprotocol/sdk, the client that most desktop applications carry
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { run } from './steps.mjs';

const require = createRequire(process.env.STOCKADE_NODE_MODULES + '/x.js');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = await load('@modelcontextprotocol/sdk/client/stdio.js');

await run(
  (listChanged) => new Client({ name: 'sdk-v1', version: '1' }, { capabilities: {}, listChanged }),
  (o) => new StdioClientTransport(o),
  (client, params, options) => client.callTool(params, undefined, options),
);
