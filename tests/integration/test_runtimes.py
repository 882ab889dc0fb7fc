# SPDX-License-Identifier: Apache-2.0
"""Real servers of each runtime, built with the official SDKs, say the same inside as bare: every method that they have, token by token."""
import json
import os
import platform

import pytest
from integration.harness import MODULES, NODE22, PYTHON, SERVERS, STAGE, Wire, npm_server, until

ARM = platform.machine() == "aarch64"
GO = f"{MODULES}/kubernetes-mcp-server-linux-{'arm64' if ARM else 'amd64'}/bin/kubernetes-mcp-server-linux-{'arm64' if ARM else 'amd64'}"
DOTNET = f"{MODULES}/@azure/mcp-template-linux-{'arm64' if ARM else 'x64'}/dist/mcptmp"
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
"""
LARGE = "0123456789 \u00fc\U0001f980\n" * 40000  # what write_file is given and a read brings back


def call(name, **arguments):
    return ("tools/call", {"name": name, "arguments": arguments, "_meta": {"progressToken": f"of {name}"}})


def get(name, **arguments):
    return ("prompts/get", {"name": name, "arguments": arguments})


def read(uri):
    return ("resources/read", {"uri": uri})


def completed(prompt, argument, value):
    return ("completion/complete", {"ref": {"type": "ref/prompt", "name": prompt}, "argument": {"name": argument, "value": value}})


# What every server is asked, whether it has it or not: an error is an answer as well.
FIRST = [("ping", None), ("tools/list", {}), ("prompts/list", {}), ("resources/list", {}), ("resources/templates/list", {}),
         ("logging/setLevel", {"level": "info"})]
LAST = [call("no_such_tool"), get("none"), read("none://none"), completed("none", "a", ""), ("resources/subscribe", {"uri": "none://none"}),
        ("tools/list", {"cursor": "no such cursor"}), ("logging/setLevel", {"level": "deafening"}), ("ping", {"_meta": {"n": 1}})]

# runtime: command, what it may read and write, what it is asked; {work} is the person's directory
RUNTIMES = {
    "node": (npm_server("filesystem", "{work}"), [], ["{work}"], [
        call("write_file", path="{work}/n.txt", content="n"), call("read_text_file", path="{work}/n.txt"),
        call("list_directory", path="{work}"), call("write_file", path="{work}/n.txt", content=LARGE),
        call("read_text_file", path="{work}/n.txt"), call("read_text_file", path="{work}/absent")]),
    "node, everything": (npm_server("everything", "stdio"), [], [], [
        call("echo", message="h\u00e9llo \u2028 \U0001f980"), call("get-sum", a=1.5, b=2), call("get-structured-content", location="New York"),
        call("get-annotated-message", messageType="error", includeImage=True), call("get-resource-links", count=2),
        call("trigger-long-running-operation", duration=0.2, steps=2), call("trigger-sampling-request", prompt="p", maxTokens=7),
        call("trigger-elicitation-request"), call("get-roots-list"), get("simple-prompt"), get("args-prompt", city="Oslo"),
        read("demo://resource/static/document/architecture.md"), completed("completable-prompt", "department", "E"),
        ("resources/subscribe", {"uri": "demo://resource/static/document/architecture.md"})]),
    "node, version 2 of the SDK": ([NODE22, f"{SERVERS}/conformance.mjs", MODULES], [MODULES, SERVERS], [], [
        call("test_simple_text"), call("test_multiple_content_types"), call("test_tool_with_logging"), call("test_tool_with_progress"),
        call("test_error_handling"), call("test_sampling", prompt="p"), call("test_elicitation", message="m"),
        call("test_elicitation_sep1330_enums"), get("test_prompt_with_arguments", arg1="a", arg2="b"), read("test://static-binary"),
        read("test://template/7/data"), completed("test_prompt_with_arguments", "arg1", "pa"), call("test_trigger_tool_change")]),
    "python": ([f"{STAGE}/venv/bin/mcp-server-time"], [], [], [
        call("convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo"),
        call("convert_time", source_timezone="UTC", time="23:59", target_timezone="Europe/Oslo"),
        call("convert_time", source_timezone="UTC", time="nonsense", target_timezone="UTC")]),
    "python, everything": ([PYTHON, f"{SERVERS}/sdk.py"], [f"{STAGE}/venv"], [], [
        call("numbers"), call("big", characters=200000), call("fails", why="w"), call("steps", n=3), call("asks"),
        get("review", code="x = 1.0"), read("note://one"), read("note://bytes"), read("note://a%20b/text"), completed("review", "code", "py")]),
    "go": ([GO, "--kubeconfig", "{work}/kubeconfig"], ["{work}"], [], [
        call("configuration_view"), call("configuration_view", minified=False), completed("cluster-health-check", "namespace", "")]),
    "dotnet": ([DOTNET, "server", "start", "--mode", "single"], [], [], [
        call("template", intent="learn", learn=True), call("template", intent="list", learn=True, tool="none"),
        call("template", intent="none")]),
    "java": (["java", "-cp", f"{STAGE}/java/lib/*:{STAGE}/java/out", "EchoServer"], [f"{STAGE}/java"], [], [
        call("echo", text="one"), call("echo", text="\u00fc\U0001f980"), call("echo", text="x" * 70000)]),
}
# Where the SDK says that it is in there: the go.mod of a build, the bundle of a single-file program, what a package needs.
BUILT_WITH = {
    "go": (GO, b"github.com/modelcontextprotocol/go-sdk"),
    "dotnet": (DOTNET, b"ModelContextProtocol.Core"),
    "node": (f"{MODULES}/@modelcontextprotocol/server-filesystem/package.json", b'"@modelcontextprotocol/sdk"'),
    "python": (f"{STAGE}/venv/bin/mcp-server-time", b"mcp_server_time"),
}
# The client's answers, in JSON that is passed on as it is.
ANSWERS = {
    "ping": "{}",
    "roots/list": '{"roots":[{"uri":"file://%s","name":"work"}]}',
    "sampling/createMessage": '{"role":"assistant","content":{"type":"text","text":"t"},"model":"m","x":[1.0]}',
    "elicitation/create": '{"action":"accept","content":{"name":"n","username":"u","email":"u@example.org"}}',
}
NAMED = "The server 'runtime' asks: "


def filled(value, work):
    return json.loads(json.dumps(value).replace("{work}", work))


def exact(line):
    """A message with everything that a parser might forget: the order of keys, and numbers as they were spelt."""
    return json.loads(line, object_pairs_hook=lambda pairs: ("object", *pairs), parse_int=lambda s: ("number", s),
                      parse_float=lambda s: ("number", s), parse_constant=lambda s: ("constant", s))


def asked(wire, work, ident, method, params):
    """Sends a request and answers what the server asks until its answer is there."""
    wire.send({"jsonrpc": "2.0", "id": ident, "method": method, **({} if params is None else {"params": params})})
    while True:
        m = wire.message()
        assert m is not None, wire.err[-2000:]
        if "method" in m and "id" in m:
            result = ANSWERS[m["method"]].replace("%s", work)
            wire.send_raw(f'{{"jsonrpc":"2.0","id":{json.dumps(m["id"])},"result":{result}}}\n'.encode())
        elif m.get("id") == ident:
            return m


def talk(wire, work, requests):
    """All that the server said, and what it answered to a method that nobody has."""
    hello = {"protocolVersion": "2025-11-25", "capabilities": {"roots": {}, "sampling": {}, "elicitation": {"form": {}}},
             "clientInfo": {"name": "raw", "version": "1"}}
    asked(wire, work, "hello", "initialize", hello)
    wire.notify("notifications/initialized")
    for i, (method, params) in enumerate(FIRST + requests):
        asked(wire, work, i, method, params)
    wire.notify("notifications/cancelled", {"requestId": "no such request", "reason": "enough"})
    for i, (method, params) in enumerate(LAST):
        asked(wire, work, f"last {i}", method, params)
    unknown = asked(wire, work, "unknown", "example.org/unknown", {})
    said = [line for line in wire.seen if json.loads(line).get("id") != "unknown"]
    return said, unknown


def sorted_out(lines):
    """By sort and method: which of two that belong to different things comes first is the server's own doing, and with it the ids that it
    gives to its requests."""
    said = {}
    for line in lines:
        m, whole = json.loads(line), exact(line)
        if "method" in m and "id" in m:
            whole = tuple(member for member in whole if member[0] != "id")
        said.setdefault(m.get("method", "answer"), []).append(whole)
    return said


def unnamed(line):
    """A form's words begin with who asks: what stockade adds on purpose."""
    if json.loads(line).get("method") != "elicitation/create":
        return line
    assert NAMED.encode() in line
    return line.replace(NAMED.encode(), b"", 1)


