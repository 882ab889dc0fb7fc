# SPDX-License-Identifier: Apache-2.0
"""Many connections or questions from inside. Usage: flood.py NAME WORD...; prints one line.

at-once HOST PORT N    all are open before the first is closed; how many echoed what was sent
held HOST PORT N       all are opened, and none is closed
in-a-row HOST PORT N   a few at a time; the same
kept HOST PORT N       one after the other, all kept; how many echoed, and what became of the others
each PATTERN PORT N    to N names below a wildcard, at once; what became of them
questions NAME N       datagrams to the name server, at once; how many answers came, and whether within a second
silent HOST PORT       says nothing and waits for the end, and how it comes
"""
import asyncio
import collections
import random
import socket
import struct
import sys
import time

IN_FLIGHT = 32  # of those in a row: a client that waits for each would measure the round trip alone
BEHIND = b"after the half-close"  # what the echo says then


async def echoed(host, port, gate=None):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"hello")
    answer = await reader.readexactly(5)
    if gate:
        await gate()
    writer.write_eof()
    answer += await reader.read()
    writer.close()
    return answer == b"hello" + BEHIND


async def at_once(host, port, n):
    everybody, here = asyncio.Event(), []

    async def gate():
        here.append(1)
        if len(here) == int(n):
            everybody.set()
        await everybody.wait()
    return sum(await asyncio.gather(*(echoed(host, int(port), gate) for _ in range(int(n)))))


async def held(host, port, n):
    await asyncio.gather(*(echoed(host, int(port), asyncio.Event().wait) for _ in range(int(n))))


async def in_a_row(host, port, n):
    left, good = [int(n)], []

    async def worker():
        while left[0] > 0:
            left[0] -= 1
            good.append(await echoed(host, int(port)))
    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return sum(good)


def end_of(s):
    try:
        return "EOF" if s.recv(1) == b"" else "DATA"
    except ConnectionResetError:
        return "RESET"


def kept(host, port, n):
    said, all_of_them = collections.Counter(), []
    for _ in range(int(n)):
        s = socket.create_connection((host, int(port)))
        all_of_them.append(s)
        try:
            s.sendall(b"hello")
            said["echoed" if s.recv(5) == b"hello" else "EOF"] += 1
        except (ConnectionResetError, BrokenPipeError):
            said["RESET"] += 1
    return dict(said)


async def each(pattern, port, n):
    async def one(i):
        try:
            return "echoed" if await echoed(pattern.replace("*", f"n{i}"), int(port)) else "EOF"
        except (OSError, asyncio.IncompleteReadError):
            return "RESET"
    return dict(collections.Counter(await asyncio.gather(*(one(i) for i in range(int(n))))))


def questions(name, n):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(20)
    s.connect(("198.18.0.1", 53))
    text = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0\0\1\0\1"
    asked = random.sample(range(65536), int(n))
    began, missing = time.monotonic(), set(asked)
    for ident in asked:
        s.send(struct.pack("!HHHHHH", ident, 0x100, 1, 0, 0, 0) + text)
    try:
        while missing:
            missing.discard(struct.unpack("!H", s.recv(512)[:2])[0])
    except TimeoutError:
        pass
    return f"{len(asked) - len(missing)} {'AT ONCE' if time.monotonic() - began < 1 else 'LATER'}"


def silent(host, port):
    return end_of(socket.create_connection((host, int(port))))


def main():
    what = {f.__name__: f for f in (at_once, held, in_a_row, kept, each, questions, silent)}[sys.argv[1].replace("-", "_")]
    said = what(*sys.argv[2:])
    print(asyncio.run(said) if asyncio.iscoroutine(said) else said)


if __name__ == "__main__":
    main()
