# SPDX-License-Identifier: Apache-2.0
"""The real clients and servers that everything else here leans on."""
import os

from conftest import STAGE


def test_every_pinned_npm_server_is_installed():
    for name in ("filesystem", "memory", "sequential-thinking", "everything"):
        assert os.path.isfile(f"{STAGE}/node/node_modules/@modelcontextprotocol/server-{name}/dist/index.js")