def promised(line):
    """The kill switch can change the list of tools: that is the one thing that a hello has more than the server said."""
    message = json.loads(line)
    tools = (message.get("result") or {}).get("capabilities", {}).get("tools")
    if not isinstance(tools, dict) or tools.get("listChanged") is True:
        return line
    message["result"]["capabilities"]["tools"] = {"listChanged": True, **{k: v for k, v in tools.items() if k != "listChanged"}}
    return json.dumps(message)


@pytest.mark.parametrize("runtime", [pytest.param(r, marks=pytest.mark.needs("java-sdk")) if r == "java" else r
                                     for r in RUNTIMES])
def test_a_real_server_of_each_runtime_says_the_same_inside(person, runtime):
    command, reads, writes, requests = (filled(v, person.work) for v in RUNTIMES[runtime])
    person.write("kubeconfig", KUBECONFIG)
    bare = Wire(command, env=person.env, cwd=person.work)
    said, unknown = talk(bare, person.work, requests)
    bare.kill()
    if os.path.exists(f"{person.work}/n.txt"):
        os.unlink(f"{person.work}/n.txt")
    roots = [] if person.work in writes else [person.work]  # what the client says it is about has to be there
    person.profile("runtime", {"stockade": 1, "name": "runtime", "command": command,
                               "filesystem": {"read": reads + roots, "write": writes},
                               "client": {"sampling": True, "elicitation": True, "roots": [person.work]}})
    person.approve("runtime")
    wrapped = person.start("runtime")
    passed, denied = talk(wrapped, person.work, requests)
    expected, got = sorted_out(promised(line) for line in said), sorted_out(unnamed(line) for line in passed)
    assert sorted(got) == sorted(expected)
    for sort, messages in expected.items():
        for want, have in zip(messages, got[sort]):
            assert have == want
        assert len(got[sort]) == len(messages), sort
    assert sum("result" in json.loads(line) for line in said) >= len(requests)
    # A method that is none of the protocol's does not reach the server, and is answered as one that it does not have.
    assert unknown["error"]["code"] == denied["error"]["code"] == -32601
    wrapped.eof()
    wrapped.wait()
    person.verified()


