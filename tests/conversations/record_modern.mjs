// SPDX-License-Identifier: Apache-2.0
// The client of a recording in the era without a handshake, on @modelcontextprotocol/client: `record_modern.mjs MODULES OUTPUT TITLE COMMAND...`
// says what a server such as tests/integration/servers/conformance.mjs can answer, through record.py.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [modules, output, title, ...command] = process.argv.slice(2);
const require = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load('@modelcontextprotocol/client');
const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio');

const client = new Client({ name: 'recorder', version: '1.0.0' }, {
  capabilities: { roots: {}, sampling: {}, elicitation: { form: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } },
});
client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/u/work', name: 'work' }] }));
client.setRequestHandler('sampling/createMessage', () => ({ model: 'recorded', role: 'assistant', content: { type: 'text', text: 'Sampled \u2014 \u201cso\u201d' } }));
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: '\u00d6', color: 'red', context: 'c', ok: true } }));

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const attempt = async (f) => {
  try {
    return await f();
  } catch {
    return undefined; // an error is a message as well
  }
};
const call = (name, args = {}, options = {}, more = {}) => attempt(() => client.callTool({ name, arguments: args, ...more }, options));

await client.connect(new StdioClientTransport({ command: 'python3', args: [join(dirname(fileURLToPath(import.meta.url)), 'record.py'), output, title, ...command] }));
await attempt(() => client.listTools());
for (const name of ['test_simple_text', 'test_multiple_content_types', 'test_error_handling', 'no-such-tool']) await call(name);
await call('test_tool_with_progress', {}, { onprogress: () => {} });
await call('test_tool_with_logging', {}, {}, { _meta: { 'io.modelcontextprotocol/logLevel': 'debug' } });
for (const asks of ['elicitation', 'sampling', 'list_roots', 'multiple_inputs', 'multi_round']) await call(`test_input_required_result_${asks}`);
await call('test_slow', {}, { signal: AbortSignal.timeout(50) });
await attempt(() => client.listPrompts());
await attempt(() => client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: 'a\u2028', arg2: '\u{1f980}' } }));
await attempt(() => client.getPrompt({ name: 'test_input_required_result_prompt' }));
await attempt(() => client.getPrompt({ name: 'none' }));
await attempt(() => client.listResources());
await attempt(() => client.listResourceTemplates());
for (const uri of ['test://static-text', 'test://template/7/data', 'test://none']) await attempt(() => client.readResource({ uri }));
await attempt(() => client.complete({ ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 'pa' } }));
const events = await attempt(() => client.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true, resourceSubscriptions: ['test://watched-resource'] }));
for (const kind of ['tool', 'prompt', 'resource', 'watched']) await call(`test_trigger_${kind}_change`);
await pause(300);
await attempt(() => events?.close());
await pause(100);
await client.close();
