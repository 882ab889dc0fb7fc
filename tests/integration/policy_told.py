# SPDX-License-Identifier: Apache-2.0
"""What `stockade policy test` tells of a policy that is not in force, and logs that are made for it to be held against."""
import hashlib
import json
import os

SERVER = """
import json, sys
for line in sys.stdin:
    m = json.loads(line)
    answer = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "n", "version": "1"}},
              "tools/list": {"tools": [{"name": n, "inputSchema": {"type": "object"}} for n in ("get_a", "put_a")]},
              "tools/call": {"content": []}}.get(m.get("method"))
    if answer:
        print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": answer}), flush=True)
"""


def new_policy(person):
    """Where it lies."""
    return f"{person.base}/new.json"


def tell(run, person, policy, *words):
    """The report of it, whose status is what it says of the whole. run: who starts stockade."""
    path = new_policy(person)
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"stockade": 1, **policy}, f)
    os.chmod(path, 0o644)
    r = run("policy", "test", "--json", *words, path)
    told = json.loads(r.stdout)
    assert r.returncode == (1 if told["worse"] else 0), r.stderr
    return told


def told_of(run, person, policy, *words, server="notes"):
    """The report, and what it says of that server."""
    told = tell(run, person, policy, *words)
    return told, {s["server"]: s for s in told["servers"]}[server]


def changes_of(told, server):
    return next((s["changes"] for s in told["servers"] if s["server"] == server), [])


def record(**members):
    """A whole record, by docs/audit.md alone."""
    body = json.dumps({"v": 1, "seq": 1, "ts": "2026-10-01T12:00:00.000000Z", "session": "0" * 32, **members, "prev": "0" * 64}, separators=(",", ":"))
    return body[:-1] + ',"hash":"' + hashlib.blake2b(body.encode(), digest_size=32).hexdigest() + '"}\n'


def connection(server="fixed", decision="allow", **members):
    return record(event="net.connect", source="dial", server=server, version="1", **members, decision=decision)


def log_of(person, lines, times=1):
    directory = f"{person.base}/made"
    os.mkdir(directory, 0o700)
    with open(f"{directory}/20261001T120000Z-{'0' * 32}.jsonl", "w", encoding="ascii") as f:
        for _ in range(times):
            f.writelines(lines)
    return directory
