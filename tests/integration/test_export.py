# SPDX-License-Identifier: Apache-2.0
"""What each form of `audit export` says is what the log says: read by the programs it is for, and by parsers written from the standards."""
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess

import pytest
from google.protobuf import json_format
from integration.harness import STOCKADE, until
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

RSYSLOGD = "/usr/sbin/rsyslogd"
JOURNAL_REMOTE = "/lib/systemd/systemd-journal-remote"
SESSION = "0123456789abcdef" * 2
FILE = f"20261001T120000Z-{SESSION}.jsonl"
# What a server or a client could choose to pass for something else, form by form.
HOSTILE = [
    'a]b"c\\d', "x=y|z", "one\ntwo\r\n<13>1 - - - - - forged", "tab\there", "  blanks  ", "act=allow deny=0 ", "ünïcödé \U0001f600",
    "\x1b[2J\x07", "\\n \\x1b \\u{202e}", "a\u202eb\u200bc\ufeff", '"] [x@1 y="z', "CEF:0|a|b|c|d|e|9|x=1", "\\", "|", "]", "=", " ", '{"json": [1]}', "\u0085\u2028",
]  # fmt: skip


def chained(records):
    """Lines of a log as docs/audit.md has them: the hash is that of the line without it."""
    prev, lines = "0" * 64, []
    for r in records:
        body = json.dumps({**r, "prev": prev}, separators=(",", ":"), ensure_ascii=len(lines) % 2 == 0)
        prev = hashlib.blake2b(body.encode(), digest_size=32).hexdigest()
        lines.append(body[:-1] + f',"hash":"{prev}"}}')
    return "".join(line + "\n" for line in lines)


def record(seq, event, **members):
    return {"v": 1, "seq": seq, "ts": f"2026-10-01T12:00:00.{seq:06}Z", "session": SESSION, "event": event, **members}


def forge(person):
    """A log with one session: each hostile value in each member that a server or a client can choose. Returns its records."""
    directory = f"{person.home}/.local/state/stockade/audit"
    os.makedirs(directory, mode=0o700)
    os.chmod(f"{person.home}/.local/state/stockade", 0o700)
    records = [record(1, "session.open", source="supervisor", host="laptop", user="alice", server="github", detail={"a": [1, {"b": "\n"}], "c": True})]
    for value in HOSTILE:
        records.append(record(len(records) + 1, "tool.call", source="shim", host="laptop", user=value, client=value, server=value, tool=value,
                              reason=value, rule=value, args=value, decision="deny", call_id=7, latency_us=2**63 - 1, args_cut=True))  # fmt: skip
    records.append(record(len(records) + 1, "net.close", name="h", port=443, address="2001:db8::1", bytes_in=1, bytes_out=2, source="gateway", host="ü b"))
    records.append(record(len(records) + 1, "session.close", source="supervisor", host="laptop", status="ok"))
    text = chained(records)
    for name, what in ((FILE, text), ("index.jsonl", chained([record(1, "index.open", file=FILE)]))):
        with open(f"{directory}/{name}", "w", encoding="utf-8", newline="") as f:
            f.write(what)
        os.chmod(f"{directory}/{name}", 0o600)
    return [json.loads(line) for line in text.split("\n")[:-1]]


def export(person, *words):
    r = subprocess.run([STOCKADE, "audit", "export", *words], env=person.env, cwd=person.work, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert (r.returncode, r.stderr) == (0, b""), r.stderr
    return r.stdout


@pytest.fixture(name="log")
def log_of(person):
    return forge(person)


def shown_undone(text):
    """The inverse of what `audit show` makes of a text."""
    def one(m):
        return "\\" if m[0] == "\\\\" else chr(int(m[1] or m[2], 16))

    return re.sub(r"\\\\|\\x([0-9a-f]{2})|\\u\{([0-9a-f]+)\}", one, text)


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def all_members(r):
    return {k: as_text(v) for k, v in r.items() if k != "v"}


# --- RFC 5424 ---

HEADER = re.compile(r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z|-) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) ")


