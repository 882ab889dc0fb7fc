// SPDX-License-Identifier: Apache-2.0
// modern - a server of the npm package @modelcontextprotocol/server, which speaks both eras. Argument: node_modules
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.argv[2] + '/x.js');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { McpServer } = await load('@modelcontextprotocol/server');
const { serveStdio } = await load('@modelcontextprotocol/server/stdio');

serveStdio(() => {
  const server = new McpServer({ name: 'modern', version: '1' });
  server.registerTool('echo', { description: 'says it again' }, async () => ({ content: [{ type: 'text', text: 'm' }] }));
  return server;
});
