/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_tables - what enter puts into every sandbox by itself, as data: enter builds from it, `stockade check` prints
 * it
 *
 * Process:  enter (builds), supervisor (lists)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct sandbox_device {
	const char *name; /* below /dev */
	unsigned major, minor;
};

/* Bound from the host's /dev and checked to be these very character devices (CVE-2025-31133). No tty, no devpts. */
static const struct sandbox_device sandbox_devices[] = {
	{ "null", 1, 3 },
	{ "zero", 1, 5 },
	{ "full", 1, 7 },
	{ "random", 1, 8 },
	{ "urandom", 1, 9 },
};

struct sandbox_link {
	const char *name; /* below /dev */
	const char *text;
};

static const struct sandbox_link sandbox_dev_links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

struct sandbox_proc {
	const char *name; /* below /proc */
	const char *why;
};

/*
 * What stays visible of /proc beside the sandbox's own processes and symbolic links. Everything else that the kernel
 * lists there is hidden behind an empty read-only file or directory, so that what a newer kernel adds is hidden too.
 */
static const struct sandbox_proc sandbox_proc_kept[] = {
	{ "cgroups", "the JVM asks which controllers exist" },
	{ "cpuinfo", "runtimes count processors and read their features" },
	{ "filesystems", "libselinux and runtimes look for file system types" },
	{ "loadavg", "load average" },
	{ "meminfo", "runtimes size their heaps" },
	{ "stat", "processor times; node's os.cpus()" },
	{ "sys", "kernel settings, read-only" },
	{ "uptime", "clocks of libuv and Python" },
	{ "version", "kernel version, as uname gives it" },
	{ "vmstat", "psutil's memory figures" },
};