def structured(text):
    """STRUCTURED-DATA at the beginning: {id: {name: value}} and what follows."""
    found, at = {}, 0
    while text[at] == "[":
        ident = re.match(r'\[([!#-<>-\\^-~]{1,32})', text[at:])
        at += ident.end()
        params = found.setdefault(ident[1], {})
        while text[at] == " ":
            name = re.match(r' ([!#-<>-\\^-~]{1,32})="', text[at:])
            at += name.end()
            value = ""
            while text[at] != '"':
                assert text[at] != "]", "']' without a backslash"
                if text[at] == "\\":
                    at += 1
                    assert text[at] in '"\\]', "a backslash before what needs none"
                value += text[at]
                at += 1
            params[name[1]] = value
            at += 1
        assert text[at] == "]"
        at += 1
    return found, text[at:]


def rfc5424(text):
    head = HEADER.match(text)
    data, rest = structured(text[head.end():])
    assert rest[0] == " "
    return head, data["stockade@32473"], rest[1:]


def check_rfc5424(messages, log):
    assert len(messages) == len(log)
    for text, r in zip(messages, log):
        head, params, message = rfc5424(text)
        assert {k: shown_undone(v) for k, v in params.items()} == all_members(r)
        assert (head[2], head[4], head[5], head[6]) == (r["ts"], "stockade", SESSION, r["event"])
        assert not any(ord(c) < 32 for c in text), "a control in a message"
        assert message.startswith("\ufeff") == (not message.isascii())
        assert int(head[1]) == 13 * 8 + {"tool.call": 4, "session.open": 5, "session.close": 5}.get(r["event"], 6)
    assert head[3] == "laptop" and rfc5424(messages[-2])[0][3] == "???b"


def test_a_syslog_message_is_one_line_from_which_every_member_can_be_had_again(person, log):
    text = export(person, "--format", "syslog").decode()
    assert text.endswith("\n")
    check_rfc5424(text[:-1].split("\n"), log)


def test_octet_counting_says_how_long_each_message_is(person, log):
    data, messages = export(person, "--format", "syslog", "--framing", "octets"), []
    while data:
        n, data = data.split(b" ", 1)
        assert n.isdigit() and n[:1] != b"0"
        messages.append(data[: int(n)].decode())
        data = data[int(n):]
    check_rfc5424(messages, log)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("framing", ["lines", "octets"])
