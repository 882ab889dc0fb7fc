// SPDX-License-Identifier: Apache-2.0
// conformance - the server that the official conformance suite looks for, in both eras; started on the directory of the node modules.
// What it has to offer is said by the suite's scenarios.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.argv[2] + '/x.js');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { McpServer, ResourceTemplate, createRequestStateCodec, fromJsonSchema, inputRequired } = await load('@modelcontextprotocol/server');
const { serveStdio } = await load('@modelcontextprotocol/server/stdio');

const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const AUDIO = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';
const text = (value) => ({ content: [{ type: 'text', text: value }] });
const image = { type: 'image', data: IMAGE, mimeType: 'image/png' };
const resource = (uri, mimeType, value) => ({ type: 'resource', resource: { uri, mimeType, text: value } });
const form = (properties, required) => ({ type: 'object', properties, ...(required ? { required } : {}) });
const pause = () => new Promise((done) => setTimeout(done, 50));
const strings = (...names) => fromJsonSchema(form(Object.fromEntries(names.map((n) => [n, { type: 'string' }])), names));

const DIALECT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: {
    name: { type: 'string' }, address: { $ref: '#/$defs/address' }, contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' }, email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
const DEFAULTS = form({
  name: { type: 'string', default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true },
});
const titled = (word) => [1, 2, 3].map((n) => ({ const: `value${n}`, title: `${word} ${n}` }));
const ENUMS = form({
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
});

const ask = {
  name: () => inputRequired.elicit({ message: 'What is your name?', requestedSchema: form({ name: { type: 'string' } }, ['name']) }),
  sure: () => inputRequired.elicit({ message: 'Please confirm', requestedSchema: form({ ok: { type: 'boolean' } }, ['ok']) }),
  colour: () => inputRequired.elicit({ message: 'Which colour?', requestedSchema: form({ color: { type: 'string' } }, ['color']) }),
  context: () => inputRequired.elicit({ message: 'Which context?', requestedSchema: form({ context: { type: 'string' } }, ['context']) }),
  capital: () => inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: 'What is the capital of France?' } }], maxTokens: 100 }),
  roots: () => inputRequired.listRoots(),
};
const state = createRequestStateCodec({ key: new Uint8Array(32).fill(7), ttlSeconds: 600 });

// A tool of several rounds: what each asks for, and whether it keeps a state. With the last answers it is complete.
const rounds = (steps, keepsState, done) => async (args, ctx) => {
  const at = keepsState && ctx.mcpReq.requestState() ? ctx.mcpReq.requestState().at : 0;
  const given = ctx.mcpReq.inputResponses ?? {};
  const missing = Object.keys(steps[at]).some((key) => !given[key] || (given[key].action && !given[key].content));
  const next = missing ? at : at + 1;
  if (next === steps.length) return done ?? text(`complete: ${JSON.stringify(given)}, state-ok`);
  const inputRequests = Object.fromEntries(Object.entries(steps[next]).map(([key, make]) => [key, make()]));
  return inputRequired({ inputRequests, ...(keepsState ? { requestState: await state.mint({ at: next }, ctx) } : {}) });
};

