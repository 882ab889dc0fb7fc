/* SPDX-License-Identifier: Apache-2.0 */
/* net - see net.h */
#include "wire/net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "base/io.h"

enum { LABEL_MAX = 63, GRANT_MIN = 32 /* the least a grant takes encoded: for believing a count */ };

/* --- addresses --- */

static unsigned address_bits(uint8_t family)
{
	return family == 4 ? 32 : family == 6 ? 128 : 0;
}

int net_address_parse(const char *text, struct net_address *ret)
{
	*ret = (struct net_address){ 0 };
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		ret->family = 4;
	else if (inet_pton(AF_INET6, text, ret->bytes) == 1)
		ret->family = 6;
	return ret->family ? 0 : -EINVAL;
}

const char *net_address_text(const struct net_address *a, char *buf, size_t size)
{
	if (!inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, buf, (socklen_t)size))
		buf[0] = 0;
	if (a->family != 4 && a->family != 6)
		buf[0] = 0;
	return buf;
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, address_bits(a->family) / 8) == 0;
}

bool net_prefix_covers(const struct net_address *net, uint8_t prefix, const struct net_address *a)
{
	unsigned whole = prefix / 8, rest = prefix % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	if (net->family != a->family || !address_bits(a->family) || prefix > address_bits(a->family))
		return false;
	if (memcmp(net->bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || (net->bytes[whole] & mask) == (a->bytes[whole] & mask);
}

struct net_address net_address_from_sockaddr(const struct sockaddr_storage *sa, uint16_t *ret_port)
{
	struct net_address a = { 0 };
	uint16_t port = 0;

	if (sa->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
		a.family = 4;
		memcpy(a.bytes, &in->sin_addr, sizeof(in->sin_addr));
		port = ntohs(in->sin_port);
	} else if (sa->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
		a.family = 6;
		memcpy(a.bytes, &in6->sin6_addr, sizeof(in6->sin6_addr));
		port = ntohs(in6->sin6_port);
	}
	if (ret_port)
		*ret_port = port;
	return a;
}

socklen_t net_address_to_sockaddr(const struct net_address *a, uint16_t port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ 0 };
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, sizeof(in->sin_addr));
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->bytes, sizeof(in6->sin6_addr));
	return sizeof(*in6);
}

/* --- names --- */

static bool name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool net_name_valid(const char *name)
{
	size_t label = 0, n = 0;
	bool letters = false; /* in the last label: else it is an address in one of inet_aton(3)'s forms */

	for (; name[n]; n++) {
		if (n >= NET_NAME_MAX)
			return false;
		if (name[n] == '.') {
			if (label == 0)
				return false;
			label = 0;
			letters = false;
			continue;
		}
		if (!name_byte(name[n]) || ++label > LABEL_MAX)
			return false;
		letters |= !(name[n] >= '0' && name[n] <= '9');
	}
	return label > 0 && letters;
}

static bool below(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s + 1 && name[n - s - 1] == '.' && strcmp(name + n - s, suffix) == 0;
}

bool net_grant_has_port(const struct net_grant *g, uint16_t port)
{
	for (size_t i = 0; i < g->n_ports; i++)
		if (g->ports[i] == port)
			return true;
	return port == 0;
}

/* How closely a grant means the name; 0: not at all. */
static size_t name_rank(const struct net_grant *g, const char *name)
{
	if (g->kind == NET_NAME)
		return strcmp(g->name, name) == 0 ? SIZE_MAX : 0;
	if (g->kind == NET_WILDCARD)
		return below(name, g->name) ? 1 + strlen(g->name) : 0;
	return g->kind == NET_ANY_NAME ? 1 : 0;
}

bool net_observing(const struct net_config *c)
{
	return c->observe_until_us && io_boot_us() < c->observe_until_us;
}

static uint32_t match_name(const struct net_config *c, bool observed, const char *name, uint16_t port)
{
	uint32_t best = NET_NO_GRANT;
	size_t best_rank = 0;

	for (size_t i = 0; i < c->n_grants; i++) {
		size_t rank = c->grants[i].observed == observed ? name_rank(&c->grants[i], name) : 0;
		if (rank <= best_rank || !net_grant_has_port(&c->grants[i], port))
			continue;
		best = (uint32_t)i;
		best_rank = rank;
	}
	return best;
}

