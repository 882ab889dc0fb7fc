# SPDX-License-Identifier: Apache-2.0
"""The demo says what is true: it ends with 0 when every step did what it says, and with 1 when any one did not."""
import os
import shutil
import subprocess
import sys

import pytest
from integration.harness import HERE, MODULES, STAGE, STOCKADE

DEMO = f"{HERE}/../../examples/demo/demo.py"

# What a stockade that does not keep its word does instead: the case of a shell's case statement, before the real program.
BROKEN = {
    "starts what nobody approved": '''"run files") exec node "$SERVER" "$HOME";;''',
    "asks nothing": '''"approve files") exit 0;;''',
    "approves without the whole command": '''"approve files") printf 'Start it? [y/N] '; read _; exec "$REAL" approve --digest \
$("$REAL" approve --print-digest files 2>/dev/null) files >/dev/null 2>&1;;''',
    "approves whatever the digest": '''"approve --digest") exit 0;;''',
    "refuses the approval by digest": '''"approve --digest") exit 1;;''',
    "lets the network through": '''"run --") shift 2; exec "$@";;''',
    "shows no log": '''"audit show") exit 0;;''',
    "hides denials from the log": '''"audit show") "$REAL" "$@" | grep -v deny; exit 0;;''',
    "cannot verify": '''"audit verify") exit 1;;''',
    "verifies anything": '''"audit verify") echo whole; exit 0;;''',
}


def run_demo(stage, demo=DEMO):
    return subprocess.run([sys.executable, demo], env={**os.environ, "STOCKADE_STAGE": stage, "STOCKADE_NODE_MODULES": MODULES},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                          check=False)


@pytest.mark.root
def test_the_demo_runs_to_its_end():
    r = run_demo(STAGE)
    assert r.returncode == 0, r.stdout
    assert "Every step did what it says" in r.stdout and "FAILED" not in r.stdout


@pytest.mark.parametrize("how", BROKEN)
def test_the_demo_fails_when_stockade(tmp_path, how):
    os.makedirs(tmp_path / "prefix/bin")
    liar = tmp_path / "prefix/bin/stockade"
    liar.write_text(f'''#!/bin/bash
REAL={STOCKADE} SERVER={MODULES}/@modelcontextprotocol/server-filesystem/dist/index.js
case "$1 $2" in
{BROKEN[how]}
esac
exec "$REAL" "$@"
''', encoding="utf-8")
    liar.chmod(0o755)
    r = run_demo(str(tmp_path))
    assert r.returncode == 1 and "FAILED" in r.stdout, r.stdout
    assert "Every step" not in r.stdout


@pytest.mark.parametrize("narrow, wide", [('"read": ["~/notes"]', '"read": ["~/notes", "~/.ssh"]'),
                                          ('"allow": ["read_*"', '"allow": ["write_file", "read_*"'),
                                          ('"filesystem": {"read": ["~/notes"]}', '"filesystem": {}')])
def test_the_demo_fails_when_its_profile_grants_something_else(tmp_path, narrow, wide):
    copy = shutil.copytree(os.path.dirname(DEMO), tmp_path / "demo")
    with open(DEMO, encoding="utf-8") as f:
        text = f.read()
    assert text.count(narrow) == 1
    with open(copy / "demo.py", "w", encoding="utf-8") as f:
        f.write(text.replace(narrow, wide))
    r = run_demo(STAGE, f"{copy}/demo.py")
    assert r.returncode == 1 and "FAILED" in r.stdout, r.stdout
