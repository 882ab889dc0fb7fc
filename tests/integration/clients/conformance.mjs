// SPDX-License-Identifier: Apache-2.0
// conformance - the client that the official conformance suite judges, on @modelcontextprotocol/client: `conformance.mjs URL` lists the
// tools and calls each. Its server is the STDIO command in CONFORMANCE_COMMAND, which ends at the unix socket in CONFORMANCE_DOOR; what
// comes out there goes to the URL, message by message.
import { createRequire } from 'node:module';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.STOCKADE_NODE_MODULES + '/x.js');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load('@modelcontextprotocol/client');
const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio');

const url = process.argv.at(-1);
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

async function heard(response, answer) {
  if (!response.headers.get('content-type')?.includes('event-stream')) {
    const body = await response.text();
    if (body.startsWith('{')) answer(JSON.stringify(JSON.parse(body)));
    return;
  }
  for await (const event of createInterface({ input: Readable.fromWeb(response.body) }))
    if (event.startsWith('data: {')) answer(event.slice(6));
}

async function carry(line, answer) {
  const { method, params } = JSON.parse(line);
  const version = params?._meta?.['io.modelcontextprotocol/protocolVersion'];
  const own = version ? { 'mcp-protocol-version': version, 'mcp-method': method, ...(params.name ? { 'mcp-name': params.name } : {}) } : {};
  const response = await fetch(url, { method: 'POST', headers: { ...headers, ...own }, body: line });
  const session = response.headers.get('mcp-session-id');
  if (session) headers['mcp-session-id'] = session;
  // What the server asks out of turn comes on a stream of its own.
  if (method === 'notifications/initialized') fetch(url, { headers }).then((r) => heard(r, answer)).catch(() => {});
  await heard(response, answer);
}

const door = process.env.CONFORMANCE_DOOR;
rmSync(door, { force: true });
createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => carry(line, (m) => socket.write(m + '\n')));
}).listen(door);

const client = new Client({ name: 'conformance', version: '1' }, {
  capabilities: { elicitation: { form: { applyDefaults: true } } },
  versionNegotiation: { mode: process.env.CONFORMANCE_MODE },
});
client.setRequestHandler('elicitation/create', ({ params }) => ({ action: 'accept', content: 'confirmed' in params.requestedSchema.properties ? { confirmed: true } : {} }));
const [command, ...args] = JSON.parse(process.env.CONFORMANCE_COMMAND);
await client.connect(new StdioClientTransport({ command, args, env: { ...process.env } }));
const { tools } = await client.listTools();
for (const { name, inputSchema } of tools) {
  const wanted = inputSchema.properties?.schema ? { schema: tools.find((t) => t.name !== name).inputSchema } : { a: 2, b: 3 };
  await client.callTool({ name, arguments: wanted }).catch(() => {});
}
await client.close();
process.exit(0);
