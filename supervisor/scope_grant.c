/* SPDX-License-Identifier: Apache-2.0 */
/* scope_grant - see scope_grant.h */
#include "supervisor/scope_grant.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/io.h"
#include "supervisor/output.h"

static const char BOOT_ID[] = "/proc/sys/kernel/random/boot_id";

void scope_grant_done(struct scope_grant *g)
{
	free(g->server);
	free(g->scope);
	free(g->profile);
	free(g->user);
	free(g->by);
	free(g->damaged);
	*g = (struct scope_grant){ 0 };
}

void scope_grants_done(struct scope_grants *l)
{
	for (size_t i = 0; i < l->n; i++)
		scope_grant_done(&l->v[i]);
	free(l->v);
	*l = (struct scope_grants){ 0 };
}

/* --- the clock --- */

int scope_clock_init(struct scope_clock *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SCOPE_BOOT_SIZE);
	_cleanup_close_ int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int r = fd < 0 ? -errno : io_read_all(fd, &b);

	*ret = (struct scope_clock){ 0 };
	if (r == 0 && b.len > 0 && b.len < sizeof(ret->boot))
		snprintf(ret->boot, sizeof(ret->boot), "%.*s", (int)strcspn(b.data, "\n"), b.data);
	if (!ret->boot[0])
		return diag_fail(d, r < 0 ? r : -EIO, "cannot tell one boot from another: %s: %s", BOOT_ID,
			strerror(r < 0 ? -r : EIO));
	ret->time_namespace = stat("/proc/self/ns/time", &st) == 0 ? st.st_ino : 0;
	scope_clock_read(ret);
	return 0;
}

void scope_clock_read(struct scope_clock *c)
{
	c->boot_us = io_boot_us();
	c->wall_s = (int64_t)(io_wall_us() / US_PER_S);
}

int64_t scope_clock_wall(const struct scope_clock *c, uint64_t boot_us)
{
	return c->wall_s + ((int64_t)boot_us - (int64_t)c->boot_us) / US_PER_S;
}

uint64_t scope_grant_until(const struct scope_grant *g, uint64_t lift_max_s)
{
	uint64_t longest = g->made_us + lift_max_s * US_PER_S;

	return g->until_us < longest ? g->until_us : longest;
}

/* --- one file --- */

static int file_name(const char *server, const char *scope, char ret[SCOPE_GRANT_NAME_SIZE])
{
	/* A scope's name has no dot, so the last one parts the two. */
	int n = snprintf(ret, SCOPE_GRANT_NAME_SIZE, "%s.%s", server, scope);

	return n < SCOPE_GRANT_NAME_SIZE && server[0] != '.' && !strchr(server, '/') && scopes_name_valid(scope)
		       ? 0
		       : -EINVAL;
}

int scope_grant_write(const struct scope_grant_args *a, const struct scope_clock *now, struct diag *d)
{
	_cleanup_free_ char *by = lineage_words(a->lineage), *text = NULL;
	char name[SCOPE_GRANT_NAME_SIZE], when[OUTPUT_TIME_SIZE];
	_cleanup_close_ int dir = -1;
	uint64_t until_us = now->boot_us + a->seconds * US_PER_S;
	json_t *root;
	int r = file_name(a->server, a->scope, name);

	if (r < 0)
		return diag_fail(d, r, "no grant can be kept under that name");
	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:I}", "v", SCOPE_GRANT_VERSION, "server",
		a->server, "scope", a->scope, "profile", a->profile, "user", a->paths->user, "by", by ? by : "", "when",
		output_time(now->wall_s, when), "made_us", (json_int_t)now->boot_us, "until_us", (json_int_t)until_us,
		"boot", now->boot, "time_namespace", (json_int_t)now->time_namespace);
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	if (!text)
		return diag_fail(
			d, -EILSEQ, "the grant cannot be written down: out of memory, or a name that is not UTF-8");
	r = paths_open_runtime(a->paths, SCOPE_GRANT_DIR, &dir, d);
	return r < 0 ? r : fs_write_atomic(dir, name, text, strlen(text), 0600, d);
}

static int take_strings(const json_t *root, struct scope_grant *g)
{
	const struct {
		const char *key;
		char **to;
	} rows[] = { { "server", &g->server }, { "scope", &g->scope }, { "profile", &g->profile }, { "user", &g->user },
		{ "by", &g->by } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = json_string_value(json_object_get(root, rows[i].key));
		if (!text)
			return -EINVAL;
		*rows[i].to = strdup(text);
		if (!*rows[i].to)
			return -ENOMEM;
	}
	return 0;
}

