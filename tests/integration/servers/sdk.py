# SPDX-License-Identifier: Apache-2.0
"""A server on the official Python SDK that has something of everything: tools that log, tell their progress, ask the client, take long or
say much; resources, templates, prompts and completions."""
import asyncio

from mcp.server.mcpserver import Context, MCPServer
from mcp.types import Completion
from pydantic import BaseModel

server = MCPServer("sdk", instructions="Nothing here is random; nothing tells the time.")


class Name(BaseModel):
    name: str


class Numbers(BaseModel):
    small: float
    large: int
    nothing: None = None
    by_name: dict[str, float]


@server.tool()
async def numbers() -> Numbers:
    """What is easily lost: large integers, floats that are whole, the order of keys."""
    return Numbers(small=1e-300, large=12345678901234567890, by_name={"zeta": 1.0, "alpha": -0.0, "10": 1e22, "9": 0.1})


@server.tool()
async def big(characters: int) -> str:
    """That many characters, not all of them ASCII."""
    return ("x\u00fc\U0001f980 " * characters)[:characters]


@server.tool()
async def fails(why: str) -> str:
    """An error result."""
    raise ValueError(why)


@server.tool()
async def steps(ctx: Context, n: int) -> str:
    """Progress and log messages."""
    for i in range(n):
        await ctx.report_progress(i + 0.5, n, f"step {i}")
        await ctx.info(f"did {i}")
    return "done"


@server.tool()
async def asks(ctx: Context) -> str:
    """Every request that a server may send."""
    await ctx.session.send_ping()
    roots = await ctx.session.list_roots()
    sampled = await ctx.session.create_message(messages=[], max_tokens=7, temperature=0.5)
    answer = await ctx.elicit("Your name?", Name)
    return f"{[str(r.uri) for r in roots.roots]} {sampled.model} {answer}"


GIVEN_UP = []


@server.tool()
async def slow() -> str:
    """Takes longer than anybody waits."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        GIVEN_UP.append("slow")
        raise
    return "late"


@server.tool()
async def given_up() -> list[str]:
    """What was cancelled here."""
    return GIVEN_UP


@server.resource("note://one", mime_type="text/plain")
def one() -> str:
    return "one\r\n\ttwo \u2028 \u00e9"


@server.resource("note://bytes", mime_type="application/octet-stream")
def blob() -> bytes:
    return bytes(range(256))


@server.resource("note://{name}/text")
def named(name: str) -> str:
    return f"of {name}"


@server.prompt()
def review(code: str) -> str:
    """A review."""
    return f"Please review:\n{code}"


@server.completion()
async def complete(ref, argument, context):
    return Completion(values=[argument.value + "thon", "perl"], total=2, has_more=False)


server.run("stdio")
