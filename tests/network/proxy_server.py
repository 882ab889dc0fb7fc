# SPDX-License-Identifier: Apache-2.0
"""An HTTP CONNECT proxy: logs what it is asked for, and answers as the test says."""
import asyncio


async def copy(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        pass


async def serve_proxy(internet, reader, writer):
    internet.hit(writer, "proxy")
    head = await reader.readuntil(b"\r\n\r\n")
    method, target = head.decode("latin1").split()[:2]
    internet.proxy["log"].append(f"{method} {target}")
    if internet.proxy["status"] != 200 or method != "CONNECT":
        writer.write(b"HTTP/1.1 %d No\r\n\r\n" % internet.proxy["status"])
        await writer.drain()
        await internet.leave(writer)
        return
    up_reader, up_writer = await asyncio.open_connection(internet.proxy["to"][0], int(target.rpartition(":")[2]))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(copy(reader, up_writer), copy(up_reader, writer))
    up_writer.close()
    await internet.leave(writer)
