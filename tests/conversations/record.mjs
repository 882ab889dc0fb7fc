// SPDX-License-Identifier: Apache-2.0
// The client of a recording, on @modelcontextprotocol/sdk 1.x: `record.mjs MODULES OUTPUT TITLE COMMAND...` says all that the server
// can answer, through record.py. Which protocol version is spoken is that of the SDK in MODULES.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [modules, output, title, ...command] = process.argv.slice(2);
const require = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}.js`)));
const { Client } = await load('client/index');
const { StdioClientTransport } = await load('client/stdio');
const types = await load('types');

const capabilities = { roots: { listChanged: true }, sampling: {}, ...(types.ElicitRequestSchema ? { elicitation: { form: {}, url: {} } } : {}) };
const client = new Client({ name: 'recorder', version: '1.0.0' }, { capabilities });
client.setRequestHandler(types.ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///home/u/work', name: 'work' }] }));
client.setRequestHandler(types.CreateMessageRequestSchema, () => ({ model: 'recorded', role: 'assistant', content: { type: 'text', text: 'Sampled — “so”' } }));
if (types.ElicitRequestSchema) client.setRequestHandler(types.ElicitRequestSchema, () => ({ action: 'accept', content: { name: 'Ö', color: 'red' } }));

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const attempt = async (f) => {
  try {
    return await f();
  } catch {
    return undefined; // an error is a message as well
  }
};
const calls = {
  echo: { message: 'héllo \u2028 🦀 \\ "' },
  add: { a: 2, b: 40.5 }, 'get-sum': { a: 2, b: 40.5 },
  getTinyImage: {}, 'get-tiny-image': {},
  annotatedMessage: { messageType: 'error', includeImage: false }, 'get-annotated-message': { messageType: 'error', includeImage: false },
  getResourceReference: { resourceId: 3 }, 'get-resource-reference': { resourceType: 'Text', resourceId: 3 },
  getResourceLinks: { count: 2 }, 'get-resource-links': { count: 2 },
  structuredContent: { location: 'Oslo' }, 'get-structured-content': { location: 'New York' },
  sampleLLM: { prompt: 'p', maxTokens: 10 }, 'trigger-sampling-request': { prompt: 'p', maxTokens: 10 },
  startElicitation: {}, 'trigger-elicitation-request': {}, 'trigger-url-elicitation': { url: 'https://example.org/' },
  'get-roots-list': {},
};

await client.connect(new StdioClientTransport({ command: 'python3', args: [join(dirname(fileURLToPath(import.meta.url)), 'record.py'), output, title, ...command] }));
await attempt(() => client.ping());
const tools = (await attempt(() => client.listTools()))?.tools ?? [];
for (const { name } of tools) if (calls[name]) await attempt(() => client.callTool({ name, arguments: calls[name] }));
const long = tools.map((t) => t.name).find((n) => /^(longRunning|trigger-long)/.test(n));
await attempt(() => client.callTool({ name: long, arguments: { duration: 0.2, steps: 2 } }, undefined, { onprogress: () => {} }));
await attempt(() => client.callTool({ name: long, arguments: { duration: 0.2, steps: 1 } }, undefined, { signal: AbortSignal.timeout(50) }));
await attempt(() => client.callTool({ name: 'no-such-tool' }));
const prompts = (await attempt(() => client.listPrompts()))?.prompts ?? [];
for (const { name } of prompts) await attempt(() => client.getPrompt({ name, arguments: { city: 'Oslo', temperature: '1.0', style: 'x', resourceId: '1', department: 'Engineering', name: 'Alice' } }));
await attempt(() => client.getPrompt({ name: 'none' }));
const resources = (await attempt(() => client.listResources()))?.resources ?? [];
await attempt(() => client.listResourceTemplates());
for (const { uri } of resources.slice(0, 2)) await attempt(() => client.readResource({ uri }));
await attempt(() => client.readResource({ uri: 'test://none' }));
await attempt(() => client.subscribeResource({ uri: resources[0].uri }));
await attempt(() => client.unsubscribeResource({ uri: resources[0].uri }));
await attempt(() => client.complete({ ref: { type: 'ref/prompt', name: prompts.find((p) => /^comp/.test(p.name))?.name ?? 'none' }, argument: { name: /dep/.test(JSON.stringify(prompts)) ? 'department' : 'style', value: 'E' } }));
await attempt(() => client.setLoggingLevel('debug'));
await attempt(() => client.sendRootsListChanged());
await pause(300);
await client.close();
