# SPDX-License-Identifier: Apache-2.0
"""Everything that answers outside a sandbox: one process in a network namespace where every address is its own.

Usage: internet.py ROLE CERTIFICATE KEY [DNS-ADDRESS]. Commands are JSON lines on stdin, answers JSON lines on stdout.
Whatever connects is logged with the address and port that it meant, so that a test can say what was reached.
"""
import asyncio
import json
import os
import ssl
import sys

from dns_server import DnsServer
from proxy_server import serve_proxy

ROLE = sys.argv[1]
HTTP, TLS, ECHO, BULK, MUTE, DEAF, PROXY = (80, 8080, 8000), (443, 8443), (7,), (9000,), (9001,), (9002,), (3128,)
CHUNK = bytes(range(256)) * 256


class Internet:
    def __init__(self):
        self.hits = []
        self.open = set()
        self.proxy = {"status": 200, "extra": b"", "log": [], "to": ["203.0.113.10"]}
        self.dns = DnsServer()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(sys.argv[2], sys.argv[3])

    def hit(self, writer, kind):
        host, port = writer.get_extra_info("sockname")[:2]
        entry = {"kind": kind, "address": host, "port": port, "peer": writer.get_extra_info("peername")[0]}
        self.hits.append(entry)
        self.open.add(writer)
        return entry

    async def leave(self, writer):
        self.open.discard(writer)
        try:
            writer.close()
            await writer.wait_closed()
        except OSError:
            pass

    async def http(self, reader, writer, entry=None):
        """Answers with what was asked, and of whom. Keeps the connection, as servers do."""
        entry = entry or self.hit(writer, "http")
        try:
            while line := await reader.readline():
                head = {}
                while (field := (await reader.readline()).decode("latin1").strip()):
                    k, _, v = field.partition(":")
                    head[k.lower()] = v.strip()
                sent = await reader.readexactly(int(head.get("content-length", 0)))
                await self.answer_http(writer, entry, line.decode("latin1").split(), head, sent)
                if head.get("connection", "").lower() == "close":
                    break
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass
        await self.leave(writer)

    async def answer_http(self, writer, entry, words, head, sent):
        path = words[1] if len(words) > 1 else "/"
        if path.startswith("/repo.git"):
            await git_backend(writer, words, head, sent)
            return
        if path.startswith("/redirect?"):
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % path.partition("?")[2].encode())
            await writer.drain()
            return
        if path.startswith("/bytes/"):
            body = CHUNK * (int(path.split("/")[2]) // len(CHUNK))
        elif path.startswith("/page"):
            body = b"<html><body><article><h1>Stand-in</h1><p>The page says hello to the reader.</p></article></body></html>"
        else:
            body = json.dumps({"role": ROLE, "host": head.get("host"), "path": path, "sent": len(sent), **entry}).encode()
        kind = b"text/html" if path.startswith("/page") else b"text/plain" if path == "/robots.txt" else b"application/json"
        status = b"404 Not Found" if path == "/robots.txt" else b"200 OK"
        writer.write(b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (status, kind, len(body)))
        writer.write(body)
        await writer.drain()

    async def tls(self, reader, writer):
        entry = self.hit(writer, "tls")  # whatever comes of the handshake
        try:
            await writer.start_tls(self.context, ssl_handshake_timeout=10)
        except OSError:
            await self.leave(writer)
            return
        await self.http(reader, writer, entry)

    async def echo(self, reader, writer):
        self.hit(writer, "echo")
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
            writer.write(b"after the half-close")
            await writer.drain()
        except OSError:
            pass
        await self.leave(writer)

    async def bulk(self, _, writer):
        self.hit(writer, "bulk")
        try:
            while True:
                writer.write(CHUNK)
                await writer.drain()
        except OSError:
            pass
        await self.leave(writer)

    async def mute(self, reader, writer):
        self.hit(writer, "mute")
        try:
            while await reader.read(1 << 16):
                pass
        except OSError:
            pass
        await self.leave(writer)

    async def deaf(self, _, writer):
        """Takes no notice of anything, an end included."""
        self.hit(writer, "deaf")
        self.open.discard(writer)
        writer.transport.pause_reading()
        await asyncio.sleep(3600)

    async def command(self, c):
        """One command of the test's."""
        if c["do"] == "zone":
            self.dns.zone = {k.lower(): v for k, v in c["zone"].items()}
            self.dns.turns.clear()
        elif c["do"] == "take":
            answer = {"hits": self.hits, "queries": self.dns.queries, "proxy": self.proxy["log"]}
            self.hits, self.dns.queries, self.proxy["log"] = [], [], []
            return answer
        elif c["do"] == "open":
            return {"open": len(self.open)}
        elif c["do"] == "proxy":
            self.proxy.update({k: v for k, v in c.items() if k != "do"})
        return {}


async def git_backend(writer, words, head, sent):
    path, _, query = words[1].partition("?")
    env = {"GIT_PROJECT_ROOT": os.environ["GIT_PROJECT_ROOT"], "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
           "REQUEST_METHOD": words[0], "CONTENT_TYPE": head.get("content-type", ""), "CONTENT_LENGTH": str(len(sent)), "HOME": "/",
           "PATH": os.environ["PATH"], "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
           "HTTP_CONTENT_ENCODING": head.get("content-encoding", ""), "GIT_PROTOCOL": head.get("git-protocol", "")}
    p = await asyncio.create_subprocess_exec("git", "http-backend", env=env, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await p.communicate(sent)
    fields, _, body = out.partition(b"\r\n\r\n")
    status = b"200 OK"
    kept = []
    for field in fields.split(b"\r\n"):
        if field.lower().startswith(b"status:"):
            status = field.split(b":", 1)[1].strip()
        else:
            kept.append(field)
    writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n\r\n%b" % (status, len(body), b"\r\n".join(kept), body))
    await writer.drain()


async def main():
    internet = Internet()
    plan = [(HTTP, internet.http), (TLS, internet.tls), (ECHO, internet.echo), (BULK, internet.bulk), (MUTE, internet.mute),
            (DEAF, internet.deaf), (PROXY, lambda r, w: serve_proxy(internet, r, w))]
    for ports, handler in plan:
        for port in ports:
            for host in ("0.0.0.0", "::"):
                await asyncio.start_server(handler, host, port, backlog=4096)
    if len(sys.argv) > 4:
        await internet.dns.listen(sys.argv[4])
    print("{}", flush=True)
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(json.dumps(await internet.command(json.loads(line))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
