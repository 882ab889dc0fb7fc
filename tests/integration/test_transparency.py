# SPDX-License-Identifier: Apache-2.0
"""What a real server says, with and without stockade in between, message by message."""
import json
import uuid

import pytest
from integration.harness import MODULES, NODE22, PYTHON, SERVERS as SCRIPTS, STAGE, STOCKADE, ask, gone, inspector, npm_server, ODD, Wire

VENV = f"{STAGE}/venv/bin"


def call(name, **arguments):
    return ("tools/call", {"name": name, "arguments": arguments})


LISTS = [("tools/list", {}), ("resources/list", {}), ("resources/templates/list", {}), ("prompts/list", {})]

# name: (command, grants, requests after initialize); {work} is the person's directory
SERVERS = {
    "everything": (npm_server("everything", "stdio"), [], LISTS + [
        call("echo", message="héllo \u2028 \U0001f980 \\ \""),
        call("get-sum", a=2, b=40),
        call("get-annotated-message", messageType="error", includeImage=True),
        call("get-structured-content", location="New York"),
        call("get-tiny-image"),
        call("no-such-tool"),
        ("prompts/get", {"name": "simple-prompt"}),
        ("prompts/get", {"name": "args-prompt", "arguments": {"city": "Oslo"}}),
        ("prompts/get", {"name": "none"}),
        ("resources/read", {"uri": "demo://resource/static/document/architecture.md"}),
        ("resources/read", {"uri": "demo://none"}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "completable-prompt"},
                                 "argument": {"name": "department", "value": "E"}}),
        ("logging/setLevel", {"level": "error"}),
        ("ping", None),
    ]),
    "filesystem": (npm_server("filesystem", "{work}"), ["--rw", "{work}"], LISTS[:1] + [
        call("list_allowed_directories"),
        call("write_file", path="{work}/a.txt", content="line one\nline two\n"),
        call("read_text_file", path="{work}/a.txt"),
        call("edit_file", path="{work}/a.txt", edits=[{"oldText": "two", "newText": "2"}]),
        call("list_directory", path="{work}"),
        call("read_text_file", path="/etc/hostname"),
        call("read_text_file", path="{work}/absent"),
    ]),
    "memory": (npm_server("memory"), ["--setenv", "MEMORY_FILE_PATH={work}/memory.json", "--rw", "{work}"], LISTS[:1] + [
        call("create_entities", entities=[{"name": "n", "entityType": "t", "observations": ["o"]}]),
        call("read_graph"),
        call("search_nodes", query="n"),
    ]),
    "sequential-thinking": (npm_server("sequential-thinking"), [], LISTS[:1] + [
        call("sequentialthinking", thought="one", nextThoughtNeeded=True, thoughtNumber=1, totalThoughts=2),
    ]),
    "time": ([f"{VENV}/mcp-server-time"], [], LISTS[:1] + [
        call("convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo"),
        call("convert_time", source_timezone="Nowhere", time="12:00", target_timezone="UTC"),
    ]),
    "odd": (ODD + ["transparency"], [], LISTS[:1] + [call("echo", text="x" * 100000), call("ids_absent")]),
}
VERSIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


def fill(value, work):
    return json.loads(json.dumps(value).replace("{work}", work))


def conversation(wire, version, requests):
    """The answers in order; the text of each line too, since key order and number forms are part of a message."""
    answers = [wire.initialize(version)]
    for method, params in requests:
        answers.append(wire.request(method, params))
    return answers


def promised(message):
    """A grant and the kill switch can change the list of tools: that is the one thing that a hello has more than the server said."""
    tools = (message.get("result") or {}).get("capabilities", {}).get("tools")
    if isinstance(tools, dict) and tools.get("listChanged") is not True:
        message["result"]["capabilities"]["tools"] = {"listChanged": True, **{k: v for k, v in tools.items() if k != "listChanged"}}
    return message


def both(person, name, version):
    command, grants, requests = SERVERS[name]
    command, grants, requests = (fill(v, person.work) for v in (command, grants, requests))
    env = {**person.env, **dict(g.split("=", 1) for g in grants if "=" in g)}
    plain = Wire(command, env=env, cwd=person.work)
    bare = conversation(plain, version, requests)
    plain.end()
    drain(plain)
    for left in ("a.txt", "memory.json"):
        person.stockade("--version")
        _unlink(f"{person.work}/{left}")
    person.approve(*grants, "--", *command)
    wrapped = person.start(*grants, "--", *command)
    inside = conversation(wrapped, version, requests)
    assert wrapped.end() == 0
    drain(wrapped)
    return [promised(m) for m in bare], inside, [json.dumps(promised(json.loads(line))) for line in plain.seen], wrapped.seen


