#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// caller - a server that phones home: its one tool connects to an address and says how that went
import net from 'node:net';
import readline from 'node:readline';

const connect = ({ host, port }) =>
  new Promise((done) => {
    const s = net.connect({ host, port, timeout: 5000 });
    const end = (text) => (s.destroy(), done({ content: [{ type: 'text', text }] }));
    s.on('connect', () => end('connected'));
    s.on('timeout', () => end('ETIMEDOUT'));
    s.on('error', (e) => end(e.code));
  });

const tools = [{ name: 'connect', inputSchema: { type: 'object', properties: { host: { type: 'string' }, port: { type: 'integer' } } } }];
const methods = {
  initialize: (p) => ({ protocolVersion: p.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'caller', version: '1' } }),
  'tools/list': () => ({ tools }),
  'tools/call': (p) => connect(p.arguments),
};

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined || !methods[method]) return;
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, result: await methods[method](params) }) + '\n');
});
