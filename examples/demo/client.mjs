// SPDX-License-Identifier: Apache-2.0
// client - the npm SDK as a desktop application uses it: starts a command, calls tools, prints each answer as a JSON line
//
// argv: { command, args, cwd, env, calls: [{ name, args }], waits }; "tools/list" comes first, and with "waits" again when an
// empty list is said to have changed: { first, tools }. Exit 0 when it could connect.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.STOCKADE_NODE_MODULES + '/x.js');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = await load('@modelcontextprotocol/sdk/client/stdio.js');
const { ToolListChangedNotificationSchema } = await load('@modelcontextprotocol/sdk/types.js');

const job = JSON.parse(process.argv[2]);
const client = new Client({ name: 'demo-client', version: '1' });
const names = async () => (await client.listTools()).tools.map((t) => t.name);
const changed = new Promise((done) => client.setNotificationHandler(ToolListChangedNotificationSchema, done));
await client.connect(new StdioClientTransport({ command: job.command, args: job.args, cwd: job.cwd, env: job.env, stderr: 'ignore' }));
const first = await names();
const late = job.waits && !first.length;
if (late) await changed;
const out = [{ first, tools: late ? await names() : first }];
for (const c of job.calls) {
  const r = await client.callTool({ name: c.name, arguments: c.args });
  out.push({ isError: r.isError === true, text: r.content.map((p) => p.text).join('\n') });
}
await client.close();
await new Promise((done) => process.stdout.write(JSON.stringify(out) + '\n', done));
process.exit(0);
