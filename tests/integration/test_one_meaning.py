# SPDX-License-Identifier: Apache-2.0
"""Messages that peers read differently: what is passed on means the same to servers of four languages, what is refused reaches none.

Each server has a call that it carries out visibly on either of two words. A row hides the wild word where only some readers find
it; the bare servers that act on it are the control. Through stockade nobody ever does.
"""
import dataclasses
import json
import time

import pytest
from integration.account import MEMORY_MAX_KIB, Account, count
from integration.harness import CLIENTS, PATIENCE, SERVERS, STAGE, STOCKADE, Person, Wire, ask, npm_server
from integration.test_runtimes import DOTNET, GO, KUBECONFIG

TYPESCRIPT, CSHARP, GOLANG, PYTHON = "TypeScript", "C#", "Go", "Python"
ALL = {TYPESCRIPT, CSHARP, GOLANG, PYTHON}


@dataclasses.dataclass
class Language:
    command: list
    tool: str
    rest: dict  # arguments, beside the one that has the word
    key: str
    words: dict  # mild and wild: the argument, and what the answer then holds
    reads: list = dataclasses.field(default_factory=list)


# {work} is the person's directory
LANGUAGES = {
    TYPESCRIPT: Language(npm_server("filesystem", "{work}"), "read_text_file", {}, "path",
                         {"mild": ("{work}/mild.txt", "very mild"), "wild": ("{work}/wild.txt", "very wild")}, ["{work}"]),
    CSHARP: Language([DOTNET, "server", "start", "--mode", "single"], "template", {"intent": "x", "learn": True}, "tool",
                     {"mild": ("", "Here are the available"), "wild": ("none", "An error occurred invoking")}),
    GOLANG: Language([GO, "--kubeconfig", "{work}/kubeconfig"], "resources_list", {"kind": "K"}, "apiVersion",
                     {"mild": ("a/b/c", "invalid argument apiVersion"), "wild": ("v1", "connection refused")}, ["{work}"]),
    PYTHON: Language([f"{STAGE}/venv/bin/mcp-server-time"], "convert_time", {"source_timezone": "UTC", "target_timezone": "Asia/Tokyo"}, "time",
                     {"mild": ("12:34", "T12:34:00"), "wild": ("23:57", "T23:57:00")}),
}
NO_TOOL = "wild_tool"  # every server names the tool that it does not have


class Talk:
    """One language: a session through stockade for all rows, and a bare server that is started again when a row has ended it."""

    def __init__(self, name):
        self.name, self.person = name, Person()
        filled = json.loads(json.dumps(dataclasses.asdict(LANGUAGES[name])).replace("{work}", self.person.work))
        self.kind = Language(**filled)
        for word in ("mild", "wild"):
            self.person.write(f"{word}.txt", f"very {word}")
        self.person.write("kubeconfig", KUBECONFIG)
        # More calls than the sixty a minute that a tool has without a word of anybody.
        self.person.profile("talk", {"stockade": 1, "name": "talk", "command": self.kind.command, "filesystem": {"read": self.kind.reads},
                                     "tools": {"rate": "1000/s"}})
        self.person.approve("talk")
        self.through = Account([STOCKADE, "run", "talk"], env=self.person.env, cwd=self.person.work)
        self.through.initialize()
        self.through.request("tools/list")
        self.bare, self.passed, self.refused, self.others = None, 0, 0, []

    def arguments(self, word):
        return json.dumps({**self.kind.rest, self.kind.key: self.kind.words[word][0]})

    def params(self, word):
        return f'{{"name":"{self.kind.tool}","arguments":{self.arguments(word)}}}'

    def seen(self, word):
        """What an answer holds when that was acted on."""
        return {"mild": self.kind.words["mild"][1], "wild": self.kind.words["wild"][1], "no tool": NO_TOOL}[word]

    def line(self, row, ident):
        fields = {"TOOL": self.kind.tool, "KEY": self.kind.key, "MILD": self.params("mild"), "WILD": self.params("wild"), "ARGS": self.arguments("mild"),
                  "mild": json.dumps(self.kind.words["mild"][0]), "wild": json.dumps(self.kind.words["wild"][0]), "NO_TOOL": NO_TOOL,
                  "BIG": self.kind.key.upper(), "HEX": f"{ord(self.kind.tool[0]):02X}", "TAIL": self.kind.tool[1:],
                  "REST": json.dumps(self.kind.rest)[1:-1] + ("," if self.kind.rest else ""), "ID": str(ident), "HIDDEN": str(ident + 1)}
        text = row.line
        for name, value in fields.items():
            text = text.replace(f"<{name}>", value)
        return text.encode("utf-8", "surrogateescape")

    def unconfined(self):
        if self.bare is None or self.bare.p.poll() is not None:
            self.bare = Wire(self.kind.command, env=self.person.env, cwd=self.person.work)
            self.bare.initialize()
        return self.bare

    def bare_acts(self, row, ident):
        """Does the bare server act on the row as the wild word has it?"""
        w, word = self.unconfined(), self.seen(row.word).encode()
        w.send_raw(self.line(row, ident) + b"\n")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            line = w.line()
            if line is None or word in line:
                return line is not None
        return False

    def done(self):
        self.through.kill()
        if self.bare:
            self.bare.kill()
        self.person.done()