static int take_moment(const json_t *root, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(root, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -EINVAL;
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

/* *ret_over: it was whole once, and is over. */
static int take(const json_t *root, const struct scope_clock *now, struct scope_grant *g, bool *ret_over)
{
	const char *boot = json_string_value(json_object_get(root, "boot"));
	uint64_t space;
	int r;

	*ret_over = false;
	if (json_integer_value(json_object_get(root, "v")) != SCOPE_GRANT_VERSION || !boot)
		return -EINVAL;
	r = take_strings(root, g);
	if (r < 0)
		return r;
	if (take_moment(root, "made_us", &g->made_us) < 0 || take_moment(root, "until_us", &g->until_us) < 0 ||
		take_moment(root, "time_namespace", &space) < 0 || !scopes_name_valid(g->scope))
		return -EINVAL;
	if (g->until_us <= g->made_us || g->until_us - g->made_us > (uint64_t)SCOPES_TIME_MAX * US_PER_S)
		return -ERANGE;
	*ret_over = strcmp(boot, now->boot) != 0 || space != now->time_namespace || g->until_us <= now->boot_us;
	/* Of this boot, and given at a moment that has not come: nobody gave it. */
	return !*ret_over && g->made_us > now->boot_us ? -ERANGE : 0;
}

int scope_grant_parse(
	const char *bytes, size_t n, const struct scope_clock *now, struct scope_grant *ret, struct diag *d)
{
	json_t *root = json_loadb(bytes ? bytes : "", n, JSON_REJECT_DUPLICATES, NULL);
	struct scope_grant g = { 0 };
	bool over = false;
	int r = root ? take(root, now, &g, &over) : -EINVAL;

	json_decref(root);
	if (r == 0 && !over) {
		*ret = g;
		return 0;
	}
	scope_grant_done(&g);
	if (r == 0)
		return SCOPE_GRANT_NONE;
	if (r == -ENOMEM)
		return diag_fail(d, r, "out of memory");
	return diag_fail(d, r,
		r == -ERANGE ? "it is damaged and lifts nothing: its times are none that stockade gives"
			     : "it is damaged and lifts nothing");
}

static int read_file(
	int dir, uid_t uid, const char *name, const struct scope_clock *now, struct scope_grant *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SCOPE_GRANT_FILE_MAX);
	char own[SCOPE_GRANT_NAME_SIZE];
	int r = fs_read_trusted(dir, name, FS_TRUST_USER, uid, &b, d);

	if (r == -ENOENT)
		return SCOPE_GRANT_NONE;
	if (r == 0)
		r = scope_grant_parse(b.data, b.len, now, ret, d);
	if (r)
		return r;
	if (file_name(ret->server, ret->scope, own) < 0 || strcmp(own, name) != 0) {
		scope_grant_done(ret);
		return diag_fail(d, -EINVAL, "it is damaged and lifts nothing: it is about another server or scope");
	}
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return 0;
}

int scope_grant_read(int dir, uid_t uid, const char *server, const char *scope, const struct scope_clock *now,
	struct scope_grant *ret, struct diag *d)
{
	char name[SCOPE_GRANT_NAME_SIZE];
	struct diag why = { "" };
	int r = file_name(server, scope, name);

	*ret = (struct scope_grant){ 0 };
	if (r < 0)
		return SCOPE_GRANT_NONE;
	r = read_file(dir, uid, name, now, ret, &why);
	return r >= 0 ? r
		      : diag_fail(d, r,
				"the grant " SCOPE_GRANT_DIR "/%s in stockade's runtime directory: %.1024s; 'stockade "
				"grants end %s %s' removes it",
				name, why.text[0] ? why.text : strerror(-r), server, scope);
}

/* --- all of them --- */

static int add(int dir, uid_t uid, const char *name, const struct scope_clock *now, struct scope_grants *l)
{
	struct scope_grant g = { 0 }, *more;
	struct diag why = { "" };
	int r = read_file(dir, uid, name, now, &g, &why);

	/* Left where it is: by its name a new one may lie there by now, and to another clock it may not be over. */
	if (r == SCOPE_GRANT_NONE)
		return 0;
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		snprintf(g.name, sizeof(g.name), "%s", name);
		g.damaged = strdup(why.text[0] ? why.text : strerror(-r));
	}
	more = r < 0 && !g.damaged ? NULL : reallocarray(l->v, l->n + 1, sizeof(*more));
	if (!more) {
		scope_grant_done(&g);
		return -ENOMEM;
	}
	l->v = more;
	l->v[l->n++] = g;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct scope_grant *)a)->name, ((const struct scope_grant *)b)->name);
}

int scope_grant_list(const struct paths *p, const struct scope_clock *now, struct scope_grants *ret, struct diag *d)
{
	_cleanup_scope_grants_ struct scope_grants l = { 0 };
	_cleanup_close_ int fd = -1;
	int r = paths_open_runtime(p, SCOPE_GRANT_DIR, &fd, d);

	if (r < 0)
		return r;
	_cleanup_closedir_ DIR *dir = NULL;
	r = fs_list(fd, &dir);
	if (r < 0)
		return diag_fail(d, r, "cannot list the grants: %s", strerror(-r));
	for (struct dirent *e; r == 0 && (e = readdir(dir));)
		/* One that begins with a dot is being written. */
		if (e->d_name[0] != '.' && strlen(e->d_name) < SCOPE_GRANT_NAME_SIZE)
			r = add(fd, p->uid, e->d_name, now, &l);
	if (r < 0)
		return diag_fail(d, r, "cannot list the grants: %s", strerror(-r));
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	*ret = l;
	l = (struct scope_grants){ 0 };
	return 0;
}

int scope_grant_remove(const struct paths *p, const char *server, const char *scope, struct diag *d)
{
	char name[SCOPE_GRANT_NAME_SIZE];
	_cleanup_close_ int dir = -1;
	int r = file_name(server, scope, name) < 0 ? SCOPE_GRANT_NONE : paths_open_runtime(p, SCOPE_GRANT_DIR, &dir, d);

	if (r)
		return r;
	if (unlinkat(dir, name, 0) == 0)
		return 0;
	return errno == ENOENT ? SCOPE_GRANT_NONE
			       : diag_fail(d, -errno, "cannot end the grant %s: %s", name, strerror(errno));
}
