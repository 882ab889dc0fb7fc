#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints docs/scan.md with the table of rules made from profiles/scan/rules.json: `scan_page.py rules.json docs/scan.md`. With
--check it says whether the page has that table already."""
import json
import re
import sys

BEGIN, END = "<!-- rules: made by tools/scan_page.py -->\n", "<!-- end of the rules -->\n"


def visible(text):
    shown = "".join(c if " " <= c < "\x7f" else "\\n" if c == "\n" else f"\\u{{{ord(c):x}}}" for c in text)
    shown = re.sub(r" {9,}", lambda m: f" [{len(m[0])} blanks] ", shown)
    return shown if len(shown) < 110 else shown[:107] + "..."


def example(rule):
    d = rule["fires"]
    if "times" in d:
        return f"{len(d['description']) * d['times']} bytes"
    if "inputSchema" in d:
        return "a property `" + next(iter(d["inputSchema"]["properties"])) + "`"
    if rule["id"].startswith("name."):
        beside = f" beside `{rule['others'][0]}`" if "others" in rule else ""
        return f"a tool `{visible(d['name'])}`{beside}"
    text = visible(d["description"]).replace("|", "\\|")
    mark = "``" if "`" in text else "`"
    return mark + text + mark


def table(rules):
    rows = ["| rule | severity | what it finds | example |", "|---|---|---|---|"]
    rows += [f"| `{r['id']}` | {r['severity']} | {r['title']} | {example(r)} |" for r in rules]
    return "\n".join(rows) + "\n"


def main():
    check = "--check" in sys.argv
    rules, page = [a for a in sys.argv[1:] if a != "--check"]
    with open(page, encoding="utf-8") as f:
        text = f.read()
    with open(rules, encoding="utf-8") as f:
        made = table(json.load(f)["rules"])
    before, rest = text.split(BEGIN)
    new = before + BEGIN + made + END + rest.split(END)[1]
    if check:
        if new != text:
            sys.exit(f"{page}: its table is not that of {rules}; run tools/scan_page.py")
        return
    with open(page, "w", encoding="utf-8") as f:
        f.write(new)


if __name__ == "__main__":
    main()