@dataclasses.dataclass
class Row:
    line: str
    refused: str = ""  # words of the reason; none: it is passed on
    acts: set = dataclasses.field(default_factory=set)  # whose bare servers act on the wild word in it
    word: str = "wild"
    has_id: bool = True


HEAD = '{"jsonrpc":"2.0","id":<ID>,'
CALL = HEAD + '"method":"tools/call","params":'
SAME_KEY, IMITATED = "the same key twice", "differs from one of the protocol's by upper and lower case alone"

ROWS = {
    # the table
    "a raw carriage return": Row(HEAD + '"method":"ping","params":{"a":\r{"jsonrpc":"2.0","id":<HIDDEN>,"method":"tools/call","params":<WILD>}\r}}',
                                 "a raw control character", {CSHARP, PYTHON}),
    "a duplicate key": Row(CALL + '{"name":"<TOOL>","name":"<NO_TOOL>","arguments":<ARGS>}}', SAME_KEY, ALL - {CSHARP}, "no tool"),
    "a duplicate key in the arguments": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<mild>,"<KEY>":<wild>}}}', SAME_KEY, ALL),
    "a duplicate method": Row(HEAD + '"method":"ping","method":"tools/call","params":<WILD>}', SAME_KEY, ALL),
    "a duplicate key in another spelling": Row(CALL + '{"name":"<TOOL>","n\\u0061me":"<NO_TOOL>","arguments":<ARGS>}}', SAME_KEY, ALL - {CSHARP}, "no tool"),
    "name and Name": Row(CALL + '{"name":"<TOOL>","Name":"<NO_TOOL>","arguments":<ARGS>}}', IMITATED),
    "Name alone": Row(CALL + '{"Name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>}}}', IMITATED, {CSHARP}),
    "arguments and Arguments": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"Arguments":{<REST>"<KEY>":<wild>}}}', IMITATED),
    "Arguments alone": Row(CALL + '{"name":"<TOOL>","Arguments":{<REST>"<KEY>":<wild>}}}', IMITATED, {CSHARP}),
    "Method and Params": Row(HEAD + '"Method":"tools/call","Params":<WILD>}', "its keys are not exactly"),
    "METHOD": Row(HEAD + '"method":"ping","METHOD":"tools/call","params":<WILD>}', "its keys are not exactly"),
    "params with a long s": Row(CALL + '<MILD>,"param\u017f":<WILD>}', "its keys are not exactly"),
    "an id of null": Row('{"jsonrpc":"2.0","id":null,"method":"tools/call","params":<WILD>}', "its id is neither", has_id=False),
    "a method with a result": Row(CALL + '<WILD>,"result":{}}', "its keys are not exactly", {CSHARP, GOLANG}),
    "a batch": Row('[{"jsonrpc":"2.0","id":<ID>,"method":"tools/call","params":<WILD>}]', "batches are not accepted", has_id=False),
    "NaN": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>},"_meta":{"x":NaN}}}', "not valid JSON", {PYTHON}),
    "escaped keys": Row('{"jsonrpc":"2.0","\\u0069d":<ID>,"\\u006dethod":"tools/call","p\\u0061rams":{"n\\u0061me":"<TOOL>","argument\\u0073":<ARGS>}}'),
    "2000 nested arrays": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>},"_meta":{"x":' + "[" * 2000 + "]" * 2000 + "}}}",
                              "nested more than 60 deep", {TYPESCRIPT}),
    # rule 1: lines
    "a carriage return at the end": Row(CALL + "<MILD>}\r"),
    "a NUL": Row(CALL + "<WILD>}\0", "a raw control character"),
    "a tab": Row(HEAD + '\t"method":"tools/call","params":<WILD>}', "a raw control character", ALL),
    "a byte order mark": Row("\ufeff" + CALL + "<WILD>}", "not valid JSON", has_id=False),
    "bytes that are no UTF-8": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>},"_meta":{"x":"\udcff"}}}', "not valid UTF-8", ALL),
    "a surrogate in UTF-8": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>},"_meta":{"x":"\udced\udca0\udc80"}}}', "not valid UTF-8",
                                {TYPESCRIPT, GOLANG, PYTHON}),
    "a line of 9 MiB": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>},"_meta":{"x":"' + "x" * (9 << 20) + '"}}}', "longer than 8388608 bytes",
                           ALL),
    "60 deep": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"_meta":{"x":' + "[" * 57 + "]" * 57 + "}}}"),
    "61 deep": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>},"_meta":{"x":' + "[" * 58 + "]" * 58 + "}}}", "nested more than 60 deep", ALL),
    # rule 2: one object
    "something behind it": Row(HEAD + '"method":"ping"} {"jsonrpc":"2.0","id":<HIDDEN>,"method":"tools/call","params":<WILD>}', "something follows"),
    "a comma too many": Row(CALL + "<WILD>,}", "not valid JSON"),
    "a comment": Row(CALL + "<WILD>/* it is fine */}", "not valid JSON"),
    # rule 3: keys
    "a key of the schema in capitals": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<mild>,"<BIG>":<wild>}}}', "schema"),
    "a key of the task in capitals": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"task":{"TTL":1}}}', IMITATED),
    "a duplicate key in _meta": Row(CALL + '{"name":"<TOOL>","arguments":{<REST>"<KEY>":<wild>},"_meta":{"a":{"b":1,"\\u0062":2}}}}', SAME_KEY, ALL),
    "a key of _meta in capitals": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"_meta":{"ProgressToken":1}}}', IMITATED),
    # rule 4: the envelope
    "a key too many": Row(CALL + '<WILD>,"extra":1}', "its keys are not exactly", {CSHARP, GOLANG, PYTHON}),
    "another version": Row('{"jsonrpc":"1.0","id":<ID>,"method":"tools/call","params":<WILD>}', '"jsonrpc": "2.0"'),
    "no version": Row('{"id":<ID>,"method":"tools/call","params":<WILD>}', "its keys are not exactly"),
    "an id with a fraction": Row('{"jsonrpc":"2.0","id":<ID>.0,"method":"tools/call","params":<WILD>}', "its id is neither", {TYPESCRIPT, GOLANG}, has_id=False),
    "an id with an exponent": Row('{"jsonrpc":"2.0","id":<ID>e0,"method":"tools/call","params":<WILD>}', "its id is neither", {TYPESCRIPT, GOLANG}, has_id=False),
    "an id that no double holds": Row('{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":<WILD>}', "its id is neither", {CSHARP, GOLANG}, has_id=False),
    "params in an array": Row(CALL + "[<WILD>]}", "its params are not an object"),
    # rule 5: text
    "half a pair in the method": Row(HEAD + '"method":"tools/call\\ud800","params":<WILD>}', "its method is not a plain string"),
    "U+0000 in the method": Row(HEAD + '"method":"tools/call\\u0000","params":<WILD>}', "its method is not a plain string"),
    "U+0000 in a key": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"arguments\\u0000":{<REST>"<KEY>":<wild>}}}', "a key holds"),
    "half a pair in the name": Row(CALL + '{"name":"<TOOL>\\ud800","arguments":<ARGS>}}', "no plain name"),
    "U+0000 in the name": Row(CALL + '{"name":"<TOOL>\\u0000","arguments":<ARGS>}}', "no plain name"),
    "half a pair in a key": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"x\\udc00":1}}', "a key holds"),
    "a name in another spelling": Row(CALL + '{"name":"\\u00<HEX><TAIL>","arguments":<ARGS>}}'),
    # rule 6: another spelling of the same
    "blanks and escapes": Row('  { "params" : { "arguments" : <ARGS> , "name" : "<TOOL>" } , "method" : "tools\\/call" , "id" : <ID> , "jsonrpc" : "2\\u002e0" }  '),
    "ends of lines as others see them": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"_meta":{"x":"\u0085\u2028\u2029\x7f\ufeff\\u000b\\u000c\\u001c"}}}'),
    "numbers as they are spelt": Row(CALL + '{"name":"<TOOL>","arguments":<ARGS>,"_meta":{"x":[1.0,1e5,-0,12345678901234567890,0.10000000000000000000001]}}}'),
}


