/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_elf - loader and library directories of a native program (resolve_internal.h)
 *
 * Format: elf(5); DT_RPATH and DT_RUNPATH with $ORIGIN: ld.so(8). The file is the user's, not a peer's, but it is read
 * as if it were hostile: every offset is checked against what was read.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "supervisor/base_view.h"
#include "supervisor/resolve_internal.h"

enum { ELF_HEADERS_MAX = 128, ELF_DYNAMIC_MAX = 1024, ELF_STRING_MAX = 4096 };

#if defined(__x86_64__)
#define ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define ELF_MACHINE EM_AARCH64
#else
#define ELF_MACHINE EM_NONE
#endif
_Static_assert(ELF_MACHINE != EM_NONE, "name the ELF machine of this architecture");

struct elf {
	int fd;
	Elf64_Phdr ph[ELF_HEADERS_MAX];
	size_t n;
};

static int read_at(int fd, void *p, size_t n, uint64_t at)
{
	if (at > INT64_MAX)
		return -ENOEXEC;
	ssize_t got = pread(fd, p, n, (off_t)at);
	return got < 0 ? -errno : (size_t)got == n ? 0 : -ENOEXEC;
}

/* A string, cut at ELF_STRING_MAX. */
static int read_string(int fd, uint64_t at, char ret[ELF_STRING_MAX])
{
	ssize_t n = at > INT64_MAX ? -1 : pread(fd, ret, ELF_STRING_MAX - 1, (off_t)at);

	if (n < 0)
		return -ENOEXEC;
	ret[n] = '\0';
	return 0;
}

static int open_elf(struct resolve *c, const char *file, struct elf *e)
{
	Elf64_Ehdr h;

	e->fd = open(file, O_RDONLY | O_CLOEXEC);
	if (e->fd < 0 || read_at(e->fd, &h, sizeof(h), 0) < 0)
		return diag_fail(c->d, -ENOEXEC, "%s begins like a native program and is cut short; install it again",
			SHOWN(file));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_machine != ELF_MACHINE)
		return diag_fail(c->d, -ENOEXEC,
			"%s is a native program for another machine (32-bit programs count as such); get the one for "
			"this machine",
			SHOWN(file));
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN)
		return diag_fail(c->d, -ENOEXEC, "%s is an ELF file that cannot be executed", SHOWN(file));
	e->n = h.e_phnum;
	if (h.e_phentsize != sizeof(Elf64_Phdr) || e->n > ELF_HEADERS_MAX ||
		read_at(e->fd, e->ph, e->n * sizeof(*e->ph), h.e_phoff) < 0)
		return diag_fail(c->d, -ENOEXEC, "the headers of the native program %s are damaged; install it again",
			SHOWN(file));
	return 0;
}

static const Elf64_Phdr *find_segment(const struct elf *e, uint32_t type)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->ph[i].p_type == type)
			return &e->ph[i];
	return NULL;
}

static int to_offset(const struct elf *e, uint64_t address, uint64_t *ret)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->ph[i].p_type == PT_LOAD && address >= e->ph[i].p_vaddr &&
			address - e->ph[i].p_vaddr < e->ph[i].p_filesz) {
			*ret = address - e->ph[i].p_vaddr + e->ph[i].p_offset;
			return 0;
		}
	return -ENOEXEC;
}

static int add_loader(struct resolve *c, const struct elf *e, const char *file)
{
	const Elf64_Phdr *ph = find_segment(e, PT_INTERP);
	_cleanup_free_ char *real = NULL;
	char path[ELF_STRING_MAX];
	int r;

	if (!ph)
		return 0;
	r = read_string(e->fd, ph->p_offset, path);
	if (r == 0)
		r = *path == '/' ? resolve_walk(path, &real, &c->links) : -ENOENT;
	if (r < 0)
		return diag_fail(c->d, r == -ENOMEM ? r : -ENOENT,
			"%s needs the loader %s, which this machine lacks: it was built for another distribution (musl "
			"or glibc); get the right build",
			SHOWN(file), SHOWN(path));
	return resolve_tree_file(c, real, "loader");
}

/* One directory of a run path, with $ORIGIN replaced. */
static int add_library_dir(struct resolve *c, const char *file, const char *item)
{
	static const char *const names[] = { "$ORIGIN", "${ORIGIN}" };
	_cleanup_free_ char *origin = resolve_dirname(file), *real = NULL;
	char path[PATH_MAX];
	const char *rest = item;
	int r;

	if (!origin)
		return -ENOMEM;
	for (size_t i = 0; rest == item && i < ARRAY_LEN(names); i++)
		if (strncmp(item, names[i], strlen(names[i])) == 0)
			rest = item + strlen(names[i]);
	if (rest == item && *item != '/')
		return 0;
	if (snprintf(path, sizeof(path), "%s%s", rest == item ? "" : origin, rest) >= (int)sizeof(path))
		return 0;
	/* What does not exist, the loader passes over as well. */
	r = resolve_walk(path, &real, &c->links);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !resolve_is_dir(real))
		return 0;
	return resolve_tree_dir(c, real, "libraries");
}

static int add_run_path(struct resolve *c, const struct elf *e, const char *file, uint64_t at)
{
	char text[ELF_STRING_MAX];
	char *save = NULL;
	int r = read_string(e->fd, at, text);

	for (char *item = r == 0 ? strtok_r(text, ":", &save) : NULL; r == 0 && item; item = strtok_r(NULL, ":", &save))
		r = add_library_dir(c, file, item);
	return r;
}

static int add_libraries(struct resolve *c, const struct elf *e, const char *file)
{
	const Elf64_Phdr *ph = find_segment(e, PT_DYNAMIC);
	uint64_t strings = 0, paths[2] = { 0, 0 };
	Elf64_Dyn dyn;
	int r = 0;

	if (!ph)
		return 0;
	for (size_t i = 0; i < ELF_DYNAMIC_MAX && (i + 1) * sizeof(dyn) <= ph->p_filesz; i++) {
		if (read_at(e->fd, &dyn, sizeof(dyn), ph->p_offset + i * sizeof(dyn)) < 0 || dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_STRTAB && to_offset(e, dyn.d_un.d_ptr, &strings) < 0)
			return 0;
		if (dyn.d_tag == DT_RPATH || dyn.d_tag == DT_RUNPATH)
			paths[dyn.d_tag == DT_RUNPATH] = dyn.d_un.d_val;
	}
	for (size_t i = 0; r == 0 && strings && i < ARRAY_LEN(paths); i++)
		if (paths[i])
			r = add_run_path(c, e, file, strings + paths[i]);
	return r;
}

int resolve_elf(struct resolve *c, const char *file)
{
	_cleanup_free_ struct elf *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	r = open_elf(c, file, e);
	if (r == 0)
		r = add_loader(c, e, file);
	if (r == 0 && !base_view_covers(file))
		r = add_libraries(c, e, file);
	if (e->fd >= 0)
		close(e->fd);
	return r;
}
