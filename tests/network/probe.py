# SPDX-License-Identifier: Apache-2.0
"""A server whose one tool runs programs inside the sandbox: real clients, hostile ones, whatever the test names."""
import json
import subprocess
import sys
import threading

LOCK = threading.Lock()
TOOL = {"name": "run", "description": "runs a program", "inputSchema": {"type": "object"}}


def say(message):
    with LOCK:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def run(args):
    try:
        r = subprocess.run(args["argv"], stdin=subprocess.DEVNULL, capture_output=True, timeout=args["timeout"], check=False)
        done = {"status": r.returncode, "out": r.stdout.decode("utf-8", "replace"), "err": r.stderr.decode("utf-8", "replace")}
    except subprocess.TimeoutExpired as e:
        done = {"status": None, "out": (e.stdout or b"").decode("utf-8", "replace"), "err": f"not done after {args['timeout']} s"}
    except OSError as e:
        done = {"status": None, "out": "", "err": str(e)}
    return {"content": [{"type": "text", "text": json.dumps(done)}]}


def answer(m):
    method = m["method"]
    if method == "initialize":
        result = {"protocolVersion": m["params"]["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "probe", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [TOOL]}
    elif method == "tools/call":
        result = run(m["params"]["arguments"])
    else:
        result = {}
    say({"jsonrpc": "2.0", "id": m["id"], "result": result})


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        threading.Thread(target=answer, args=(message,), daemon=True).start()
