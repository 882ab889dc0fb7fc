/* SPDX-License-Identifier: Apache-2.0 */
/* image - see image.h */
#include "base/image.h"
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

static void drop(uintptr_t from, uintptr_t to)
{
	uintptr_t page = (uintptr_t)getauxval(AT_PAGESZ);

	from = (from + page - 1) & ~(page - 1);
	to &= ~(page - 1);
	/* Where it cannot be, it stays. */
	if (page && to > from && madvise((void *)from, to - from, MADV_DONTNEED) < 0)
		return;
}

/* Where the program's own headers lie in memory (ld): at the address of its file's first byte. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

void image_give_back(void)
{
	uintptr_t base = (uintptr_t)&__ehdr_start;
	const ElfW(Phdr) *h = (const ElfW(Phdr) *)(base + __ehdr_start.e_phoff);

	for (size_t i = 0; i < __ehdr_start.e_phnum; i++)
		if (h[i].p_type == PT_LOAD && !(h[i].p_flags & PF_W))
			drop(base + h[i].p_vaddr, base + h[i].p_vaddr + h[i].p_memsz);
}
