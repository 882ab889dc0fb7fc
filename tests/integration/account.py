# SPDX-License-Identifier: Apache-2.0
"""A client that keeps account: what it asked under which id, what came for it, and what else came."""
import collections
import json
import threading

from integration.harness import PATIENCE, Wire, children, command_name, status_of

# What stockade itself may use at most, however much is thrown at it: some lines of the greatest length each way.
MEMORY_MAX_KIB = 64 << 10


def once(pairs):
    keys = [k for k, _ in pairs]
    assert len(set(keys)) == len(keys), f"a key twice: {keys}"
    return dict(pairs)


def no_number(word):
    raise AssertionError(f"{word} is no number")


def strict(line):
    """One message, by the letter: what any peer would read in it."""
    text = line.decode("utf-8")
    assert text.endswith("\n") and not any(c < " " or "\x7f" <= c <= "\x9f" or c in "\u2028\u2029" for c in text[:-1]), line[:200]
    m = json.loads(text, object_pairs_hook=once, parse_constant=no_number)
    assert set(m) in ({"jsonrpc", "id", "method"}, {"jsonrpc", "id", "method", "params"}, {"jsonrpc", "method"}, {"jsonrpc", "method", "params"},
                      {"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"}), line[:200]
    return m


class Account(Wire):
    def __init__(self, *args, deaf=False, **kw):
        self.asked, self.answers = [], {}
        self.reads = threading.Event()
        if not deaf:
            self.reads.set()
        super().__init__(*args, **kw)

    def _out(self):
        self.reads.wait()
        super()._out()

    def send(self, message):
        self.note(message)
        super().send(message)

    def note(self, *messages):
        self.asked += [json.dumps(m["id"]) for m in messages if "method" in m and "id" in m]

    def burst(self, messages):
        """All of them in one write, as far as the pipe takes them."""
        self.note(*messages)
        self.send_raw(b"".join(json.dumps(m).encode() + b"\n" for m in messages))

    def ask(self, method, params=None):
        """A request whose answer is not waited for."""
        self.ids += 1
        self.send({"jsonrpc": "2.0", "id": self.ids, "method": method, **({"params": params} if params is not None else {})})
        return self.ids

    def ask_tool(self, name, **arguments):
        return self.ask("tools/call", {"name": name, "arguments": arguments})

    def answer_quick(self, ident):
        """The response with this id, for thousands of them: what came is read once."""
        key = json.dumps(ident)
        while key not in self.answers:
            line = self.line()
            if line is None:
                raise EOFError(f"no answer to {ident}")
            m = json.loads(line)
            if "method" not in m:
                self.answers[json.dumps(m["id"])] = m
        return self.answers[key]

    def memory(self):
        """The most that the programs of stockade have had so far, in KiB; the server is none of them."""
        rows = map(status_of, [self.p.pid, *children(self.p.pid)])
        return sum(int(s.get("VmHWM", "0").split()[0]) for s in rows if s.get("Name", "").startswith("stockade"))

    def has_shim(self):
        return any(command_name(c) == "stockade-shim" for c in children(self.p.pid))

    def drain(self):
        while self.line(2 * PATIENCE) is not None:
            pass

    def settle(self, but=()):
        """After the end: each request has exactly one answer, but for these ids (as often as they are named), and nobody else
        has one. The last answer under each id, and all else that came."""
        self.drain()
        answers, others = [], []
        for m in map(strict, self.seen):
            (others if "method" in m else answers).append(m)
        assert collections.Counter(json.dumps(m["id"]) for m in answers) == collections.Counter(self.asked) - collections.Counter(but)
        return {json.dumps(m["id"]): m for m in answers}, others


def text_of(answer):
    return answer["result"]["content"][0]["text"]


def count(records, event, **fields):
    """How often that was recorded, floods that were written as one included."""
    return sum(r.get("coalesced", 1) for r in records if r["event"] == event and all(r.get(k) == v for k, v in fields.items()))
