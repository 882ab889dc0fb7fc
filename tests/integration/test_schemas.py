# SPDX-License-Identifier: Apache-2.0
"""Arguments and structured content are held against schemas: the tool's own and the profile's, with a real client and a raw one."""
import json

import pytest
from integration.harness import PYTHON, SERVERS, STOCKADE, Wire, ask, until

ISSUE = {"name": "issue", "description": "d", "inputSchema": {
    "type": "object", "properties": {"owner": {"type": "string"}, "title": {"type": "string", "maxLength": 9}}, "required": ["title"]}}
SUM = {"name": "sum", "description": "d", "inputSchema": {"type": "object"},
       "outputSchema": {"type": "object", "properties": {"sum": {"type": "number"}}, "required": ["sum"]}}
FAR = {"name": "far", "description": "d", "inputSchema": {"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}}}
MISFIT = {"content": [{"type": "text", "text": "3"}], "structuredContent": {"sum": "three"}}


def server(person, tools, **says):
    return ["/usr/bin/python3", f"{SERVERS}/typed.py", person.write("says.json", json.dumps({"tools": tools, **says}))]


def started(person, tools, rules=None, **says):
    argv = server(person, tools, **says)
    person.profile("typed", {"stockade": 1, "name": "typed", "command": argv, "filesystem": {"read": [argv[2]]},
                             **({"tools": rules} if rules else {})})
    person.approve("typed")
    w = person.start("typed")
    w.initialize()
    return w


def text_of(answer):
    return answer["result"]["content"][0]["text"]


def denied(answer, *words):
    assert answer["result"]["isError"] is True, answer
    for word in words:
        assert word in text_of(answer), answer
    return True


def reasons(person, event):
    return [r for r in person.records() if r["event"] == event and "reason" in r]


@pytest.mark.root
def test_what_the_inputschema_forbids_reaches_no_server(person):
    w = started(person, [ISSUE])
    w.request("tools/list")
    assert text_of(w.call("issue", {"title": "short"})) == 'got {"title": "short"}'
    denied(w.call("issue", {"title": "much too long"}), "the inputSchema of the tool", "arguments.title must be at most 9 characters")
    denied(w.call("issue", {}), "arguments.title must be there")
    assert w.end() == 0
    assert all(b"got {}" not in line for line in w.seen)
    call = next(r for r in reasons(person, "tool.call") if "at most 9" in r["reason"])
    assert call["decision"] == "deny" and call["rule"] == "the inputSchema of the tool" and "too long" not in json.dumps(call)


def test_without_stockade_the_same_call_reaches_the_server(person):
    w = Wire(server(person, [ISSUE, FAR, SUM], results={"sum": MISFIT}), env=person.env, cwd=person.work)
    w.initialize()
    assert [t["name"] for t in w.request("tools/list")["result"]["tools"]] == ["issue", "far", "sum"]
    assert text_of(w.call("issue", {"title": "much too long"})) == 'got {"title": "much too long"}'
    assert text_of(w.call("far", {})) == "got {}"
    assert w.call("sum")["result"] == MISFIT
    w.end()


def test_the_profiles_rule_on_arguments_holds_with_its_line_and_without_a_list(person):
    w = started(person, [ISSUE], {"allow": ["*", {"name": "issue", "arguments": {"properties": {"owner": {"const": "me"}}}}]})
    assert "got" in text_of(w.call("issue", {"owner": "me", "title": "t"}))
    denied(w.call("issue", {"owner": "you", "title": "t"}), "typed.json:", '(tools.allow "issue" arguments)', 'arguments.owner must be "me"')
    denied(w.call("issue", {"title": "t"}), "arguments.owner must be there")
    assert "error" in w.request("tools/call", {"name": "issue", "arguments": [], "_meta": {}})
    assert w.end() == 0
    for args, status, word in (('{"owner":"me","title":"t"}', 0, "allowed"), ('{"owner":"you"}', 1, 'must be "me"')):
        assert word in person.stockade("check", "typed", "--tool", "issue", "--args", args, check=status).stdout
    shown = person.stockade("check", "typed", check=0).stdout
    assert "arguments of issue must fit" in shown and '"const":"me"' in " ".join(shown.split())


def test_strict_lets_no_argument_pass_that_the_tool_does_not_name(person):
    w = started(person, [ISSUE], {"strict": True})
    # Nothing was listed: the shim asks for the list itself, and no call passes before it is judged.
    denied(w.call("issue", {"title": "t", "notes": "all I know"}), "arguments.notes is not known here", "(tools.strict)")
    denied(w.call("nobody", {}), "tools.strict", "no inputSchema of the tool is known")
    assert "got" in text_of(w.call("issue", {"title": "t"}))
    denied(w.call("issue", {"title": "t", "notes": "all I know"}), "arguments.notes is not known here", "(tools.strict)")
    assert w.end() == 0


def test_a_tool_with_a_schema_elsewhere_is_withheld_denied_and_recorded(person):
    w = started(person, [FAR, ISSUE])
    assert [t["name"] for t in w.request("tools/list")["result"]["tools"]] == ["issue"]
    denied(w.call("far", {}), "its schemas cannot be used", "https://example.com/a.json", "author of the server")
    assert w.end() == 0
    until(lambda: reasons(person, "list.filtered"))
    record = reasons(person, "list.filtered")[0]
    assert record["count"] == 1 and record["tool"] == "far" and "nothing is fetched" in record["reason"]


def test_a_result_that_does_not_fit_the_outputschema_becomes_an_error(person):
    w = started(person, [SUM, {**SUM, "name": "good"}, {**SUM, "name": "bare"}, {**SUM, "name": "fails"}], results={
        "sum": MISFIT, "good": {"content": [], "structuredContent": {"sum": 3}}, "bare": {"content": []},
        "fails": {"content": [], "isError": True, "structuredContent": {}}})
    w.request("tools/list")
    error = w.call("sum")["error"]
    assert "outputSchema" in error["message"] and "structuredContent.sum must be a number" in error["message"]
    assert "three" not in error["message"]
    assert w.call("good")["result"]["structuredContent"] == {"sum": 3}
    assert w.call("bare")["result"] == {"content": []}
    assert w.call("fails")["result"]["isError"] is True
    assert w.end() == 0


def test_the_newest_list_counts(person):
    later = {**ISSUE, "inputSchema": {"type": "object", "properties": {"title": {"type": "integer"}}}}
    w = started(person, [ISSUE, {"name": "turn", "inputSchema": {}}], later={"tools": [later]})
    w.request("tools/list")
    denied(w.call("issue", {"title": 7}), "must be a string")
    w.call("turn")
    denied(w.call("issue", {"title": 7}), "must be a string")
    w.request("tools/list")
    assert text_of(w.call("issue", {"title": 7})) == 'got {"title": 7}'
    denied(w.call("issue", {"title": "t"}), "must be a whole number")
    assert w.end() == 0


@pytest.mark.parametrize("client", ["sdk_v1", "client_v2", "mcp_py"])
def test_a_real_client_gets_the_words_as_the_result_of_its_call(person, client):
    argv = server(person, [ISSUE])
    steps = [{"op": "tools"}, {"op": "call", "name": "issue", "args": {"title": "t"}},
             {"op": "call", "name": "issue", "args": {"title": "much too long"}}]
    person.approve("--ro", argv[2], "--", *argv)
    plain = ask(client, person, argv, steps)
    confined = ask(client, person, [STOCKADE, "run", "--ro", argv[2], "--", *argv], steps)
    assert plain[:2] == confined[:2]
    assert "much too long" in json.dumps(plain[2]) and "got" in json.dumps(plain[2])
    assert confined[2]["ok"]["isError"] is True and "must be at most 9 characters" in confined[2]["ok"]["content"][0]["text"]


def test_a_server_of_the_python_sdk_with_structured_results_is_as_without(person):
    code = ("from mcp.server.mcpserver import MCPServer\nm = MCPServer('s')\n"
            "@m.tool()\ndef add(a: int, b: int = 2) -> int:\n    return a + b\n"
            "@m.tool()\ndef table(rows: list[dict[str, float]]) -> dict[str, list[float]]:\n    return {'sums': [sum(r.values()) for r in rows]}\n"
            "m.run()\n")
    argv = [PYTHON, person.write("s.py", code)]
    calls = [("tools/list", None), ("tools/call", {"name": "add", "arguments": {"a": 1}}),
             ("tools/call", {"name": "table", "arguments": {"rows": [{"x": 1.5, "y": 2}]}})]
    person.approve("--", *argv)
    told = []
    for words in (argv, [STOCKADE, "run", "--", *argv]):
        w = Wire(words, env=person.env, cwd=person.work)
        w.initialize()
        told.append([w.request(*c) for c in calls])
        w.end()
    assert told[0] == told[1]
    assert told[1][1]["result"]["structuredContent"] == {"result": 3}
