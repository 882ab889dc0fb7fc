// SPDX-License-Identifier: Apache-2.0
// steps - what both npm clients are told to do, as JSON on argv: { command, args, env, cwd, steps } -> answers on stdout
//
// An answer is { ok: RESULT } or { error: { code, message } }; the caller compares them with and without stockade.

import { writeFileSync } from 'node:fs';

async function call(client, step, request) {
  const options = { timeout: step.timeout ?? 60000 };
  const progress = [];
  if (step.progress) options.onprogress = (p) => progress.push(p);
  if (step.abortAfter) options.signal = AbortSignal.timeout(step.abortAfter);
  const result = await request({ name: step.name, arguments: step.args ?? {} }, options);
  return step.progress ? { result, progress } : result;
}

// A call that becomes a task: what was told of it, once each, and what it came to.
async function task(client, step) {
  const told = [];
  let last;
  for await (const m of client.experimental.tasks.callToolStream({ name: step.name, arguments: step.args ?? {} })) {
    last = m;
    const what = m.type === 'taskStatus' ? m.task.status : m.type;
    if (told.at(-1) !== what) told.push(what);
  }
  return { told, content: last.result?.content ?? String(last.error) };
}

const operations = {
  task,
  tools: (c) => c.listTools(),
  resources: (c) => c.listResources(),
  templates: (c) => c.listResourceTemplates(),
  read: (c, s) => c.readResource({ uri: s.uri }),
  prompts: (c) => c.listPrompts(),
  prompt: (c, s) => c.getPrompt({ name: s.name, arguments: s.args ?? {} }),
  ping: (c) => c.ping(),
  changed: async (c, s) => { writeFileSync(s.file, ''); await c.toolsChanged; },
  version: async (c) => ({ server: c.getServerVersion(), capabilities: c.getServerCapabilities(), instructions: c.getInstructions() }),
};

export async function run(makeClient, makeTransport, toolCall) {
  const job = JSON.parse(process.argv[2]);
  const transport = makeTransport({ command: job.command, args: job.args, env: job.env, cwd: job.cwd, stderr: 'inherit' });
  let told;
  const toolsChanged = new Promise((done) => { told = done; });
  const client = makeClient({ tools: { autoRefresh: false, onChanged: () => told() } });
  client.toolsChanged = toolsChanged;
  const answers = [];
  await client.connect(transport);
  for (const step of job.steps) {
    try {
      const ok = step.op === 'call' ? await call(client, step, (p, o) => toolCall(client, p, o)) : await operations[step.op](client, step);
      answers.push({ ok });
    } catch (e) {
      answers.push({ error: { name: e.name, code: e.code ?? null, message: String(e.message) } });
    }
  }
  await client.close();
  // Flushed before exit: a 5 MB answer does not fit the pipe.
  await new Promise((done) => process.stdout.write(JSON.stringify(answers) + '\n', done));
  process.exit(0);
}