def drain(wire):
    while wire.line() is not None:
        pass


def sort_of(message):
    return "answer" if "method" not in message else "request" if "id" in message else "notification"


def told_apart(lines):
    """Each sort by itself and in order: an answer and a notification that are written at once may change places in the server already."""
    messages = [json.loads(line) for line in lines]
    return {sort: [json.dumps(m) for m in messages if sort_of(m) == sort] for sort in ("answer", "request", "notification")}


def _unlink(path):
    import os  # pylint: disable=import-outside-toplevel
    if os.path.exists(path):
        os.unlink(path)


@pytest.mark.parametrize("name", SERVERS)
def test_every_answer_is_the_same_with_stockade_in_between(person, name):
    bare, inside, said, passed = both(person, name, "2025-06-18")
    assert len(bare) == len(inside)
    for a, b in zip(bare, inside):
        assert a == b
        assert json.dumps(a) == json.dumps(b), "key order differs"
    assert told_apart(passed) == told_apart(said), "a message was added, left out or changed"
    person.verified()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_protocol_version_passes_through(person, version):
    bare, inside, _, _ = both(person, "odd", version)
    assert bare == inside
    assert inside[0]["result"]["protocolVersion"] == version


@pytest.mark.root
def test_the_main_path_works(person):
    """The one that root runs once more: list, call, audit."""
    command = ODD + ["mainpath"]
    person.approve("--ro", person.work, "--", *command)
    person.write("seen.txt", "granted text")
    w = person.start("--ro", person.work, "--", *command)
    w.initialize()
    assert any(t["name"] == "echo" for t in w.request("tools/list")["result"]["tools"])
    assert w.call("read", {"path": f"{person.work}/seen.txt"})["result"]["content"][0]["text"] == "granted text"
    ids = json.loads(w.call("ids")["result"]["content"][0]["text"])
    assert ids["uid"] != 0 and 0 not in [ids["gid"]]
    assert "errno" in w.call("write", {"path": f"{person.work}/no.txt", "text": "x"})["result"]["content"][0]["text"]
    assert w.end() == 0
    person.verified()
    assert "tool.call" in " ".join(person.events()) or any("tool" in r for r in person.records())


def test_progress_arrives_in_order_and_before_the_result(person):
    command = npm_server("everything", "stdio")
    person.approve("--", *command)
    w = person.start("--", *command)
    w.initialize()
    w.call("trigger-long-running-operation", {"duration": 1, "steps": 4}, _meta={"progressToken": "p"})
    progress = [m["params"]["progress"] for m in map(json.loads, w.seen) if m.get("method") == "notifications/progress"]
    assert progress == [1, 2, 3, 4]
    w.end()