@pytest.mark.parametrize("runtime", BUILT_WITH)
def test_the_server_is_built_with_the_official_sdk_of_its_language(runtime):
    path, words = BUILT_WITH[runtime]
    with open(path, "rb") as f:
        assert words in f.read()


# What takes longer than anybody waits, and a tool that tells which of these were given up.
SLOW = {
    "python": ([PYTHON, f"{SERVERS}/sdk.py"], "slow", "given_up"),
    "node, version 2 of the SDK": ([NODE22, f"{SERVERS}/conformance.mjs", MODULES], "test_slow", "test_given_up"),
}


@pytest.mark.parametrize("how", ["by the client", "by the time limit"])
@pytest.mark.parametrize("runtime", SLOW)
def test_a_server_on_an_sdk_hears_that_a_call_is_cancelled_and_goes_on(person, runtime, how):
    command, slow, tells = SLOW[runtime]
    limit = {"time": "1s"} if how == "by the time limit" else {}
    person.profile("runtime", {"stockade": 1, "name": "runtime", "command": command, "filesystem": {"read": [f"{STAGE}/venv", MODULES, SERVERS]},
                               "tools": {"allow": [{"name": slow, **limit}, tells], "rate": "1000/s"}})
    person.approve("runtime")
    w = person.start("runtime")
    w.initialize("2025-11-25")
    w.send({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": {"name": slow, "arguments": {}}})
    if limit:
        assert "within 1 s" in w.answer("long")["result"]["content"][0]["text"]
    else:
        assert "slow" not in json.dumps(w.call(tells)["result"]["content"])
        w.notify("notifications/cancelled", {"requestId": "long", "reason": "enough"})
    until(lambda: "slow" in json.dumps(w.call(tells)["result"]["content"]))
    w.end()
    assert len([line for line in w.seen if json.loads(line).get("id") == "long"]) == bool(limit)
