#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Boots a machine of Debian's kernel and this machine's own files, has it run a suite of pytest with systemd as its PID 1, and says what came of it.

  boot.py STAGE COUNTS [ARG...]     ARG: pytest's

The root is this machine's, read-only over virtiofs, below an overlay in memory: no image to build, nothing to install, and everything is where it is
here. Of /etc/systemd/system, /etc/stockade and what stockade keeps nothing is taken along. There is no network but the loopback. It is emulated: a
hypervisor inside of a virtual machine is not to be relied on.
"""
import glob
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 900  # seconds; it takes a tenth of that on two free cores
VIRTIOFSD = ("/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd")
MODULES = ("drivers/virtio/virtio_ring", "drivers/virtio/virtio", "drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci_legacy_dev",
           "drivers/virtio/virtio_pci", "fs/fuse/fuse", "fs/fuse/virtiofs", "fs/overlayfs/overlay")
END = "--- the suite ended: "

INIT = """#!/busybox sh
/busybox mount -t proc p /proc
for m in {modules}; do /busybox insmod /$m.ko; done
/busybox mount -t virtiofs -o ro host /ro
/busybox mount -t tmpfs -o mode=755 t /rw
/busybox mkdir /rw/upper /rw/work
/busybox mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work o /root
cd /root
/busybox rm -rf etc/systemd/system etc/fstab .dockerenv etc/stockade var/log/stockade var/lib/stockade var/lib/stockade-collector
/busybox mkdir -p etc/systemd/system run tmp
/busybox mount -t tmpfs -o mode=1777 t tmp
/busybox cp /suite.service /suite.target etc/systemd/system/
/busybox umount /proc
cd /
exec /busybox switch_root /root /lib/systemd/systemd --unit=suite.target
"""
TARGET = "[Unit]\nRequires=basic.target suite.service\nAfter=basic.target\nAllowIsolate=yes\n"
SERVICE = """[Unit]
After=basic.target dbus.socket
[Service]
Type=oneshot
WorkingDirectory={stage}/src
Environment=STOCKADE_STAGE={stage} STOCKADE_SUITE=vm STOCKADE_COUNTS=/run/suite-counts PYTHONDONTWRITEBYTECODE=1 HOME=/root LC_ALL=C.UTF-8 PYTHONUNBUFFERED=1
Environment=USER=root LOGNAME=root SHELL=/bin/bash PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart={words}
ExecStopPost=/bin/sh -c 'echo "{end}$(cat /run/suite-counts)"'
ExecStopPost=/bin/systemctl poweroff --force --force
StandardOutput=file:/dev/ttyS1
StandardError=inherit
"""


def cpio(entries):
    """An archive for the kernel (initramfs-buffer-format): name, mode, bytes, device."""
    out = bytearray()
    for ino, (name, mode, data, device) in enumerate([*entries, ("TRAILER!!!", 0, b"", (0, 0))], 1):
        head = "070701" + "".join(f"{v:08X}" for v in (ino, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0))
        for part in (head.encode() + name.encode() + b"\0", data):
            out += part
            out += b"\0" * (-len(out) % 4)
    return bytes(out)


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def initramfs(kernel, stage, words):
    modules, = glob.glob(f"{kernel}/lib/modules/*/kernel")
    texts = {"init": INIT.format(modules=" ".join(map(os.path.basename, MODULES))), "suite.target": TARGET,
             "suite.service": SERVICE.format(stage=stage, words=words, end=END)}
    return cpio([*((d, 0o40755, b"", (0, 0)) for d in ("proc", "dev", "ro", "rw", "root")), ("dev/console", 0o20600, b"", (5, 1)),
                 ("busybox", 0o100755, contents("/bin/busybox"), (0, 0)), *((n, 0o100755 if n == "init" else 0o100644, t.encode(), (0, 0)) for n, t in texts.items()),
                 *((os.path.basename(m) + ".ko", 0o100644, contents(f"{modules}/{m}.ko"), (0, 0)) for m in MODULES)])


def share(base):
    """This machine's root, read-only, by its own mount alone: neither /proc nor /sys, but the stage wherever that is mounted."""
    daemon = next(p for p in VIRTIOFSD if os.path.exists(p))
    stage = os.environ["STOCKADE_STAGE"]
    script = 'mount --bind -o ro / "$0" && { [ "$(stat -c %d /)" = "$(stat -c %d "$1")" ] || mount --bind -o ro "$1" "$0$1"; } && shift && exec "$@"'
    return subprocess.Popen(["unshare", "-m", "sh", "-c", script, f"{base}/root", stage, daemon, f"--socket-path={base}/share.sock", "-o",
                             f"source={base}/root", "-o", "cache=always", "-o", "sandbox=chroot"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def qemu(base, kernel):
    image, = glob.glob(f"{kernel}/boot/vmlinuz-*")
    return subprocess.Popen([
        "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1G", "-nodefaults", "-no-user-config",
        "-display", "none", "-no-reboot", "-object", "memory-backend-memfd,id=m,size=1G,share=on", "-numa", "node,memdev=m",
        "-chardev", f"socket,id=c,path={base}/share.sock", "-device", "vhost-user-fs-pci,chardev=c,tag=host",
        "-kernel", image, "-initrd", f"{base}/initrd", "-append", "console=ttyS0 quiet panic=-1 systemd.firstboot=off",
        "-serial", f"file:{base}/console", "-serial", "stdio"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def relay(machine):
    """What the suite says, as it says it; its counts, or nothing."""
    counts = ""
    for line in machine.stdout:
        if line.startswith(END):
            counts = line[len(END):].strip()
        else:
            print(line.rstrip("\r\n"), flush=True)
    return counts


def run(base, kernel):
    shared = share(base)
    while not os.path.exists(f"{base}/share.sock") and shared.poll() is None:
        time.sleep(0.1)
    machine = qemu(base, kernel)
    late = threading.Timer(PATIENCE, machine.kill)
    late.start()
    try:
        return relay(machine)
    finally:
        late.cancel()
        machine.kill()
        machine.wait()
        shared.terminate()
        shared.wait()


def main():
    stage, counts, *args = sys.argv[1:]
    began = time.monotonic()
    kernel = f"{stage}/vm/kernel"
    words = [f"{stage}/venv/bin/python3", "-m", "pytest", "-v", "-p", "no:cacheprovider", "--color=no", "--tb=short", "-rfE", "--durations=5", "tests/vm", *args]
    with tempfile.TemporaryDirectory(prefix="stockade-vm-") as base:
        os.mkdir(f"{base}/root")
        with open(f"{base}/initrd", "wb") as f:
            f.write(initramfs(kernel, stage, shlex.join(words)))
        told = run(base, kernel)
        if not told:
            print(f"the machine said nothing of a suite within {PATIENCE} s; its console ends with:")
            with open(f"{base}/console", encoding="utf-8", errors="replace") as f:
                print(f.read()[-4000:])
            return 1
    with open(counts, "a", encoding="utf-8") as f:
        f.write(told + "\n")
    print(f"from switching it on to the end: {time.monotonic() - began:.0f} s")
    return 0 if told.endswith(" 0") else 1


if __name__ == "__main__":
    sys.exit(main())
