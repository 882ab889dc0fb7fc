// SPDX-License-Identifier: Apache-2.0
// http_relay - a STDIO server behind streamable HTTP on loopback, message by message: `http_relay.mjs COMMAND...` prints its port.
// Unlike mcp-proxy it passes on what the server asks the client, and answers nothing itself. A session of the legacy era has a process of
// its own, and so has each version that requests without a session name.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const command = process.argv.slice(2);
const sessions = new Map();

const event = (stream, message) => stream.write(`event: message\ndata: ${message}\n\n`);

// The streams that are open for a process: by the id of the request that they answer, and the one for all else.
class Session {
  constructor() {
    this.waiting = new Map();
    this.child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'ignore'] });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.said(line));
  }

  said(line) {
    const message = JSON.parse(line);
    const id = JSON.stringify(message.id);
    const answered = message.method === undefined ? this.waiting.get(id) : undefined;
    const of = JSON.stringify(message.params?._meta?.['io.modelcontextprotocol/subscriptionId']);
    const stream = answered ?? this.waiting.get(of) ?? [...this.waiting.values()].at(-1) ?? this.general;
    if (stream) event(stream, line);
    if (answered) {
      this.waiting.delete(id);
      answered.end();
    }
  }

  gets(body, response) {
    const message = JSON.parse(body);
    this.child.stdin.write(JSON.stringify(message) + '\n');
    if (message.id === undefined || message.method === undefined) {
      response.writeHead(202).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', ...(this.id ? { 'mcp-session-id': this.id } : {}) });
    response.flushHeaders();
    this.waiting.set(JSON.stringify(message.id), response);
    response.on('close', () => this.waiting.delete(JSON.stringify(message.id)));
  }
}

function sessionOf(request, body) {
  const known = request.headers['mcp-session-id'];
  if (known) return sessions.get(known);
  const message = JSON.parse(body);
  if (message.method !== 'initialize') {
    const version = String(message.params?._meta?.['io.modelcontextprotocol/protocolVersion']);
    if (!sessions.has(version)) sessions.set(version, new Session());
    return sessions.get(version);
  }
  const session = new Session();
  session.id = `s${sessions.size + 1}`;
  sessions.set(session.id, session);
  return session;
}

function post(request, response) {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    const session = sessionOf(request, body);
    if (session) session.gets(body, response);
    else response.writeHead(404).end();
  });
}

createServer((request, response) => {
  const session = sessions.get(request.headers['mcp-session-id']);
  if (request.method === 'POST') post(request, response);
  else if (request.method === 'GET' && session) {
    session.general = response;
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  } else if (request.method === 'DELETE' && session) {
    session.child.stdin.end();
    response.writeHead(200).end();
  } else response.writeHead(405).end();
}).listen(0, '127.0.0.1', function () {
  console.log(this.address().port);
});
process.stdin.resume();
process.stdin.on('end', () => {
  for (const { child } of sessions.values()) child.stdin.end();
  setTimeout(() => process.exit(0), 100);
});
