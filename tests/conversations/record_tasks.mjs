// SPDX-License-Identifier: Apache-2.0
// The client of a recording of tasks, both ways, on @modelcontextprotocol/sdk 1.x: `record_tasks.mjs MODULES OUTPUT TITLE COMMAND...` has
// server-everything make calls into tasks, and makes what that server asks for into tasks of its own; then the changes that it tells of.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [modules, output, title, ...command] = process.argv.slice(2);
const require = createRequire(join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}`)));
const { Client } = await load('client/index.js');
const { StdioClientTransport } = await load('client/stdio.js');
const { InMemoryTaskStore } = await load('experimental/tasks/stores/in-memory.js');
const types = await load('types.js');

const requests = { sampling: { createMessage: {} }, elicitation: { create: {} } };
const client = new Client({ name: 'recorder', version: '1.0.0' }, {
  capabilities: { sampling: {}, elicitation: { form: {} }, tasks: { list: {}, cancel: {}, requests } }, taskStore: new InMemoryTaskStore(),
});
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const attempt = async (f) => {
  try {
    return await f();
  } catch {
    return undefined; // an error is a message as well
  }
};

// What the server asks for: at once, or as a task whose result comes later.
const later = (result) => async (request, extra) => {
  if (!request.params.task) return result;
  const task = await extra.taskStore.createTask({ ttl: request.params.task.ttl, pollInterval: 100 });
  setTimeout(() => extra.taskStore.storeTaskResult(task.taskId, 'completed', result), 1500);
  return { task };
};
client.setRequestHandler(types.CreateMessageRequestSchema, later({ model: 'recorded', role: 'assistant', content: { type: 'text', text: 'Sampled' } }));
client.setRequestHandler(types.ElicitRequestSchema, later({ action: 'accept', content: { interpretation: 'technical', name: 'Ö' } }));

await client.connect(new StdioClientTransport({ command: 'python3', args: [join(dirname(fileURLToPath(import.meta.url)), 'record.py'), output, title, ...command] }));
await attempt(() => client.listTools());
const tasks = client.experimental.tasks;
const ids = [];
for await (const m of tasks.callToolStream({ name: 'simulate-research-query', arguments: { topic: 'tea', ambiguous: true } })) if (m.task) ids.push(m.task.taskId);
await attempt(() => tasks.listTasks());
await attempt(() => tasks.listTasks('none'));
const more = tasks.callToolStream({ name: 'simulate-research-query', arguments: { topic: 'water' } });
const { taskId } = (await more.next()).value.task;
await attempt(() => tasks.cancelTask(taskId));
for (const ask of ['getTask', 'getTaskResult', 'cancelTask']) await attempt(() => tasks[ask]('none', types.CallToolResultSchema));
for (const name of ['trigger-sampling-request-async', 'trigger-elicitation-request-async']) await attempt(() => client.callTool({ name, arguments: name.includes('sampling') ? { prompt: 'p', maxTokens: 10 } : {} }));
await attempt(() => client.subscribeResource({ uri: 'demo://resource/static/document/architecture.md' }));
await attempt(() => client.callTool({ name: 'toggle-subscriber-updates' }));
await attempt(() => client.callTool({ name: 'toggle-subscriber-updates' }));
await pause(300);
await client.close();
process.exit(0); // the store of tasks keeps timers