uint32_t net_match_name(const struct net_config *c, const char *name, uint16_t port)
{
	uint32_t grant = match_name(c, false, name, port);

	return grant == NET_NO_GRANT && net_observing(c) ? match_name(c, true, name, port) : grant;
}

uint32_t net_match_address(const struct net_config *c, const struct net_address *a, uint16_t port)
{
	uint32_t best = NET_NO_GRANT;
	int best_prefix = -1;

	for (size_t i = 0; i < c->n_grants; i++) {
		const struct net_grant *g = &c->grants[i];
		if (g->kind != NET_PREFIX || g->prefix <= best_prefix || !net_grant_has_port(g, port) ||
			!net_prefix_covers(&g->address, g->prefix, a))
			continue;
		best = (uint32_t)i;
		best_prefix = g->prefix;
	}
	return best;
}

bool net_port_is_tls(uint16_t port)
{
	/* IANA's service names for "over TLS", and what is in common use. */
	static const uint16_t tls[] = { 443, 465, 563, 636, 853, 989, 990, 992, 993, 995, 2376, 3269, 4443, 5061, 5671,
		5986, 6443, 6514, 6697, 8443, 8883, 9443 };

	for (size_t i = 0; i < ARRAY_LEN(tls); i++)
		if (tls[i] == port)
			return true;
	return false;
}

/* --- the bytes --- */

struct net_limits net_limits_default(void)
{
#define X(member, standard, least, most, key) .member = (standard),
	return (struct net_limits){ NET_LIMITS(X) };
#undef X
}

void net_address_put(struct wire_writer *w, const struct net_address *a)
{
	wire_put_u8(w, a->family);
	wire_put_bytes(w, a->bytes, sizeof(a->bytes));
}

void net_address_get(struct wire_reader *r, struct net_address *ret)
{
	size_t n;
	const void *p;

	*ret = (struct net_address){ .family = wire_get_u8(r) };
	p = wire_get_bytes(r, &n);
	if (!p || n != sizeof(ret->bytes) || (ret->family != 0 && ret->family != 4 && ret->family != 6)) {
		wire_refuse(r);
		return;
	}
	memcpy(ret->bytes, p, n);
}

