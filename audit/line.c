/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line - lines of a log file read back
 *
 * Process:  supervisor
 */
#include "audit/line.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { NAME_SHOWN = 300 };

const char *line_text(const struct line *l, const char *key)
{
	const char *s = json_string_value(json_object_get(l->root, key));

	return s ? s : "";
}

uint64_t line_number(const struct line *l, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(l->root, key));

	return n > 0 ? (uint64_t)n : 0;
}

int line_parse(const char *text, size_t n, struct line *ret)
{
	_cleanup_line_ struct line l = { 0 };
	const char *prev, *hash;
	char computed[RECORD_HASH_HEX + 1];

	if (n > AUDIT_RECORD_MAX || !record_line_links(text, n, &prev, &hash))
		return LINE_BAD;
	l.root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(l.root) || line_number(&l, "v") != RECORD_VERSION)
		return LINE_BAD;
	memcpy(l.prev, prev, RECORD_HASH_HEX);
	memcpy(l.hash, hash, RECORD_HASH_HEX);
	l.session = line_text(&l, "session");
	l.event = line_text(&l, "event");
	l.seq = line_number(&l, "seq");
	/* The members are those at the end of the line, and not others inside of a string or a nested object. */
	if (l.seq == 0 || !record_parse_time(line_text(&l, "ts"), &l.us) ||
		strcmp(line_text(&l, "prev"), l.prev) != 0 || strcmp(line_text(&l, "hash"), l.hash) != 0)
		return LINE_BAD;
	l.hash_ok = record_line_hash(text, n, computed) && strcmp(computed, l.hash) == 0;
	*ret = l;
	l.root = NULL;
	return LINE_OK;
}

void line_done(struct line *l)
{
	json_decref(l->root);
	l->root = NULL;
}

static int fill(struct reader *r)
{
	ssize_t n;

	if (!r->bytes && !(r->bytes = malloc(READER_BYTES)))
		return -ENOMEM;
	if (r->start > 0) {
		memmove(r->bytes, r->bytes + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	do
		n = pread(r->fd, r->bytes + r->end, READER_BYTES - r->end, (off_t)(r->offset + r->end));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	r->end += (size_t)n;
	return n > 0;
}

static void take(struct reader *r, size_t n)
{
	r->start += n;
	r->offset += n;
}

int reader_next(struct reader *r, const char **ret, size_t *ret_len)
{
	size_t seen = 0;

	for (;;) {
		size_t have = r->end - r->start;
		char *at = r->bytes ? r->bytes + r->start : NULL;
		char *newline = have > seen ? memchr(at + seen, '\n', have - seen) : NULL;
		if (newline) {
			bool was_skipping = r->skipping;
			*ret = at;
			*ret_len = (size_t)(newline - at);
			take(r, *ret_len + 1);
			r->number++;
			r->skipping = false;
			return was_skipping || *ret_len > AUDIT_RECORD_MAX ? READER_TOO_LONG : READER_LINE;
		}
		if (have > AUDIT_RECORD_MAX) {
			take(r, have);
			r->skipping = true;
			have = 0;
		}
		seen = have;
		int n = fill(r);
		if (n <= 0)
			return n < 0 ? n : READER_END;
	}
}

size_t reader_rest(const struct reader *r, const char **ret)
{
	*ret = r->bytes ? r->bytes + r->start : "";
	return r->end - r->start + (r->skipping ? AUDIT_RECORD_MAX : 0);
}

void reader_done(struct reader *r)
{
	free(r->bytes);
	r->bytes = NULL;
	r->start = r->end = 0;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

int log_open_read(int dirfd, const char *name, struct diag *d)
{
	/* O_NONBLOCK: a FIFO in the place of a file must not hang us. */
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char shown[NAME_SHOWN];
	struct stat st;

	text_escape_str(name, shown, sizeof shown);
	if (fd < 0)
		return diag_fail(d, -errno, "%s cannot be opened: %s", shown,
			errno == ELOOP ? "it is a symbolic link" : strerror(errno));
	if (fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "%s cannot be examined: %s", shown, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_fail(d, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, "%s is %s, not a log file; move it away",
			shown, S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
	return steal_fd(&fd);
}
