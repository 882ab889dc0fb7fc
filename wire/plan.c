/* SPDX-License-Identifier: Apache-2.0 */
/* plan - see plan.h */
#include "wire/plan.h"
#include <errno.h>
#include <string.h>

/* The least a mount takes encoded: for believing a count. */
enum { PLAN_MOUNT_MIN = 50 };

static char *dup_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

static void mount_done(struct plan_mount *m)
{
	free(m->source);
	free(m->target);
	free(m->content);
}

/* Room for one more; grows at powers of two. */
static int grow_mounts(struct plan *p)
{
	struct plan_mount *v;

	if (p->n_mounts >= PLAN_MOUNTS_MAX)
		return -E2BIG;
	if (p->n_mounts & (p->n_mounts - 1))
		return 0;
	v = reallocarray(p->mounts, p->n_mounts ? 2 * p->n_mounts : 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	p->mounts = v;
	return 0;
}

int plan_add_mount(struct plan *p, const struct plan_mount *m)
{
	struct plan_mount copy = *m;
	int r = grow_mounts(p);

	if (r < 0)
		return r;
	copy.source = dup_or_null(m->source);
	copy.target = dup_or_null(m->target);
	copy.content = dup_or_null(m->content);
	if ((m->source && !copy.source) || (m->target && !copy.target) || (m->content && !copy.content)) {
		mount_done(&copy);
		return -ENOMEM;
	}
	p->mounts[p->n_mounts++] = copy;
	return 0;
}

static void put_mount(struct wire_writer *w, const struct plan_mount *m)
{
	wire_put_u32(w, m->kind);
	wire_put_u32(w, m->flags);
	wire_put_str(w, m->source);
	wire_put_str(w, m->target);
	wire_put_u64(w, m->dev);
	wire_put_u64(w, m->ino);
	wire_put_u32(w, m->type);
	wire_put_u32(w, m->mode);
	wire_put_u64(w, m->size);
	wire_put_str(w, m->content);
}

void plan_take_network(struct plan *p, struct net_layout *l)
{
	p->network = (struct plan_network){ .on = true,
		.stub = l->stub,
		.routes = l->routes,
		.n_routes = l->n_routes,
		.sockets = l->sockets,
		.n_sockets = l->n_sockets };
	*l = (struct net_layout){ 0 };
}

static void put_network(struct wire_writer *w, const struct plan_network *n)
{
	wire_put_u8(w, n->on);
	net_address_put(w, &n->stub);
	wire_put_u32(w, (uint32_t)n->n_routes);
	for (size_t i = 0; i < n->n_routes; i++) {
		net_address_put(w, &n->routes[i].address);
		wire_put_u8(w, n->routes[i].prefix);
	}
	wire_put_u32(w, (uint32_t)n->n_sockets);
	for (size_t i = 0; i < n->n_sockets; i++) {
		wire_put_u8(w, (uint8_t)n->sockets[i].kind);
		net_address_put(w, &n->sockets[i].address);
		wire_put_u32(w, n->sockets[i].port);
	}
}

int plan_encode(const struct plan *p, struct wire_writer *w)
{
	wire_begin(w, WIRE_PLAN, PLAN_BYTES_MAX);
	wire_put_str(w, p->name);
	wire_put_u32(w, p->uid);
	wire_put_u32(w, p->gid);
	wire_put_u8(w, p->drop_root);
	wire_put_str(w, p->exec_path);
	wire_put_strv(w, p->argv.v, p->argv.n);
	wire_put_strv(w, p->envp.v, p->envp.n);
	wire_put_str(w, p->cwd);
	wire_put_str(w, p->hostname);
	wire_put_str(w, p->seccomp);
	wire_put_u8(w, p->allow_unix);
	wire_put_u64(w, p->root_size);
	wire_put_u64(w, p->limits.processes);
	wire_put_u64(w, p->limits.files);
	wire_put_u64(w, p->limits.memory);
	put_network(w, &p->network);
	wire_put_u32(w, (uint32_t)p->n_mounts);
	for (size_t i = 0; i < p->n_mounts; i++)
		put_mount(w, &p->mounts[i]);
	return wire_finish(w);
}

static void get_strv(struct wire_reader *r, struct strv *ret)
{
	uint32_t n = wire_get_count(r, sizeof(uint32_t));

	for (uint32_t i = 0; i < n && !r->error; i++) {
		char *s = wire_get_str(r);
		if (!s) {
			wire_refuse(r);
			return;
		}
		int e = strv_add_take(ret, s);
		if (e < 0)
			r->error = e;
	}
}

static void get_mount(struct wire_reader *r, struct plan_mount *ret)
{
	*ret = (struct plan_mount){ .kind = wire_get_u32(r) };
	ret->flags = wire_get_u32(r);
	ret->source = wire_get_str(r);
	ret->target = wire_get_str(r);
	ret->dev = wire_get_u64(r);
	ret->ino = wire_get_u64(r);
	ret->type = wire_get_u32(r);
	ret->mode = wire_get_u32(r);
	ret->size = wire_get_u64(r);
	ret->content = wire_get_str(r);
	if (ret->kind >= PLAN_MOUNT_KIND_COUNT || !ret->target || ret->target[0] != '/')
		wire_refuse(r);
	if (ret->kind == PLAN_BIND && (!ret->source || ret->source[0] != '/'))
		wire_refuse(r);
	if ((ret->kind == PLAN_FILE || ret->kind == PLAN_SYMLINK) && !ret->content)
		wire_refuse(r);
}

static void get_mounts(struct wire_reader *r, struct plan *p)
{
	uint32_t n = wire_get_count(r, PLAN_MOUNT_MIN);

	for (uint32_t i = 0; i < n && !r->error; i++) {
		int e = grow_mounts(p);
		if (e < 0) {
			r->error = e;
			return;
		}
		get_mount(r, &p->mounts[p->n_mounts++]);
	}
}

/* An array for n elements, made when the count can be believed. */
static void *get_array(struct wire_reader *r, uint32_t n, uint32_t max, size_t size)
{
	void *v;

	if (r->error || n > max) {
		wire_refuse(r);
		return NULL;
	}
	v = calloc(n ? n : 1, size);
	if (!v)
		r->error = -ENOMEM;
	return v;
}

static void get_routes(struct wire_reader *r, struct plan_network *ret)
{
	uint32_t n = wire_get_count(r, 1);

	ret->routes = get_array(r, n, NET_ROUTES_MAX, sizeof(*ret->routes));
	for (uint32_t i = 0; i < n && !r->error; i++) {
		net_address_get(r, &ret->routes[i].address);
		ret->routes[i].prefix = wire_get_u8(r);
		ret->n_routes++;
	}
}

static void get_sockets(struct wire_reader *r, struct plan_network *ret)
{
	uint32_t n = wire_get_count(r, 1), port;

	ret->sockets = get_array(r, n, NET_SOCKETS_MAX, sizeof(*ret->sockets));
	for (uint32_t i = 0; i < n && !r->error; i++) {
		ret->sockets[i].kind = wire_get_u8(r);
		net_address_get(r, &ret->sockets[i].address);
		port = wire_get_u32(r);
		ret->sockets[i].port = (uint16_t)port;
		if (!r->error && (ret->sockets[i].kind >= NET_SOCKET_KIND_COUNT || port > UINT16_MAX))
			r->error = -EPROTO;
		ret->n_sockets++;
	}
}

static void get_network(struct wire_reader *r, struct plan_network *ret)
{
	ret->on = wire_get_u8(r);
	net_address_get(r, &ret->stub);
	get_routes(r, ret);
	get_sockets(r, ret);
	if (!r->error && !ret->on && (ret->n_routes || ret->n_sockets))
		r->error = -EPROTO;
}

/* What enter would follow blindly must be there. */
static bool plan_is_whole(const struct plan *p)
{
	return p->name && p->exec_path && p->exec_path[0] == '/' && p->argv.n > 0 && p->cwd && p->cwd[0] == '/' &&
	       p->hostname && p->seccomp && wire_id_is_safe(p->uid) && wire_id_is_safe(p->gid);
}

int plan_decode(const void *bytes, size_t n, struct plan *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_PLAN);

	*ret = (struct plan){ 0 };
	if (e < 0)
		return e;
	ret->name = wire_get_str(&r);
	ret->uid = wire_get_u32(&r);
	ret->gid = wire_get_u32(&r);
	ret->drop_root = wire_get_u8(&r);
	ret->exec_path = wire_get_str(&r);
	get_strv(&r, &ret->argv);
	get_strv(&r, &ret->envp);
	ret->cwd = wire_get_str(&r);
	ret->hostname = wire_get_str(&r);
	ret->seccomp = wire_get_str(&r);
	ret->allow_unix = wire_get_u8(&r);
	ret->root_size = wire_get_u64(&r);
	ret->limits.processes = wire_get_u64(&r);
	ret->limits.files = wire_get_u64(&r);
	ret->limits.memory = wire_get_u64(&r);
	get_network(&r, &ret->network);
	get_mounts(&r, ret);
	e = wire_close(&r);
	if (e == 0 && !plan_is_whole(ret))
		e = -EPROTO;
	if (e < 0)
		plan_done(ret);
	return e;
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n_mounts; i++)
		mount_done(&p->mounts[i]);
	free(p->mounts);
	free(p->network.routes);
	free(p->network.sockets);
	free(p->name);
	free(p->exec_path);
	free(p->cwd);
	free(p->hostname);
	free(p->seccomp);
	strv_done(&p->argv);
	strv_done(&p->envp);
	*p = (struct plan){ 0 };
}