@pytest.fixture(name="talk", scope="module", params=list(LANGUAGES))
def _talk(request):
    talk = Talk(request.param)
    yield talk
    talk.done()


@pytest.mark.parametrize("what", ROWS)
def test_what_is_passed_on_is_what_every_server_does_and_what_is_refused_none(talk, what):
    row = ROWS[what]
    ident = 1000 + 10 * list(ROWS).index(what)
    if talk.name in row.acts:
        assert talk.bare_acts(row, ident), "the control: the bare server acts on it"
    w = talk.through
    w.send_raw(talk.line(row, ident) + b"\n")
    if row.refused:
        talk.refused += 1
        if row.has_id:
            w.asked.append(str(ident))
            assert row.refused in w.answer(ident)["error"]["message"]
    else:
        w.asked.append(str(ident))
        talk.passed += 1
        assert talk.seen("mild") in json.dumps(w.answer(ident), ensure_ascii=False)
    talk.passed += 1
    assert talk.seen("mild") in json.dumps(w.call(talk.kind.tool, json.loads(talk.arguments("mild")))), "the session goes on"


# Names that a peer might trim, fold or normalise to the one that is there. The last ones are not told from it by people.
NEARLY = ["<TOOL> ", " <TOOL>", "<TOOL>\\n", "<UPPER>", "<TOOL>\u200b", "<TOOL>\ufe0f", "<WIDE>"]


