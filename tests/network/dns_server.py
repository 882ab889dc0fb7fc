# SPDX-License-Identifier: Apache-2.0
"""A name server that answers as the test scripts it, honestly or not.

zone: {name: {"A": [...], "AAAA": [...], "CNAME": name, "turns": [[...], ...], "mode": word, "delay": seconds}}
turns: the A records of one question after the other, the last for ever. Modes: never (no answer), servfail, truncated (UDP says
TC, TCP tells), lie (an answer to another question), forged (a wrong id), garbage. More records than a datagram holds are told by TCP
alone, as by any server.
"""
import asyncio
import socket
import struct

TYPES = {1: "A", 2: "NS", 5: "CNAME", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB", 65: "HTTPS", 255: "ANY"}
CNAME, UDP_MAX, NXDOMAIN, SERVFAIL = 5, 1232, 3, 2


def name_bytes(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split(".") if p) + b"\0"


def record(name, kind, data):
    return name_bytes(name) + struct.pack("!HHIH", kind, 1, 0, len(data)) + data


def read_name(packet, at):
    parts = []
    while packet[at]:
        n = packet[at]
        parts.append(packet[at + 1:at + 1 + n].decode("latin1"))
        at += 1 + n
    return ".".join(parts), at + 1


class DnsServer:
    def __init__(self):
        self.zone, self.turns, self.queries = {}, {}, []

    async def listen(self, address):
        loop = asyncio.get_running_loop()
        server = self

        class Udp(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, addr):
                asyncio.ensure_future(server.by_udp(self.transport, data, addr))

        await loop.create_datagram_endpoint(Udp, local_addr=(address, 53))
        await asyncio.start_server(self.by_tcp, address, 53)

    async def by_udp(self, transport, data, addr):
        for part in await self.answer(data, "udp"):
            transport.sendto(part, addr)

    async def by_tcp(self, reader, writer):
        try:
            while True:
                n = struct.unpack("!H", await reader.readexactly(2))[0]
                for part in await self.answer(await reader.readexactly(n), "tcp"):
                    writer.write(struct.pack("!H", len(part)) + part)
                    await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    def a_records(self, name, entry):
        if "turns" not in entry:
            return entry.get("A", [])
        turn = self.turns.get(name, 0)
        self.turns[name] = turn + 1
        return entry["turns"][min(turn, len(entry["turns"]) - 1)]

    def records(self, name, kind):
        """Follows CNAMEs as a recursive server does. None: no such name."""
        out, seen = [], set()
        while name not in seen:
            seen.add(name)
            entry = self.zone.get(name)
            if entry is None:
                return out or None
            if "CNAME" not in entry:
                break
            out.append(record(name, CNAME, name_bytes(entry["CNAME"])))
            name = entry["CNAME"].lower()
        if kind == 1:
            out += [record(name, 1, socket.inet_pton(socket.AF_INET, a)) for a in self.a_records(name, entry)]
        elif kind == 28:
            out += [record(name, 28, socket.inet_pton(socket.AF_INET6, a)) for a in entry.get("AAAA", [])]
        return out

    async def answer(self, data, transport):
        asked, end = read_name(data, 12)
        kind = struct.unpack("!H", data[end:end + 2])[0]
        name = asked.lower()
        self.queries.append([asked, TYPES.get(kind, str(kind)), transport])
        entry = self.zone.get(name, {})
        mode = entry.get("mode")
        await asyncio.sleep(entry.get("delay", 0))
        if mode == "never":
            return []
        if mode == "garbage":
            return [data[:2] + b"\x81\x80" + b"\xff" * 200]
        rcode, flags = 0, 0x8180
        found = [] if mode == "servfail" else self.records(name, kind)
        if mode == "servfail" or found is None:
            rcode = SERVFAIL if mode == "servfail" else NXDOMAIN
            found = []
        ident, question = data[:2], data[12:end + 4]
        if mode == "lie":
            question = name_bytes("other.example") + question[-4:]
        if mode == "forged":
            ident = bytes([data[0] ^ 0xff, data[1]])
        body = b"".join(found)
        if transport == "udp" and (mode == "truncated" or len(body) > UDP_MAX):
            flags, found, body = flags | 0x200, [], b""
        return [ident + struct.pack("!HHHHH", flags | rcode, 1, len(found), 0, 0) + question + body]
