# SPDX-License-Identifier: Apache-2.0
"""Clients that come as an image: snap, Flatpak and AppImage are told apart, and what only looks like one is not believed."""
import json
import os
import shutil
import subprocess

import pytest
from integration.harness import STAGE, STOCKADE
from integration.test_clients import sha256

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

CHECK = f"{STOCKADE} check --json -- /usr/bin/true; exit $?"


def asked(person, argv, **env):
    r = subprocess.run(argv, env={**person.env, **env}, cwd=person.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)["client"]


@pytest.fixture
def snaps():
    """A place for /snap in a mount namespace of the test's own."""
    made = not os.path.isdir("/snap")
    if made:
        os.mkdir("/snap", 0o755)
    yield "/snap"
    if made:
        os.rmdir("/snap")


SNAP = ('mount -t tmpfs -o mode=755 none /snap && mkdir -p /snap/editor/42/bin && cp /bin/dash /snap/editor/42/bin/editor && '
        '{more} /snap/editor/42/bin/editor -c "$0"; exit $?')


@pytest.mark.parametrize("more, root_owned", [("", True), ("chown 1000 /snap/editor &&", False), ("chmod 777 /snap/editor/42 &&", False)])
def test_a_snap_is_known_by_name_and_revision(person, snaps, more, root_owned):
    client = asked(person, ["unshare", "-m", "sh", "-c", SNAP.format(more=more), CHECK])
    assert (client["kind"], client["package"], client["version"]) == ("snap", "snap:editor", "42"), client
    assert client["root_owned"] is root_owned, client


# where the system's installation has it
DEPLOYED = "/var/lib/flatpak/app/com.example.Editor/x86_64/stable/abc123"


def flatpak(person, info, files, *more):
    words = ["bwrap", "--die-with-parent", "--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev", "--bind", "/tmp", "/tmp",
             "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--ro-bind", STAGE, STAGE,
             "--ro-bind", info, "/.flatpak-info", "--ro-bind", files, "/app", "--ro-bind", files, f"{DEPLOYED}/files", *more]
    return asked(person, [*words, "/app/bin/editor", "-c", CHECK])


@pytest.fixture
def app(person):
    files = f"{person.base}/files"
    os.makedirs(f"{files}/bin")
    shutil.copy("/bin/dash", f"{files}/bin/editor")
    return flatpak_info(person), files


def flatpak_info(person, name="com.example.Editor", place=f"{DEPLOYED}/files", commit="abc123"):
    return person.write("info", f"[Application]\nname={name}\n\n[Instance]\napp-path={place}\napp-commit={commit}\n\n[Context]\nname=not.this\n")


def test_a_flatpak_is_known_by_what_its_root_says(person, app):
    client = flatpak(person, *app)
    assert (client["kind"], client["package"], client["version"]) == ("Flatpak", "flatpak:com.example.Editor", "abc123"), client
    assert "how" not in client, client


def test_a_program_that_only_says_it_is_a_flatpak_is_said_to(person, app):
    info, files = app
    os.chown(f"{files}/bin/editor", 1000, 1000)
    assert "can imitate" in flatpak(person, info, files)["how"]
    os.chown(f"{files}/bin/editor", 0, 0)
    other = f"{person.base}/other"
    shutil.copytree(files, other)
    assert "can imitate" in flatpak(person, info, files, "--ro-bind", other, f"{DEPLOYED}/files")["how"]


@pytest.mark.parametrize("said", [{"name": "com.example.Other"}, {"place": "/srv/files"}, {"commit": "abc124"}])
def test_files_of_roots_are_no_flatpak_of_any_name(person, app, said):
    client = flatpak(person, flatpak_info(person, **said), app[1], "--ro-bind", app[1], "/srv/files")
    assert client["kind"] == "Flatpak" and "can imitate" in client["how"], client


@pytest.mark.parametrize("text", ["", "[Application]\nname=\n", "[Application]\nname=../x.y\n", "[Instance]\nname=com.example.Editor\n"])
def test_what_is_no_flatpak_info_makes_no_flatpak(person, app, text):
    with open(app[0], "w", encoding="utf-8") as f:
        f.write(text)
    assert flatpak(person, *app)["kind"] == "program"


@pytest.fixture
def appimage(person):
    """An image that serves itself: its head is the program that mounts it, as in a real one."""
    content, image, mount = f"{person.base}/content", f"{person.work}/Editor.AppImage", f"{person.base}/.mount_EditorX"
    os.makedirs(f"{content}/usr/bin")
    os.mkdir(mount)
    shutil.copy("/bin/dash", f"{content}/usr/bin/editor")
    shutil.copy(shutil.which("squashfuse"), image)
    size = -(-os.path.getsize(image) // 4096) * 4096
    with open(image, "r+b") as f:
        f.seek(8)
        f.write(b"AI\2")
        f.truncate(size)
    subprocess.run(["mksquashfs", content, f"{person.base}/squash", "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
    with open(image, "ab") as f, open(f"{person.base}/squash", "rb") as s:
        f.write(s.read())
    os.chmod(image, 0o755)
    with subprocess.Popen([image, "-f", "-o", f"offset={size}", image, mount]) as server:
        while not os.path.ismount(mount):
            assert server.poll() is None
        yield image, f"{mount}/usr/bin/editor"
        subprocess.run(["umount", mount], check=True)
        server.wait(60)


@pytest.mark.needs("fuse-connection")
def test_an_appimage_is_known_by_the_file_that_serves_it(person, appimage):
    image, editor = appimage
    client = asked(person, [editor, "-c", CHECK], APPIMAGE=image)
    assert (client["kind"], client["path"], client["image"], client["image_digest"]) == ("AppImage", editor, image, sha256(image)), client
    assert "serves the files" in client["how"] and client["digest"] == sha256("/bin/dash")


@pytest.mark.needs("fuse")
def test_an_appimage_that_is_named_and_serves_nothing_is_only_its_word(person, appimage):
    image, editor = appimage
    other = f"{person.work}/Other.AppImage"
    shutil.copy(image, other)
    client = asked(person, [editor, "-c", CHECK], APPIMAGE=other)
    assert client["image"] == other and "its own word" in client["how"] and "image_digest" not in client, client
    assert "no AppImage" in asked(person, [editor, "-c", CHECK], APPIMAGE="/bin/dash")["how"]
    assert "image" not in asked(person, [editor, "-c", CHECK])