def test_a_name_that_is_nearly_one_is_another_to_every_server(talk):
    wide = "".join(chr(ord(c) + 0xfee0) if c.isalnum() else c for c in talk.kind.tool)
    for i, name in enumerate(NEARLY):
        name = name.replace("<TOOL>", talk.kind.tool).replace("<UPPER>", talk.kind.tool.upper()).replace("<WIDE>", wide)
        w, ident = talk.through, 5000 + i
        w.asked.append(str(ident))
        w.send_raw(f'{{"jsonrpc":"2.0","id":{ident},"method":"tools/call","params":{{"name":"{name}","arguments":{talk.arguments("mild")}}}}}\n'.encode())
        talk.others.append(ident)
        # The C# server has one tool and takes any name for it.
        assert (talk.seen("mild") in json.dumps(w.answer(ident))) == (talk.name == CSHARP)


def test_of_two_calls_under_one_id_in_one_write_the_second_reaches_no_server(talk):
    both = b"".join(f'{{"jsonrpc":"2.0","id":6000,"method":"tools/call","params":{talk.params(word)}}}\n'.encode() for word in ("mild", "wild"))
    bare, w = talk.unconfined(), talk.through
    bare.send_raw(both)
    while not any(talk.seen("wild").encode() in line for line in bare.seen):
        assert bare.line() is not None, "the control: it acts on both"
    w.asked.append("6000")
    w.send_raw(both)
    talk.passed, talk.refused = talk.passed + 1, talk.refused + 1
    assert talk.seen("mild") in json.dumps(w.answer(6000))


def test_the_log_says_what_the_servers_did(talk):
    w = talk.through
    assert w.has_shim() and w.memory() < MEMORY_MAX_KIB
    w.eof()
    w.wait()
    w.settle()
    assert not [line for line in w.seen for word in ("wild", "no tool") if talk.seen(word).encode() in line and json.loads(line).get("id") not in talk.others]
    records = talk.person.records()
    calls = [(r["decision"], r["tool"]) for r in records if r["event"] == "tool.call"]
    assert [c for c in calls if c[1] == talk.kind.tool] == [("allow", talk.kind.tool)] * talk.passed
    assert [decision for decision, tool in calls if tool != talk.kind.tool] == ["allow"] * len(talk.others)
    assert count(records, "message.refused", side="client") == talk.refused
    talk.person.verified()


# The other way: answers (FORMS of servers/hostile.py) that a bare client takes for what is forged in them.
TAKEN = {"sdk_v1": [3, 5, 10, 13, 14], "client_v2": [3, 5, 10, 13, 14], "mcp_py": [0, 3, 5, 10]}
FORMS, HONEST = range(21), [16]  # of these nothing tells what they answer: the honest answer comes behind
HOSTILE = ["/usr/bin/python3", f"{SERVERS}/hostile.py", "mark"]


def go(forms):
    return [{"op": "call", "name": "go", "args": {"form": i}} for i in forms]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_server_answers_has_one_meaning_to_every_client_or_is_an_error(person, client):
    bare = ask(client, person, [*HOSTILE, "form"], go(TAKEN[client]))
    assert all("forged" in json.dumps(a) for a in bare), "the control"
    assert "forged" in json.dumps(ask(client, person, [*HOSTILE, "typed"], go([0]))), "an id of another type"
    for mode in ("form", "typed"):
        person.approve("--", *HOSTILE, mode)
    through = ask(client, person, [STOCKADE, "run", "--", *HOSTILE, "form"], [{"op": "tools"}, *go(FORMS)])[1:]
    assert "forged" not in json.dumps(through)
    assert [i for i, a in enumerate(through) if "ok" in a and not a["ok"].get("isError")] == HONEST
    assert all("stockade: " in json.dumps(a) for i, a in enumerate(through) if i not in HONEST)
    assert ask(client, person, [STOCKADE, "run", "--", *HOSTILE, "typed"], go([0]))[0]["ok"]["content"] == [{"type": "text", "text": "true"}]
    person.verified()