def test_rsyslog_reads_what_the_log_says(person, log, framing):
    port, out, conf = free_port(), f"{person.base}/messages", f"{person.base}/rsyslog.conf"
    with open(conf, "w", encoding="utf-8") as f:
        f.write(f'''global(maxMessageSize="256k" workDirectory="{person.base}")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="t" type="string" string="%syslogseverity% %hostname% %app-name% %procid% %msgid% %structured-data%\\n")
action(type="omfile" file="{out}" template="t")
''')
    daemon = subprocess.Popen([RSYSLOGD, "-n", "-f", conf, "-i", f"{person.base}/pid"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        sent = export(person, "--format", "syslog", "--framing", framing)

        def connected():
            try:
                return socket.create_connection(("127.0.0.1", port))
            except OSError:
                return None

        with until(connected) as s:
            s.sendall(sent)
        until(lambda: os.path.exists(out) and open(out, "rb").read().count(b"\n") == len(log))
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(timeout=30)
    for line, r in zip(open(out, encoding="utf-8", newline="\n").read().split("\n"), log):
        severity, _, app, procid, msgid, data = line.split(" ", 5)
        assert (app, procid, msgid) == ("stockade", SESSION, r["event"]) and severity in "456"
        assert {k: shown_undone(v) for k, v in structured(data + " ")[0]["stockade@32473"].items()} == all_members(r)


# --- CEF ---

MEMBER_OF = {"cat": "source", "dvchost": "host", "suser": "user", "sproc": "client", "act": "decision", "outcome": "status", "reason": "reason",
             "dhost": "name", "dpt": "port", "in": "bytes_in", "out": "bytes_out", "c6a3": "address", "dst": "address"}  # fmt: skip


def cef(line):
    """Seven fields of the header and the extension, from the words of the standard alone."""
    fields, field, at = [], "", 0
    while len(fields) < 7:
        if line[at] == "\\":
            assert line[at + 1] in "\\|", "a backslash before what needs none"
            at += 1
        elif line[at] == "|":
            fields.append(field)
            field, at = "", at + 1
            continue
        field += line[at]
        at += 1
    pairs, extension = {}, line[at:]
    # An equals sign without a backslash ends a key, which begins after the last blank before it.
    ends = [m.start() for m in re.finditer("=", extension) if (len(extension[: m.start()]) - len(extension[: m.start()].rstrip("\\"))) % 2 == 0]
    starts = [extension.rfind(" ", 0, e) + 1 for e in ends]
    for i, e in enumerate(ends):
        value = extension[e + 1 : starts[i + 1] - 1] if i + 1 < len(ends) else extension[e + 1 :]
        key = extension[starts[i] : e]
        assert key.isalnum() and key not in pairs
        pairs[key] = re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), value)
    return fields, pairs


