#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records what a real server lists: `record.py NAME VERSION LICENCE OUTPUT COMMAND...` starts it, says hello, asks for all
pages of its tools, prompts and resource templates, and writes them with its instructions. Secrets are dummies of the caller's
environment; nothing else of an answer is kept."""
import json
import select
import subprocess
import sys
import time

WAIT = 60


class Server:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.ids = 0

    def send(self, message):
        self.process.stdin.write((json.dumps({"jsonrpc": "2.0", **message}) + "\n").encode())
        self.process.stdin.flush()

    def ask(self, method, params):
        self.ids += 1
        self.send({"id": self.ids, "method": method, "params": params})
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            if not select.select([self.process.stdout], [], [], 1)[0]:
                continue
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit(f"{method}: the server ended")
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if message.get("id") == self.ids and "method" not in message:
                return message.get("result")
            if "method" in message and "id" in message:
                self.send({"id": message["id"], "error": {"code": -32601, "message": "not here"}})
        raise SystemExit(f"{method}: no answer in {WAIT} s")

    def pages(self, method, key):
        items, cursor = [], None
        while True:
            result = self.ask(method, {"cursor": cursor} if cursor else {})
            items += (result or {}).get(key, [])
            cursor = (result or {}).get("nextCursor")
            if not cursor:
                return items


def main():
    name, version, licence, output, *command = sys.argv[1:]
    server = Server(command)
    hello = server.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "record", "version": "1"}})
    server.send({"method": "notifications/initialized"})
    capabilities = hello.get("capabilities", {})
    out = {"package": name, "version": version, "licence": licence, "instructions": hello.get("instructions"),
           "tools": server.pages("tools/list", "tools")}
    if "prompts" in capabilities:
        out["prompts"] = server.pages("prompts/list", "prompts")
    if "resources" in capabilities:
        out["resourceTemplates"] = server.pages("resources/templates/list", "resourceTemplates")
    server.process.kill()
    with open(output, "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=True, sort_keys=True, indent=0, separators=(",", ":"))
        f.write("\n")
    print(f"{name} {version}: {len(out['tools'])} tools, {len(out.get('prompts', []))} prompts, "
          f"{len(out.get('resourceTemplates', []))} templates, instructions: {bool(out['instructions'])}")


if __name__ == "__main__":
    main()
