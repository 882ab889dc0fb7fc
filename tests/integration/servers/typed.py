# SPDX-License-Identifier: Apache-2.0
"""A server whose tools are what a file says: {"tools": [...], "results": {NAME: result}, "later": {"tools": [...]}}.

A tool without a result of its own tells the arguments that it got, as text: what reached the server. A call of "turn" makes "later"
its list. Arguments: the file.
"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as f:
    SAYS = json.load(f)


def called(params):
    if params["name"] == "turn":
        SAYS.update(SAYS["later"])
    got = json.dumps(params.get("arguments"), sort_keys=True)
    return SAYS.get("results", {}).get(params["name"], {"content": [{"type": "text", "text": "got " + got}]})


def answer(request):
    params = request.get("params") or {}
    if request["method"] == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {"listChanged": True}},
                "serverInfo": {"name": "typed", "version": "1"}}
    if request["method"] == "tools/list":
        return {"tools": SAYS["tools"]}
    return called(params) if request["method"] == "tools/call" else {}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}), flush=True)
