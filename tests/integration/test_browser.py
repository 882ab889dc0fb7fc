# SPDX-License-Identifier: Apache-2.0
"""A real browser behind a real server: Chromium driven by Playwright's MCP server, on a page of the sandbox's own loopback."""
import json
import os
import socket

import pytest
from integration.harness import MODULES, NODE22, SERVERS, Wire

PROGRAMS = [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("chromium", "chromium-headless-shell")]
# The last: whatever a browser calls home for, in the run without a sandbox, has no name to find.
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Palisade</title>
<h1 style="font: 40px serif">L\u00f6gs \U0001f980</h1><button onclick="document.title = 'Raised'">Raise</button>"""
# What a page of today uses, each resting on other calls: threads, shared memory, storage, fonts, the network, compiled code.
ASKED = """async () => {
  const seen = { title: document.title, cores: navigator.hardwareConcurrency };
  seen.fetched = (await (await fetch('/')).text()).length;
  seen.digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(3))).join();
  await WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  seen.worker = await new Promise(done => {
    const worker = new Worker(URL.createObjectURL(new Blob(['postMessage(6 * 7)'])));
    worker.onmessage = e => done(e.data);
  });
  seen.database = await new Promise((done, failed) => {
    const request = indexedDB.open('palisade');
    request.onsuccess = () => done('open');
    request.onerror = () => failed(request.error);
  });
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = '20px serif';
  seen.width = pen.measureText('L\u00f6gs').width;
  seen.copied = structuredClone(new Uint8Array(50e6)).length;
  return seen;
}"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def browser_server(person, program, port):
    """The command of a Playwright server that has the page beside it."""
    person.write("site/index.html", PAGE)
    config = person.write("config.json", json.dumps({"browser": {"isolated": True, "launchOptions": {
        "headless": True, "chromiumSandbox": False, "executablePath": f"/usr/lib/chromium/{program}", "args": FLAGS}}}))
    return ["/usr/bin/python3", f"{SERVERS}/with_page.py", str(port), f"{person.work}/site",
            NODE22, f"{MODULES}/@playwright/mcp/cli.js", "--config", config]


def confined(person, command, seccomp):
    person.profile("browser", {"stockade": 1, "name": "browser", "version": 1, "command": command, "cwd": "/tmp",
                               "filesystem": {"read": [person.work, os.path.dirname(MODULES)]}, "seccomp": seccomp})
    person.approve("browser")
    return person.start("browser")


def browse(wire, port):
    """Everything that the server says of the page, the screenshot's bytes included, but for names of files with the time."""
    wire.initialize()
    answers = [wire.call(name, arguments) for name, arguments in [
        ("browser_navigate", {"url": f"http://127.0.0.1:{port}/"}), ("browser_evaluate", {"function": ASKED}),
        ("browser_click", {"element": "Raise", "target": "button"}), ("browser_snapshot", {}), ("browser_take_screenshot", {}),
        ("browser_close", {})]]
    parts = [part for answer in answers for part in answer["result"]["content"]]
    lines = [line for part in parts for line in part.get("text", "").splitlines() if ".playwright-mcp" not in line]
    return lines, [part["data"] for part in parts if part["type"] == "image"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_real_browser_shows_the_same_page_inside(person, program):
    port = free_port()
    command = browser_server(person, program, port)
    bare = Wire(command, env=person.env, cwd=person.work)
    lines, images = browse(bare, port)
    bare.end()
    assert "- Page Title: Palisade" in lines and "- Page Title: Raised" in lines and len(images) == 1, lines
    wrapped = confined(person, command, "browser")
    assert browse(wrapped, port) == (lines, images)
    wrapped.eof()
    wrapped.wait()
    person.verified()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_browser_cannot_be_driven_without_the_set_that_is_made_for_it(person, program):
    port = free_port()
    wire = confined(person, browser_server(person, program, port), "default")
    lines, images = browse(wire, port)
    assert any("EPERM" in line or "Operation not permitted" in line for line in lines), lines
    assert not images and os.path.exists(f"/usr/lib/chromium/{program}")
    wire.kill()


def test_the_question_says_that_the_set_for_browsers_opens_unix_sockets(person):
    confined(person, ["/bin/true"], "browser").end()
    said = person.stockade("check", "browser", check=0).stdout
    assert "it can connect to any unix socket below any granted directory" in said and "DANGEROUS" in said
    confined(person, ["/bin/true"], "default").end()
    assert "it can connect to any unix socket" not in person.stockade("check", "browser", check=0).stdout
    path = person.profile("open", {"stockade": 1, "name": "open", "command": ["/bin/cat", "${of}"], "seccomp": "browser",
                                   "parameters": {"of": {"type": "file"}}})
    assert "browser; may open unix sockets" in person.stockade("check", path, check=0).stdout