def test_a_cef_line_has_seven_fields_and_every_member(person, log):
    text = export(person, "--format", "cef").decode()
    lines = text[:-1].split("\n")
    assert text.endswith("\n") and len(lines) == len(log)
    for line, r in zip(lines, log):
        fields, pairs = cef(line)
        assert (fields[:3], fields[4]) == (["CEF:0", "stockade", "stockade"], r["event"])
        assert int(fields[6]) == {"tool.call": 6, "net.close": 2}.get(r["event"], 3)
        assert not any(ord(c) < 32 for c in line)
        assert pairs.pop("externalId") == f"{SESSION}:{r['seq']}"
        assert pairs.pop("rt") == str(1790856000000 + r["seq"] // 1000)
        labels = {k[:-5]: pairs.pop(k) for k in list(pairs) if k.endswith("Label")}
        labels.pop("c6a3", None)
        got = {}
        for key, value in pairs.items():
            own = re.sub("[A-Z]", lambda m: "_" + m[0].lower(), key.removeprefix("stockade"))[1:]
            got[MEMBER_OF.get(key) or labels.get(key) or own] = shown_undone(value)
        assert got == {k: v for k, v in all_members(r).items() if k not in ("ts", "event")}


# --- OTLP ---

def test_otlp_is_what_the_protocol_buffers_of_opentelemetry_take(person, log):
    lines = export(person, "--format", "otlp").decode("ascii").split("\n")
    assert lines.pop() == "" and len(lines) == len(log)
    for line, r in zip(lines, log):
        raw = json.loads(line)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
        assert isinstance(raw["timeUnixNano"], str) and isinstance(raw["severityNumber"], int)
        assert all(isinstance(a["value"]["intValue"], str) for a in raw["attributes"] if "intValue" in a["value"])
        data = json_format.Parse(line, LogsData())
        resource = {a.key: a.value.string_value for a in data.resource_logs[0].resource.attributes}
        one = data.resource_logs[0].scope_logs[0].log_records[0]
        assert resource["service.name"] == "stockade" and resource["host.name"] == r["host"]
        assert one.time_unix_nano == 1790856000 * 10**9 + r["seq"] * 1000 and one.event_name == r["event"]
        assert one.severity_number == {"tool.call": 13, "net.close": 9}.get(r["event"], 10)
        values = {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in one.attributes}
        want = {"stockade." + k: as_text(v) if isinstance(v, dict) else v for k, v in r.items() if k != "v"}
        assert values == want


# --- journald ---

def journal_entries(data):
    """Journal Export Format: fields, an empty line after each entry."""
    entries, entry = [], {}
    while data:
        line, data = data.split(b"\n", 1)
        if not line:
            entries.append(entry)
            entry = {}
        elif b"=" in line:
            key, value = line.split(b"=", 1)
            assert all(c >= 32 or c == 9 for c in value)
            entry[key.decode()] = value.decode()
        else:
            n = struct.unpack("<Q", data[:8])[0]
            entry[line.decode()] = data[8 : 8 + n].decode()
            assert data[8 + n : 9 + n] == b"\n"
            data = data[9 + n :]
    assert entry == {}
    return entries


def check_journal(entries, log):
    assert len(entries) == len(log)
    for e, r in zip(entries, log):
        assert {k: v for k, v in e.items() if k.startswith("STOCKADE_")} == {"STOCKADE_" + k.upper(): v for k, v in all_members(r).items()}
        assert (e["SYSLOG_IDENTIFIER"], e["SYSLOG_FACILITY"], e["_HOSTNAME"]) == ("stockade", "13", r["host"])
        assert e["__REALTIME_TIMESTAMP"] == str(1790856000 * 10**6 + r["seq"])
        assert e["PRIORITY"] == {"tool.call": "4", "net.close": "6"}.get(r["event"], "5")


def test_journal_fields_hold_every_member_as_it_is(person, log):
    check_journal(journal_entries(export(person, "--format", "journald")), log)


def test_systemd_journal_remote_stores_what_the_log_says(person, log):
    journal = f"{person.base}/x.journal"
    subprocess.run([JOURNAL_REMOTE, "-o", journal, "-"], input=export(person, "--format", "journald"), check=True, capture_output=True, timeout=60)
    out = subprocess.run(["journalctl", "--file", journal, "-o", "export", "--all"], check=True, capture_output=True, timeout=60).stdout
    check_journal(journal_entries(out), log)


# --- JSON Lines, and the command ---

def test_json_lines_are_the_records_byte_for_byte(person, log):
    with open(f"{person.home}/.local/state/stockade/audit/{FILE}", "rb") as f:
        assert export(person, "--format", "jsonl") == f.read()
    assert len(log) == len(HOSTILE) + 3


def test_an_export_into_a_file_goes_on_where_it_ended(person, log):
    words = ("--format", "cef", "--cursor", "c", "--output", "out")
    for _ in range(2):
        assert export(person, *words) == b""
        with open(f"{person.work}/out", "rb") as f:
            assert f.read().count(b"\n") == len(log)
    r = person.stockade("audit", "export", "--format", "jsonl", "--cursor", "c", "--output", "out", check=125)
    assert "another format or other filters" in r.stderr


def test_what_the_log_lacks_is_exported_and_is_exit_status_1(person, log):
    path = f"{person.home}/.local/state/stockade/audit/{FILE}"
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines[:4] + lines[5:]))
    r = person.stockade("audit", "export", "--format", "jsonl", check=1)
    assert "the log is not whole" in r.stderr and len(log) == r.stdout.count("\n")
    events = [json.loads(line)["event"] for line in r.stdout.split("\n")[:-1]]
    assert events[4] == "export.gap" and events.count("export.gap") == 1


@pytest.mark.parametrize("words, said", [
    ([], "name a form: --format"),
    (["--format", "syslogd"], "did you mean 'syslog'?"),
    (["--format", "cef", "--framing", "octets"], "--framing is of --format syslog alone"),
    (["--format", "syslog", "--framing", "x"], "--framing takes lines or octets, not 'x'"),
    (["--format", "cef", "--decision", "den"], "did you mean 'deny'?"),
    (["--format", "cef", "--server", "a", "b"], "the server is named twice"),
])  # fmt: skip
def test_bad_usage_is_said(person, words, said):
    assert said in person.stockade("audit", "export", *words, check=2).stderr
