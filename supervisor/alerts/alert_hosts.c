/* SPDX-License-Identifier: Apache-2.0 */
/* alert_hosts - see alert_hosts.h */
#include "supervisor/alerts/alert_hosts.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "audit/line.h"
#include "audit/session_check.h"
#include "base/fs.h"
#include "base/io.h"
#include "wire/dial.h"

static bool is_known(const struct alert_hosts *h, const char *host)
{
	for (size_t i = 0; i < h->known.n; i++)
		if (strcmp(h->known.v[i], host) == 0)
			return true;
	return false;
}

static int add(struct alert_hosts *h, const char *host, size_t n)
{
	_cleanup_free_ char *text = strndup(host, n);

	if (!text)
		return -ENOMEM;
	return n == 0 || h->known.n >= HOSTS_MAX || is_known(h, text) ? 0 : strv_add(&h->known, text);
}

/* --- from the log --- */

/* As alert_is_connection has it. */
static bool is_connection(const struct line *l)
{
	const char *decision = line_text(l, "decision");

	return strcmp(l->event, event_name(EVENT_NET_CONNECT)) == 0 &&
	       (strcmp(decision, event_decision_name(EVENT_ALLOW)) == 0 ||
		       strcmp(decision, event_decision_name(EVENT_WOULD_DENY)) == 0) &&
	       strcmp(line_text(l, "status"), dial_status_words(DIAL_OK)) == 0;
}

static int add_record(struct alert_hosts *h, const char *server, const char *text, size_t len)
{
	_cleanup_line_ struct line l = { 0 };
	const char *host;

	if (line_parse(text, len, &l) != LINE_OK || !is_connection(&l) || strcmp(line_text(&l, "server"), server) != 0)
		return 0;
	host = *line_text(&l, "name") ? line_text(&l, "name") : line_text(&l, "address");
	return add(h, host, strlen(host));
}

static int add_file(struct alert_hosts *h, int log, const char *name, const char *server)
{
	struct reader reader = READER_INIT(log_open_read(log, name, NULL));
	const char *text;
	size_t len;
	int outcome, r = 0;

	while (reader.fd >= 0 && r == 0 && (outcome = reader_next(&reader, &text, &len)) > 0)
		r = outcome == READER_LINE ? add_record(h, server, text, len) : 0;
	reader_done(&reader);
	return r;
}

static int add_log(struct alert_hosts *h, const struct paths *p, const char *server, struct diag *d)
{
	_cleanup_closedir_ DIR *dir = NULL;
	_cleanup_close_ int log = -1;
	char session[AUDIT_SESSION_ID_LEN + 1];
	int r = paths_open_state(p, "audit", &log, d);

	if (r == 0)
		r = fs_list(log, &dir);
	for (struct dirent *e; r == 0 && (e = readdir(dir));)
		r = session_of_file(e->d_name, session) ? add_file(h, log, e->d_name, server) : 0;
	return r;
}

/* --- the file --- */

static int add_lines(struct alert_hosts *h, const struct buf *b)
{
	int r = 0;

	for (const char *p = b->data; r == 0 && p && *p;) {
		size_t n = strcspn(p, "\n");
		/* What another session writes just now has no newline yet. */
		r = p[n] ? add(h, p, n) : 0;
		p += n + (p[n] == '\n');
	}
	return r;
}

static int read_file(struct alert_hosts *h, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(HOSTS_BYTES_MAX);
	int r = fs_read_trusted(h->dirfd, h->name, FS_TRUST_USER, geteuid(), &b, d);

	return r < 0 ? r : add_lines(h, &b);
}

static int write_all(struct alert_hosts *h, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(HOSTS_BYTES_MAX);
	int r = 0;

	for (size_t i = 0; r == 0 && i < h->known.n; i++)
		r = buf_printf(&b, "%s\n", h->known.v[i]);
	return r < 0 ? r : fs_write_atomic(h->dirfd, h->name, b.data ? b.data : "", b.len, 0600, d);
}

int alert_hosts_open(const struct paths *p, const char *server, struct alert_hosts *ret, struct diag *d)
{
	int r;

	*ret = ALERT_HOSTS_NONE;
	record_hash(server, strlen(server), ret->name);
	r = paths_open_state(p, "hosts", &ret->dirfd, d);
	if (r == 0)
		r = read_file(ret, d);
	if (r == -ENOENT) {
		r = add_log(ret, p, server, d);
		if (r == 0)
			r = write_all(ret, d);
	}
	return r;
}

static int append(const struct alert_hosts *h, const char *host)
{
	_cleanup_close_ int fd =
		openat(h->dirfd, h->name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char line[320];
	int n = snprintf(line, sizeof(line), "%s\n", host);

	return fd < 0 ? -errno : io_write_full(fd, line, (size_t)n);
}

int alert_hosts_take(struct alert_hosts *h, const char *host)
{
	int r;

	if (is_known(h, host))
		return 0;
	/* Another session may have met it. */
	r = read_file(h, NULL);
	if (r < 0 && r != -ENOENT)
		return r;
	if (is_known(h, host))
		return 0;
	r = h->known.n < HOSTS_MAX ? append(h, host) : 0;
	if (r == 0)
		r = add(h, host, strlen(host));
	return r < 0 ? r : 1;
}

void alert_hosts_done(struct alert_hosts *h)
{
	if (h->dirfd >= 0)
		close(h->dirfd);
	strv_done(&h->known);
	*h = ALERT_HOSTS_NONE;
}
