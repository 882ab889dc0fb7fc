/* SPDX-License-Identifier: Apache-2.0 */
/* client_words - a client in words and in JSON (client.h) */
#include <string.h>
#include "base/buf.h"
#include "base/text.h"
#include "supervisor/client/client.h"

enum { WORDS_MAX = 8192, MEMBER_SIZE = 512 };

static const char *const kind_names[] = {
	[CLIENT_UNKNOWN] = "unknown",
	[CLIENT_PROGRAM] = "program",
	[CLIENT_SCRIPT] = "script",
	[CLIENT_APPIMAGE] = "AppImage",
	[CLIENT_SNAP] = "snap",
	[CLIENT_FLATPAK] = "Flatpak",
};
_Static_assert(ARRAY_LEN(kind_names) == CLIENT_KIND_COUNT, "a name for every kind");

const char *client_kind_name(enum client_kind kind)
{
	return kind_names[kind];
}

/* --- JSON --- */

/* A path need not be UTF-8; escaped it is, and cut, so that a record holds it. Left out when there is nothing. */
static int put(json_t *object, const char *key, const char *value)
{
	char shown[MEMBER_SIZE];

	if (!value || !*value)
		return 0;
	return json_object_set_new(object, key, json_string(text_escape_str(value, shown, sizeof(shown))));
}

json_t *client_json(const struct client *c)
{
	const struct client_file *subject = client_subject(c);
	json_t *o = json_pack("{s:s}", "kind", client_kind_name(c->kind));
	int r = o ? 0 : -1;

	r |= put(o, "name", c->name);
	if (c->pid > 0)
		r |= json_object_set_new(o, "pid", json_integer(c->pid));
	r |= put(o, "path", c->exe.path);
	r |= put(o, "script", c->script.path);
	r |= put(o, "digest", subject ? subject->digest : NULL);
	r |= put(o, "package", c->package);
	r |= put(o, "version", c->version);
	r |= put(o, "image", c->image.path);
	r |= put(o, "image_digest", c->image.digest);
	if (subject)
		r |= json_object_set_new(o, "root_owned", json_boolean(subject->held));
	r |= put(o, "how", c->how);
	r |= put(o, "why", c->why);
	if (r == 0)
		return o;
	json_decref(o);
	return NULL;
}

/* --- words --- */

static int add(struct buf *b, const char *before, const char *value)
{
	int r = 0;

	if (!value || !*value)
		return 0;
	r = buf_puts(b, before);
	return r < 0 ? r : text_escape(b, value, strlen(value), 0);
}

static int write_words(struct buf *b, const struct client *c)
{
	const struct client_file *subject = client_subject(c);
	int r = c->name ? buf_printf(b, "%s: ", c->name) : buf_puts(b, "");

	if (c->kind == CLIENT_UNKNOWN)
		return r < 0 ? r : buf_printf(b, "not identified: %s", c->why ? c->why : "");
	r = r < 0 ? r : add(b, "", c->exe.path);
	r = r < 0 ? r : add(b, " running ", c->script.path);
	r = r < 0 ? r : add(b, " of the AppImage ", c->image.path);
	r = r < 0 ? r : add(b, ", ", c->package);
	r = r < 0 ? r : add(b, " ", c->package ? c->version : NULL);
	r = r < 0 ? r : add(b, ", ", subject ? subject->digest : NULL);
	return r < 0 || !c->how ? r : buf_printf(b, " (%s)", c->how);
}

char *client_words(const struct client *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT(WORDS_MAX);

	/* Absurdly long paths: what fits tells enough. */
	return write_words(&b, c) == -ENOMEM ? NULL : buf_steal(&b);
}
