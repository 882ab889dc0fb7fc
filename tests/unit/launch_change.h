/* SPDX-License-Identifier: Apache-2.0 */
/* launch_change - one thing of the launch in launch_world.h that is changed, as rows of tables name it */
#pragma once
#include "tests/unit/launch_world.h"
#include <sys/socket.h>
#include <sys/un.h>

/* What that profile says of the tool put. */
#define TOOL_PUT "{\"name\": \"put\", \"arguments\": {\"minProperties\": 1}}"

enum launch_change {
	PROFILE,   /* a stands for b in the profile */
	ENVIRON,   /* a is NAME=VALUE in the caller's environment */
	CONTENT,   /* the file a holds b */
	MODE,	   /* the file a has the mode b, octal */
	LINK,	   /* the link a says b */
	GRANT,	   /* the command line has the option a with b */
	SET,	   /* --set a */
	SOCKET,	   /* there is a socket a */
	NAME,	   /* the profile is called a */
	FILE_NAME, /* the profile lies in a */
	STARTED,   /* the client started it in a */
	NOTHING,
};

static inline void launch_put_socket(const struct launch *l, const char *relative)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", LAUNCH_AT(l, relative));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
}

/* As the command line has it. */
static inline void launch_grant(struct launch *l, const char *option, const char *value)
{
	struct grants *g = &l->grants;
	const struct {
		const char *option;
		struct strv *list;
		bool path;
	} options[] = { { "--ro", &g->read, true }, { "--rw", &g->write, true }, { "--env", &g->env_pass, false },
		{ "--setenv", &g->env_set, false }, { "--host", &g->hosts, false }, { "--", &g->command, false } };

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strcmp(option, options[i].option) == 0) {
			assert_int_equal(strv_add(options[i].list, options[i].path ? LAUNCH_AT(l, value) : value), 0);
			return;
		}
	assert_string_equal(option, "--cwd");
	g->cwd = strdup(LAUNCH_AT(l, value));
}

static inline void launch_apply(struct launch *l, enum launch_change what, const char *a, const char *b)
{
	char name[64];

	switch (what) {
	case PROFILE:
		launch_edit(l, a, b);
		break;
	case ENVIRON:
		launch_setenv(l, a);
		break;
	case CONTENT:
		launch_put(l, a, 0755, b);
		break;
	case MODE:
		assert_int_equal(chmod(LAUNCH_AT(l, a), (mode_t)strtoul(b, NULL, 8)), 0);
		break;
	case LINK:
		launch_link(l, a, b);
		break;
	case GRANT:
		launch_grant(l, a, b);
		break;
	case SET:
		assert_int_equal(strv_add(&l->grants.sets, a), 0);
		break;
	case SOCKET:
		launch_put_socket(l, a);
		break;
	case NAME:
		snprintf(name, sizeof(name), "\"name\": \"%s\"", a);
		launch_edit(l, "\"name\": \"notes\"", name);
		snprintf(name, sizeof(name), "%s.json", a);
		launch_at(l, name, l->file);
		break;
	case FILE_NAME:
		launch_at(l, a, l->file);
		break;
	case STARTED:
		launch_at(l, a, l->workspace);
		break;
	case NOTHING:
		break;
	}
}