def test_a_cancelled_call_is_cancelled_at_the_server(person):
    person.approve("--", *ODD, "cancels")
    w = person.start("--", *ODD, "cancels")
    w.initialize()
    w.send({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": {"name": "never"}})
    w.notify("notifications/cancelled", {"requestId": "long", "reason": "enough"})
    heard = w.call("cancelled")["result"]["content"][0]["text"]
    assert json.loads(heard) == [{"requestId": "long", "reason": "enough"}]
    assert w.end() == 0
    assert not [m for m in map(json.loads, w.seen) if m.get("id") == "long"], "nobody waits for that any more"


def test_a_five_megabyte_result_passes(person):
    person.approve("--", *ODD, "five")
    w = person.start("--", *ODD, "five")
    w.initialize()
    text = w.call("big", {"bytes": 5 << 20})["result"]["content"][0]["text"]
    assert text == "x" * (5 << 20)
    assert w.end() == 0


STEPS = {
    "everything": [
        {"op": "tools"}, {"op": "call", "name": "echo", "args": {"message": "hi"}},
        {"op": "call", "name": "trigger-long-running-operation", "args": {"duration": 1, "steps": 2}, "progress": True},
        {"op": "resources"}, {"op": "read", "uri": "demo://resource/static/document/architecture.md"},
        {"op": "prompts"}, {"op": "prompt", "name": "simple-prompt"},
        {"op": "call", "name": "no-such-tool"},
    ],
    "odd": [{"op": "tools"}, {"op": "call", "name": "big", "args": {"bytes": 5 << 20}}],
}
COMMANDS = {"everything": npm_server("everything", "stdio"), "odd": ODD + ["clients"]}


def without_last_progress(answers):
    """The npm clients drop the last progress note when it shares a read with the result: theirs to lose, not ours."""
    for a in answers:
        if isinstance(a.get("ok"), dict) and "progress" in a["ok"]:
            a["ok"]["progress"] = [p for p in a["ok"]["progress"] if p["progress"] != p["total"]]
    return answers


@pytest.mark.parametrize("server", STEPS)
@pytest.mark.parametrize("client", ["sdk_v1", "client_v2", "mcp_py"])
def test_a_real_client_cannot_tell_the_difference(person, client, server):
    command = COMMANDS[server]
    bare = ask(client, person, command, STEPS[server])
    person.approve("--", *command)
    wrapped = ask(client, person, [STOCKADE, "run", "--", *command], STEPS[server])
    assert without_last_progress(bare) == without_last_progress(wrapped)
    assert sum("ok" in a for a in wrapped) >= len(wrapped) - 1


def test_a_real_task_of_a_real_server_comes_to_the_same(person):
    """Made, polled for, and its result fetched: server-everything runs one tool as a task alone."""
    command = COMMANDS["everything"]
    steps = [{"op": "tools"}, {"op": "task", "name": "simulate-research-query", "args": {"topic": "tea"}}, {"op": "call", "name": "echo", "args": {"message": "m"}}]
    person.approve("--", *command)
    bare, wrapped = ask("sdk_v1", person, command, steps), ask("sdk_v1", person, [STOCKADE, "run", "--", *command], steps)
    assert wrapped == bare
    assert bare[1]["ok"]["told"][0] == "taskCreated" and bare[1]["ok"]["told"][-1] == "result" and "tea" in json.dumps(bare[1]["ok"]["content"])
    words = ["--method", "tools/call", "--tool-name", "simulate-research-query", "--tool-arg", "topic=tea"]
    assert inspector(person, [STOCKADE, "run", "--", *command], *words)["content"] == inspector(person, command, *words)["content"] == bare[1]["ok"]["content"]
    assert {"tasks/get", "tasks/result"} <= {r.get("method") for r in person.records()}


# Servers that speak the era without a handshake, and what each is asked: what reads, what fails, what tells its progress, what is not there.
MODERN_SERVERS = {
    "typescript": ([NODE22, f"{SCRIPTS}/conformance.mjs", MODULES], [MODULES, SCRIPTS], [
        {"op": "tools"}, {"op": "call", "name": "test_multiple_content_types"}, {"op": "call", "name": "test_error_handling"},
        {"op": "call", "name": "test_tool_with_progress", "progress": True}, {"op": "call", "name": "test_input_required_result_elicitation"},
        {"op": "call", "name": "no-such-tool"}, {"op": "resources"}, {"op": "read", "uri": "test://static-binary"}, {"op": "read", "uri": "test://none"},
        {"op": "prompts"}, {"op": "prompt", "name": "test_prompt_with_arguments", "args": {"arg1": "a", "arg2": "\u00fc"}}, {"op": "prompt", "name": "none"}]),
    "python": ([PYTHON, f"{SCRIPTS}/sdk.py"], [f"{STAGE}/venv", SCRIPTS], [
        {"op": "tools"}, {"op": "call", "name": "numbers"}, {"op": "call", "name": "big", "args": {"characters": 200000}},
        {"op": "call", "name": "fails", "args": {"why": "w"}}, {"op": "call", "name": "steps", "args": {"n": 3}, "progress": True},
        {"op": "call", "name": "none"}, {"op": "resources"}, {"op": "read", "uri": "note://bytes"}, {"op": "read", "uri": "note://none"},
        {"op": "prompts"}, {"op": "prompt", "name": "review", "args": {"code": "x = 1.0"}}]),
}


@pytest.mark.parametrize("server", MODERN_SERVERS)
@pytest.mark.parametrize("client", ["client_v2", "mcp_py"])
def test_a_real_client_of_the_modern_era_cannot_tell_the_difference(person, client, server):
    command, reads, steps = MODERN_SERVERS[server]
    words = [w for r in reads for w in ("--ro", r)] + ["--", *command]
    person.approve(*words)
    bare = ask(client, person, command, steps, MCP_MODE="2026-07-28")
    wrapped = ask(client, person, [STOCKADE, "run", *words], steps, MCP_MODE="2026-07-28")
    if client == "client_v2":  # see above; here a server says several at once
        for a in bare + wrapped:
            a.get("ok", {}).pop("progress", None)
    assert wrapped == bare
    assert sum("ok" in a for a in bare) >= len(steps) - 4, bare
    records = person.records()
    assert {r["protocol"] for r in records if r["event"] == "client.hello"} == {"2026-07-28"}
    assert not [r for r in records if r["event"] == "message.refused"]
    person.verified()


def test_the_v2_client_in_its_modern_era_mode_gets_through(person):
    command = COMMANDS["everything"]
    person.approve("--", *command)
    bare = ask("client_v2", person, command, STEPS["everything"], MCP_MODE="auto")
    wrapped = ask("client_v2", person, [STOCKADE, "run", "--", *command], STEPS["everything"], MCP_MODE="auto")
    assert without_last_progress(bare) == without_last_progress(wrapped)


INSPECTED = [
    ["--method", "tools/list"],
    ["--method", "tools/call", "--tool-name", "echo", "--tool-arg", "message=hi"],
    ["--method", "resources/list"],
    ["--method", "resources/templates/list"],
    ["--method", "resources/read", "--uri", "demo://resource/static/document/architecture.md"],
    ["--method", "prompts/list"],
    ["--method", "prompts/get", "--prompt-name", "args-prompt", "--prompt-args", "city=Oslo"],
]


@pytest.mark.parametrize("words", INSPECTED, ids=lambda words: words[1])
def test_the_inspector_cannot_tell_the_difference(person, words):
    """It offers roots, which stockade passes on only where a directory is granted."""
    command = COMMANDS["everything"]
    person.approve("--ro", person.work, "--", *command)
    wrapped = [STOCKADE, "run", "--ro", person.work, "--", *command]
    assert inspector(person, command, *words) == inspector(person, wrapped, *words)


REAL = ["sdk_v1", "client_v2", "mcp_py"]


def marked(person, *modes):
    """An approved odd server, known again by a word of its command line, and how a client starts it in the stockade."""
    mark = "mark-" + uuid.uuid4().hex
    person.approve("--", *ODD, mark, *modes)
    return mark, [STOCKADE, "run", "--", *ODD, mark, *modes]


@pytest.mark.parametrize("client", REAL)
def test_a_real_client_that_aborts_a_call_has_it_cancelled_and_can_go_on(person, client):
    steps = [{"op": "call", "name": "never", "abortAfter": 300}, {"op": "call", "name": "cancelled"},
             {"op": "call", "name": "echo", "args": {"text": "after"}}]
    _, wrapped = marked(person)
    bare, inside = ask(client, person, [*ODD, "bare"], steps), ask(client, person, wrapped, steps)
    assert "error" in inside[0] and inside == bare
    assert len(json.loads(inside[1]["ok"]["content"][0]["text"])) == 1
    assert inside[2]["ok"]["content"][0]["text"] == "after"


@pytest.mark.parametrize("client", REAL)
def test_a_real_client_gets_an_answer_from_a_server_that_crashes_mid_call(person, client):
    mark, wrapped = marked(person)
    answers = ask(client, person, wrapped, [{"op": "call", "name": "spawn"}, {"op": "call", "name": "crash"},
                                            {"op": "call", "name": "echo", "args": {"text": "after"}}])
    assert "ok" in answers[0]
    for answer in answers[1:]:
        assert "error" in answer or answer["ok"]["isError"], answer
    assert not gone(mark)
    person.verified()


@pytest.mark.parametrize("client", REAL)
def test_a_real_client_hears_nothing_of_a_servers_garbage(person, client):
    _, wrapped = marked(person, "dirty")
    answers = ask(client, person, wrapped, [{"op": "call", "name": "garbage"}, {"op": "call", "name": "echo", "args": {"text": "after"}}])
    assert [a["ok"]["content"][0]["text"] for a in answers] == ["clean again", "after"]
    assert len([r for r in person.records() if r["event"] == "message.refused"]) > 3


@pytest.mark.parametrize("modes", [[], ["deaf"]], ids=["that ends at EOF", "that ignores EOF and SIGTERM"])
@pytest.mark.parametrize("client", REAL)
def test_a_real_client_that_closes_leaves_nothing_of_a_server(person, client, modes):
    mark, wrapped = marked(person, *modes)
    answers = ask(client, person, wrapped, [{"op": "call", "name": "spawn", "args": {"n": 2}}])
    assert "ok" in answers[0]
    assert not gone(mark)
    person.verified()
