# SPDX-License-Identifier: Apache-2.0
"""PyPI's mcp as a client: the same job on argv as the npm clients take, the same form of answers on stdout.

MCP_MODE in the environment: its other client, which speaks both eras (auto), or 2026-07-28 alone.
"""
import asyncio
import json
import os
import sys

import anyio
from mcp import Client, ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import ToolListChangedNotification

CHANGED = asyncio.Event()


def plain(model):
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def mark(path):
    with open(path, "w", encoding="ascii"):
        pass


async def changed(session, path):
    if isinstance(session, ClientSession):
        mark(path)
        await CHANGED.wait()
        return
    async with session.listen(tools_list_changed=True) as events:
        mark(path)
        async for _ in events:
            break


async def one(session, step):
    op = step["op"]
    if op == "changed":
        await changed(session, step["file"])
        return None
    if op == "tools":
        return plain(await session.list_tools())
    if op == "call":
        progress = []

        async def note(value, total, message):
            progress.append({"progress": value, "total": total, "message": message})

        with anyio.fail_after(step["abortAfter"] / 1000 if "abortAfter" in step else None):
            result = plain(await session.call_tool(step["name"], step.get("args") or {},
                                                   progress_callback=note if step.get("progress") else None))
        return {"result": result, "progress": progress} if step.get("progress") else result
    if op == "resources":
        return plain(await session.list_resources())
    if op == "read":
        return plain(await session.read_resource(step["uri"]))
    if op == "prompts":
        return plain(await session.list_prompts())
    if op == "prompt":
        return plain(await session.get_prompt(step["name"], step.get("args") or {}))
    raise ValueError(op)


async def heard(message):
    if isinstance(getattr(message, "root", message), ToolListChangedNotification):
        CHANGED.set()


async def all_of(session, steps):
    answers = []
    for step in steps:
        try:
            answers.append({"ok": await one(session, step)})
        except Exception as e:  # pylint: disable=broad-except  # whatever it is, the caller compares it
            answers.append({"error": {"name": type(e).__name__, "message": str(e)}})
    return answers


async def main(job):
    server = StdioServerParameters(command=job["command"], args=job["args"], env=job.get("env"), cwd=job.get("cwd"))
    mode = os.environ.get("MCP_MODE")
    if mode:
        async with Client(stdio_client(server), mode=mode) as client:
            answers = await all_of(client, job["steps"])
    else:
        async with stdio_client(server) as (read, write), ClientSession(read, write, message_handler=heard) as session:
            await session.initialize()
            answers = await all_of(session, job["steps"])
    print(json.dumps(answers))


asyncio.run(main(json.loads(sys.argv[1])))