const givenUp = [];
const TOOLS = {
  test_simple_text: () => text('This is a simple text response for testing.'),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({ content: [{ type: 'audio', data: AUDIO, mimeType: 'audio/wav' }] }),
  test_embedded_resource: () => ({ content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')] }),
  test_multiple_content_types: () => ({ content: [...text('Multiple content types test:').content, image, resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')] }),
  test_tool_with_logging: async (_, ctx) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await ctx.mcpReq.log('info', data);
      await pause();
    }
    return text('Tool with logging executed successfully');
  },
  test_tool_with_progress: async (_, ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
      await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      await pause();
    }
    return text(String(progressToken));
  },
  test_error_handling: () => {
    throw new Error('This tool intentionally returns an error for testing');
  },
  test_sampling: async ({ prompt }, ctx) => {
    const r = await ctx.mcpReq.requestSampling({ messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens: 100 });
    return text(`LLM response: ${r.content.text}`);
  },
  test_elicitation: async ({ message }, ctx) => {
    const r = await ctx.mcpReq.elicitInput({ message, requestedSchema: form({ username: { type: 'string' }, email: { type: 'string' } }, ['username', 'email']) });
    return text(`User response: action=${r.action}, content=${JSON.stringify(r.content)}`);
  },
  test_elicitation_sep1034_defaults: async (_, ctx) => {
    const r = await ctx.mcpReq.elicitInput({ message: 'Please review', requestedSchema: DEFAULTS });
    return text(`Elicitation completed: action=${r.action}, content=${JSON.stringify(r.content)}`);
  },
  test_elicitation_sep1330_enums: async (_, ctx) => {
    const r = await ctx.mcpReq.elicitInput({ message: 'Please choose', requestedSchema: ENUMS });
    return text(`Elicitation completed: action=${r.action}, content=${JSON.stringify(r.content)}`);
  },
  json_schema_2020_12_tool: () => text('checked'),
  test_missing_capability: rounds([{ capital_question: ask.capital }], false),
  test_logging_tool: async (_, ctx) => {
    await ctx.mcpReq.log('info', 'a log message');
    return text('logged');
  },
  test_streaming_elicitation: rounds([{ user_name: ask.name }], false),
  test_input_required_result_elicitation: rounds([{ user_name: ask.name }], false),
  test_input_required_result_sampling: rounds([{ capital_question: ask.capital }], false),
  test_input_required_result_list_roots: rounds([{ client_roots: ask.roots }], false),
  test_input_required_result_request_state: rounds([{ confirm: ask.sure }], true),
  test_input_required_result_multiple_inputs: rounds([{ user_name: ask.name, capital_question: ask.capital, client_roots: ask.roots }], true),
  test_input_required_result_multi_round: rounds([{ step1: ask.name }, { step2: ask.colour }], true),
  test_input_required_result_tampered_state: rounds([{ confirm: ask.sure }], true),
  test_input_required_result_capabilities: rounds([{ capital_question: ask.capital }], false),
  // Of no scenario, and at the end, since some take the first tool: what takes longer than anybody waits, and which of these were cancelled.
  test_slow: (_, ctx) => new Promise((done) => {
    ctx.mcpReq.signal.addEventListener('abort', () => {
      givenUp.push('slow');
      done(text('late'));
    });
  }),
  test_given_up: () => text(givenUp.join()),
};
const INPUTS = {
  test_sampling: strings('prompt'),
  test_elicitation: strings('message'),
  json_schema_2020_12_tool: fromJsonSchema(DIALECT),
};

function build() {
  const server = new McpServer({ name: 'conformance', version: '1' }, {
    capabilities: { logging: {}, completions: {}, resources: { subscribe: true, listChanged: true }, tools: { listChanged: true }, prompts: { listChanged: true } },
    requestState: { verify: state.verify },
  });
  for (const [name, run] of Object.entries(TOOLS))
    server.registerTool(name, { description: `Of the suite: ${name}`, inputSchema: INPUTS[name] ?? fromJsonSchema(form({})) }, run);
  const changes = {
    tool: () => server.sendToolListChanged(), prompt: () => server.sendPromptListChanged(), resource: () => server.sendResourceListChanged(),
    watched: () => server.server.sendResourceUpdated({ uri: 'test://watched-resource' }),
  };
  for (const [kind, change] of Object.entries(changes))
    server.registerTool(`test_trigger_${kind}_change`, { description: 'Changes a list', inputSchema: fromJsonSchema(form({})) }, async () => {
      await change();
      return text('changed');
    });

  server.registerResource('static-text', 'test://static-text', { mimeType: 'text/plain' }, () => ({ contents: [{ uri: 'test://static-text', mimeType: 'text/plain', text: 'This is the content of the static text resource.' }] }));
  server.registerResource('static-binary', 'test://static-binary', { mimeType: 'image/png' }, () => ({ contents: [{ uri: 'test://static-binary', mimeType: 'image/png', blob: IMAGE }] }));
  server.registerResource('watched', 'test://watched-resource', { mimeType: 'text/plain' }, () => ({ contents: [{ uri: 'test://watched-resource', mimeType: 'text/plain', text: 'Watched' }] }));
  server.registerResource('template', new ResourceTemplate('test://template/{id}/data', { list: undefined }), { mimeType: 'application/json' }, (uri, { id }) => ({ contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }] }));

  const said = (...content) => ({ messages: content.map((c) => ({ role: 'user', content: c })) });
  const words = (value) => ({ type: 'text', text: value });
  server.registerPrompt('test_simple_prompt', { description: 'Without arguments' }, () => said(words('This is a simple prompt for testing.')));
  server.registerPrompt('test_prompt_with_arguments', { description: 'With two', argsSchema: strings('arg1', 'arg2') }, ({ arg1, arg2 }) => said(words(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)));
  server.registerPrompt('test_prompt_with_embedded_resource', { description: 'With a resource', argsSchema: strings('resourceUri') }, ({ resourceUri }) => said(resource(resourceUri, 'text/plain', 'Embedded resource content for testing.'), words('Please process the embedded resource above.')));
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () => said(image, words('Please analyze the image above.')));
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first', argsSchema: fromJsonSchema(form({})) }, rounds([{ user_context: ask.context }], false, said(words('with context'))));

  server.server.setRequestHandler('completion/complete', () => ({ completion: { values: ['paris', 'park'], total: 2, hasMore: false } }));
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  return server;
}

serveStdio(build, { onerror: (e) => console.error(e.message) });
