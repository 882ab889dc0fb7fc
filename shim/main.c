/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - stockade-shim: stands between client and server, and is the only program that parses JSON-RPC
 *
 * Process:  shim
 *
 * Stages:   1 read the sealed config, stop being root, compile its schemas   2 look at the descriptors   3 draw the
 * secret   4 confine   5 wait for the supervisor's release   6 relay. Should: do all that needs the kernel's good will
 * before 4. Mustn't: read a byte of the client or of the server before 5.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include "base/diag.h"
#include "base/image.h"
#include "base/io.h"
#include "base/lockdown.h"
#include "base/privilege.h"
#include "shim/arguments.h"
#include "shim/confine.h"
#include "shim/relay.h"
#include "shim/shim.h"
#include "shim/stderr.h"
#include "wire/control.h"
#include "wire/fds.h"

/* What is larger than this is given back to the kernel when it is freed. */
enum { HEAP_BLOCK_MAX = 256 << 10 };

static int read_config(struct shim_config *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHIM_CONFIG_BYTES_MAX);
	int r = io_memfd_read(SHIM_FD_CONFIG, &b);

	if (r < 0)
		return diag_fail(d, r, "cannot read the configuration: %s (this program is started by stockade run)",
			strerror(-r));
	r = shim_config_decode(b.data, b.len, ret);
	/* Values of secrets are in it. */
	explicit_bzero(b.data, b.cap);
	if (r < 0)
		return diag_fail(d, r, "the configuration is of another build: %s", strerror(-r));
	close(SHIM_FD_CONFIG);
	return 0;
}

static int open_ports(struct shim *s, struct port *err_in, struct port *err_out, struct diag *d)
{
	const struct {
		struct port *port;
		int fd;
		int (*init)(struct port *p, int fd);
	} ports[] = {
		{ &s->client_in, STDIN_FILENO, port_init },
		{ &s->client_out, STDOUT_FILENO, port_init },
		{ err_out, STDERR_FILENO, port_init },
		{ &s->server_in, SHIM_FD_SERVER_IN, port_init_own },
		{ &s->server_out, SHIM_FD_SERVER_OUT, port_init_own },
		{ err_in, SHIM_FD_SERVER_ERR, port_init_own },
	};

	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		int r = ports[i].init(ports[i].port, ports[i].fd);
		if (r < 0)
			return diag_fail(d, r, "descriptor %d is not open: %s", ports[i].fd, strerror(-r));
	}
	s->control = SHIM_FD_CONTROL;
	s->records = SHIM_FD_RECORDS;
	if (close_range(SHIM_FD_END, UINT_MAX, 0) < 0)
		return diag_fail(d, -errno, "cannot close other descriptors: %s", strerror(errno));
	return 0;
}

static int prepare(struct shim *s, struct stderr_relay *e, struct diag *d)
{
	struct port err_in = { .fd = -1 }, err_out = { .fd = -1 };
	uint64_t secret;
	int r = read_config(&s->config, d);

	if (r < 0)
		return r;
	r = privilege_drop(s->config.uid, s->config.gid);
	if (r < 0)
		return diag_fail(d, r, "cannot become user %u: %s", s->config.uid, strerror(-r));
	r = arguments_prepare(s, d);
	if (r < 0)
		return r;
	r = open_ports(s, &err_in, &err_out, d);
	if (r < 0)
		return r;
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return diag_fail(d, -EIO, "the kernel gave no random bytes");
	mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_MAX);
	lockdown_ignore_signals();
	shim_init(s, secret);
	rare_init(&s->rare);
	rare_add(&s->rare, s->control, POLLIN);
	rare_add(&s->rare, err_in.fd, POLLIN);
	rare_add(&s->rare, s->client_out.fd, 0);
	r = text_out_init(&s->text, &s->config.text, d);
	if (r < 0)
		return r;
	stderr_init(e, err_in, err_out, s->config.name, s->config.stderr_prefix, io_now_us());
	e->text = &s->text;
	r = confine(d);
	image_give_back();
	return r;
}

/* What holds from the first message on; *ret: it was that. */
static int take_early(struct shim *s, const struct control *c, bool *ret)
{
	*ret = true;
	if (c->type == CONTROL_GRANT)
		return scopes_lift(s, c);
	if (c->type == CONTROL_KILL_TOOL || c->type == CONTROL_RESTORE_TOOL)
		return kills_take(s, c);
	*ret = false;
	return 0;
}

/* 0: released, or to wait with the client for an approval; 1: there is nothing to do; -errno. */
static int await_release(struct shim *s, struct diag *d)
{
	struct control c;
	char bytes[CONTROL_BYTES_MAX];
	bool early = true;

	while (early) {
		long n = io_recv_msg(SHIM_FD_CONTROL, bytes, sizeof(bytes), NULL, NULL);
		if (n == 0)
			return 1;
		int r = n < 0 ? (int)n : control_decode(bytes, (size_t)n, &c);
		if (r == 0)
			r = take_early(s, &c, &early);
		if (r < 0)
			return diag_fail(d, r, "cannot understand the supervisor: %s", strerror(-r));
	}
	if (c.type == CONTROL_WAIT) {
		waiting_begin(s, c.text);
		return 0;
	}
	return c.type == CONTROL_RELEASE ? 0 : 1;
}

static int say(const struct diag *d)
{
	dprintf(STDERR_FILENO, "stockade: the shim stops: %s\n", d->text);
	return SHIM_EXIT_FAILED;
}

int main(void)
{
	struct shim s = { 0 };
	struct stderr_relay e;
	struct diag d = { 0 };
	int r = prepare(&s, &e, &d);

	if (r < 0)
		return say(&d);
	r = await_release(&s, &d);
	if (r < 0)
		return say(&d);
	r = r ? SHIM_EXIT_OK : relay_run(&s, &e);
	stderr_done(&e);
	shim_done(&s);
	/* Nothing is buffered, and what runs at exit in a sanitised build (clone) is not allowed any more. */
	_exit(r);
}
