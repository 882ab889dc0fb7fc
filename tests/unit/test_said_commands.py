#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the documents tell a reader to type is what `--help` knows: commands, their options, and those of ./dev."""
import json
import pathlib
import re
import shlex
import subprocess
import sys

ENDS = {"||", "|", "&&", ";", ">", "2>"}
LEAST = 60  # that many there are at least: what finds them works


def said_by(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout


def read_options(program, command):
    """Its options, and whether each takes a value."""
    options = {"--help": False, "-h": False}
    shown = said_by(program, *command.split(), "--help")
    for letter, name, value in re.findall(r"(?m)^  (?:(-.), |    )(--[a-z-]+)(?: (\S+))?(?:  |\s*$)", shown):
        options[name] = bool(value)
        if letter:
            options[letter] = bool(value)
    return options


def said_in(path):
    """Every command line of stockade in a page: in code, in bold, in a client's configuration."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".scd":
        for block in re.findall(r"(?s)```\n(.*?)```", text):
            yield from re.findall(r"(?m)^(?:\$ )?(stockade .*)$", block)
        for first, rest in re.findall(r"\*(stockade [a-z][^*]*)\*((?: (?:\*[^*]+\*|_[^_]+_)(?=[ .,;:\n]))*)", text):
            yield re.sub(r"[*_\\]", "", first + rest)
        return
    for block in re.findall(r"(?s)```[a-z]*\n(.*?)```", text):
        yield from re.findall(r"(?m)^ *(?:\$ )?(stockade .*)$", block)
        for args in re.findall(r'"args": (\[[^\]]*\])', block):
            yield shlex.join(["stockade", *json.loads(args)])
    yield from (" ".join(code.split()) for code in re.findall(r"`(stockade [^`]+)`", re.sub(r"(?s)```.*?```", "", text)))


def judge(line, commands, options):
    """None, or what is wrong with it."""
    words = shlex.split(line, comments=True)[1:]
    if words[0] in ("--help", "--version", "help") or words[0].isupper():
        return None
    command = max((c for c in commands if words[:len(c.split())] == c.split()), key=len, default=None)
    if command is None:
        first = [c for c in commands if c.split()[0] == words[0]]
        return None if first and len(words) == 1 else f"'{words[0]}' is no command"
    rest = iter(words[len(command.split()):])
    for word in rest:
        if word == "--" or word in ENDS:
            return None
        name, equals, _ = word.partition("=")
        if not word.startswith("-") or word == "-":
            continue
        if name not in options[command]:
            return f"{command} has no {name}"
        if options[command][name] and not equals:
            next(rest, None)
    return None


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    commands = re.findall(r"(?m)^  ([a-z][a-z ]*[a-z])  ", said_by(program, "--help"))
    options = {c: read_options(program, c) for c in commands}
    jobs = set(re.findall(r"(?m)^  ([a-z]+) ", said_by("bash", str(root / "dev"), "help")))
    pages = [*root.glob("*.md"), *root.glob("docs/*.md"), *root.glob("man/*.scd")]
    wrong, seen = [], 0
    for page in pages:
        for line in said_in(page):
            seen += 1
            why = judge(line, commands, options)
            wrong += [f"{page.relative_to(root)}: {line}: {why}"] if why else []
        wrong += [f"{page.relative_to(root)}: ./dev {job}: no such command"
                  for job in re.findall(r"\./dev ([a-z]+)", page.read_text(encoding="utf-8")) if job not in jobs]
    print("\n".join(wrong + [f"{seen} command lines in {len(pages)} pages"]))
    return bool(wrong) or seen < LEAST


if __name__ == "__main__":
    sys.exit(main())
