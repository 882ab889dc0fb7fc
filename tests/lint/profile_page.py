#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pages on profiles and on policies explain every key of their schemas, and no other; that on policies names what is refused."""
import argparse
import json
import os
import re
import sys


def members(schema, node, path, found):
    """The leaves below node: objects with named members are sections, the rest are keys; a switch that may be an object is both."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    for name, below in node.get("properties", {}).items():
        members(schema, below, f"{path}.{name}" if path else name, found)
    named = node.get("additionalProperties")
    if isinstance(named, dict) and "$ref" in named and named["$ref"].endswith("/parameter"):
        members(schema, named, f"{path}.NAME", found)
    for item in node.get("items", {}).get("anyOf", []) if isinstance(node.get("items"), dict) else []:
        if item.get("$ref") in ("#/$defs/tool", "#/$defs/redaction"):
            members(schema, item, f"{path}[]", found)
    if "properties" not in node or "boolean" in node.get("type", ""):
        found.add(path)
    return found


def explained(page, title):
    """What stands in bold at the beginning of a definition, before its values."""
    found = set()
    keys = page[page.index(f"\n# {title}"):page.index("\n# FILES")].split("\n")
    for line, below in zip(keys, keys[1:]):
        if line.startswith("*") and below.startswith("\t"):
            found.update(re.findall(r"\*([^*\s]+)\*", line))
    return found


def rows_of(page, title):
    """The cells of the first table below that title."""
    table = page[page.index(f"\n{title}\n"):].split("\n|", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in table.split("\n|")[2:]]


# Titles of tables of keys, and what stands before each key there.
TABLES = (("## Keys", ""), ("### Parameters", "parameters.NAME."), ("## What a server may ask of the client", "client."))
WORD = re.compile(r"[`\"]([a-z_]+)[`\"]")


def documented(page, format_keys):
    """The keys in the first column: `.write` after `filesystem.read` is filesystem.write. `limits.…` and items of a list have
    theirs in the row's own words."""
    found = set(re.findall(r"`([a-z.]+)`", page[page.index("\n## Not enforced yet\n"):].split("\n## ", 2)[1]))
    for title, prefix in TABLES:
        for keys, *cells in rows_of(page, title):
            last = ""
            for key in re.findall(r"`([^`]+)`", keys):
                last = last.rsplit(".", 1)[0] + key if key.startswith(".") else prefix + key
                below = last[:-1] if last.endswith(".…") else last + "[]."
                found.update({below + w for w in WORD.findall(" ".join(cells))} & format_keys)
                found.update(() if last.endswith("…") else (last,))
    return found


def refused(source):
    return set(re.findall(r'{ "([a-z_.]+)", KEY_ANY, policy_set_refused }', source))


def said_to_be_refused(page):
    return set(re.findall(r"_([a-z.]+(?:_[a-z.]+)*)_", page[:page.index(" are kept for later versions")].rsplit("\n\n", 1)[1]))


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def differs(name, keys, other, wanted):
    for key in sorted(wanted - keys):
        print(f"{name} does not explain {key}, which {other} has")
    for key in sorted(keys - wanted):
        print(f"{name} explains {key}, which {other} does not have")
    return keys != wanted


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = a.parse_args().root
    page, document, policy = (read(root, p) for p in ("man/stockade-profile.5.scd", "docs/profiles.md", "man/stockade-policy.5.scd"))
    profiles, policies = (json.loads(read(root, f"profiles/{p}")) for p in ("schema.json", "policy.schema.json"))
    keys = members(profiles, profiles, "", set())
    rows = (("man/stockade-profile.5.scd", explained(page, "KEYS"), "profiles/schema.json", keys),
            ("docs/profiles.md", documented(document, keys), "profiles/schema.json", keys),
            ("man/stockade-policy.5.scd", explained(policy, "DESCRIPTION"), "profiles/policy.schema.json", members(policies, policies, "", set())),
            ("man/stockade-policy.5.scd (refused)", said_to_be_refused(policy), "supervisor/policy/policy_keys.c",
             refused(read(root, "supervisor/policy/policy_keys.c"))))
    return any([differs(*row) for row in rows])


if __name__ == "__main__":
    sys.exit(main())