static void put_ports(struct wire_writer *w, const uint16_t *ports, size_t n)
{
	wire_put_u32(w, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		wire_put_u32(w, ports[i]);
}

static size_t get_ports(struct wire_reader *r, uint16_t *ret, size_t max)
{
	uint32_t n = wire_get_count(r, sizeof(uint32_t));

	if (n > max)
		wire_refuse(r);
	for (uint32_t i = 0; i < n && !r->error; i++) {
		uint32_t port = wire_get_u32(r);
		if (port == 0 || port > UINT16_MAX)
			wire_refuse(r);
		else
			ret[i] = (uint16_t)port;
	}
	return r->error ? 0 : n;
}

static void put_grant(struct wire_writer *w, const struct net_grant *g)
{
	wire_put_u8(w, (uint8_t)g->kind);
	wire_put_str(w, g->name);
	net_address_put(w, &g->address);
	wire_put_u8(w, g->prefix);
	put_ports(w, g->ports, g->n_ports);
	wire_put_u8(w, g->sni);
	wire_put_u8(w, g->private_allowed);
	wire_put_u8(w, g->observed);
	wire_put_str(w, g->where);
}

static bool grant_whole(const struct net_grant *g)
{
	bool named = g->kind == NET_NAME || g->kind == NET_WILDCARD;

	if (g->kind >= NET_GRANT_KIND_COUNT || g->n_ports == 0 || !g->where)
		return false;
	if (named != (g->name != NULL) || (named && !net_name_valid(g->name)))
		return false;
	/* Nothing but a name, and never one that may lead inside. */
	if (g->observed && (g->kind == NET_PREFIX || g->kind == NET_LOCALHOST || g->private_allowed))
		return false;
	return g->kind != NET_PREFIX || (g->address.family && g->prefix <= address_bits(g->address.family));
}

static void get_grant(struct wire_reader *r, struct net_grant *ret)
{
	*ret = (struct net_grant){ .kind = wire_get_u8(r) };
	ret->name = wire_get_str(r);
	net_address_get(r, &ret->address);
	ret->prefix = wire_get_u8(r);
	ret->n_ports = get_ports(r, ret->ports, NET_PORTS_MAX);
	ret->sni = wire_get_u8(r);
	ret->private_allowed = wire_get_u8(r);
	ret->observed = wire_get_u8(r);
	ret->where = wire_get_str(r);
	if (!r->error && !grant_whole(ret))
		r->error = -EPROTO;
}

int net_config_encode(const struct net_config *c, struct wire_writer *w)
{
	wire_begin(w, WIRE_NET_CONFIG, NET_CONFIG_BYTES_MAX);
	wire_put_str(w, c->server);
	wire_put_u32(w, c->uid);
	wire_put_u32(w, c->gid);
	wire_put_u32(w, (uint32_t)c->n_grants);
	for (size_t i = 0; i < c->n_grants; i++)
		put_grant(w, &c->grants[i]);
	wire_put_u8(w, (uint8_t)c->addresses);
#define X(member, standard, least, most, key) wire_put_u32(w, c->limits.member);
	NET_LIMITS(X)
#undef X
	put_ports(w, c->publish, c->n_publish);
	wire_put_str(w, c->proxy_host);
	wire_put_u32(w, c->proxy_port);
	wire_put_str(w, c->proxy_where);
	wire_put_u64(w, c->observe_until_us);
	return wire_finish(w);
}

static void get_grants(struct wire_reader *r, struct net_config *ret)
{
	uint32_t n = wire_get_count(r, GRANT_MIN);

	if (r->error || n > NET_GRANTS_MAX) {
		wire_refuse(r);
		return;
	}
	ret->grants = calloc(n ? n : 1, sizeof(*ret->grants));
	if (!ret->grants) {
		r->error = -ENOMEM;
		return;
	}
	for (; ret->n_grants < n && !r->error; ret->n_grants++)
		get_grant(r, &ret->grants[ret->n_grants]);
}

static void get_limits(struct wire_reader *r, struct net_limits *ret)
{
#define X(member, standard, least, most, key)                                                                          \
	ret->member = wire_get_u32(r);                                                                                 \
	if (!r->error && (ret->member < (least) || ret->member > (most)))                                              \
		r->error = -EPROTO;
	NET_LIMITS(X)
#undef X
}

int net_config_decode(const void *bytes, size_t n, struct net_config *ret)
{
	struct wire_reader r;
	uint32_t proxy_port;
	int e = wire_open(&r, bytes, n, WIRE_NET_CONFIG);

	*ret = (struct net_config){ 0 };
	if (e < 0)
		return e;
	ret->server = wire_get_str(&r);
	ret->uid = wire_get_u32(&r);
	ret->gid = wire_get_u32(&r);
	get_grants(&r, ret);
	ret->addresses = wire_get_u8(&r);
	get_limits(&r, &ret->limits);
	ret->n_publish = get_ports(&r, ret->publish, NET_PUBLISH_MAX);
	ret->proxy_host = wire_get_str(&r);
	proxy_port = wire_get_u32(&r);
	ret->proxy_port = (uint16_t)proxy_port;
	ret->proxy_where = wire_get_str(&r);
	ret->observe_until_us = wire_get_u64(&r);
	e = wire_close(&r);
	if (e == 0 && (!ret->server || !wire_id_is_safe(ret->uid) || !wire_id_is_safe(ret->gid) ||
			      ret->addresses >= NET_ADDRESSES_COUNT || proxy_port > UINT16_MAX ||
			      (ret->proxy_host && proxy_port == 0)))
		e = -EPROTO;
	if (e < 0)
		net_config_done(ret);
	return e;
}

int net_config_read(int fd, struct net_config *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(NET_CONFIG_BYTES_MAX);
	int r = io_memfd_read(fd, &b);

	if (r < 0)
		return diag_fail(d, r, "cannot read the configuration: %s (this program is started by stockade run)",
			strerror(-r));
	r = net_config_decode(b.data, b.len, ret);
	if (r < 0)
		return diag_fail(d, r, "the configuration is of another build: %s", strerror(-r));
	close(fd);
	return 0;
}

void net_config_done(struct net_config *c)
{
	for (size_t i = 0; i < c->n_grants; i++) {
		free(c->grants[i].name);
		free(c->grants[i].where);
	}
	free(c->grants);
	free(c->server);
	free(c->proxy_host);
	free(c->proxy_where);
	*c = (struct net_config){ 0 };
}
