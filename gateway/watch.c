/* SPDX-License-Identifier: Apache-2.0 */
/* watch - see watch.h */
#include "gateway/watch.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "gateway/decide.h"

enum { IPV6_HEADER = 40, TCP_FLAGS = 13, TCP_SYN = 0x02, TCP_ACK = 0x10 };

static bool parse_transport(const uint8_t *p, size_t n, unsigned protocol, uint16_t *ret_port, bool *ret_udp)
{
	if (n < 4 || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
		return false;
	*ret_port = (uint16_t)(p[2] << 8 | p[3]);
	*ret_udp = protocol == IPPROTO_UDP;
	return *ret_udp || (n > TCP_FLAGS && (p[TCP_FLAGS] & (TCP_SYN | TCP_ACK)) == TCP_SYN);
}

bool watch_parse(const void *packet, size_t n, struct net_address *ret_to, uint16_t *ret_port, bool *ret_udp)
{
	const uint8_t *p = packet;
	size_t header;

	*ret_to = (struct net_address){ 0 };
	if (n >= 20 && p[0] >> 4 == 4) {
		header = (size_t)(p[0] & 0xf) * 4;
		if (header < 20 || header > n || p[6] & 0x1f || p[7])
			return false;
		ret_to->family = 4;
		memcpy(ret_to->bytes, p + 16, 4);
		return parse_transport(p + header, n - header, p[9], ret_port, ret_udp);
	}
	if (n < IPV6_HEADER || p[0] >> 4 != 6)
		return false;
	ret_to->family = 6;
	memcpy(ret_to->bytes, p + 24, 16);
	return parse_transport(p + IPV6_HEADER, n - IPV6_HEADER, p[6], ret_port, ret_udp);
}

static bool has_listener(const struct net_layout *l, const struct net_address *a, uint16_t port)
{
	static const struct net_address any = { 0 };

	for (size_t i = 0; i < l->n_sockets; i++) {
		const struct net_socket *s = &l->sockets[i];
		if (s->port != port || (s->kind != NET_SOCKET_LISTEN && s->kind != NET_SOCKET_DNS_TCP) ||
			s->address.family != a->family)
			continue;
		if (net_address_equal(&s->address, a) || memcmp(s->address.bytes, any.bytes, sizeof(any.bytes)) == 0)
			return true;
	}
	return false;
}

static int tell(struct gateway *g, const struct net_address *to, uint16_t port, bool udp)
{
	struct decision d;
	struct denial denial;

	if (decide_is_loopback(to) || (!udp && has_listener(&g->layout, to, port)))
		return 0;
	if (decide_address(&g->names, to, port, &d) != DECIDE_DENY && !udp)
		return 0;
	if (udp)
		d = (struct decision){ .grant = NET_NO_GRANT,
			.rule = "network.allow grants TCP alone",
			.reason = "no UDP leaves the sandbox" };
	decide_denial(&g->names, to, port, udp ? "udp" : "tcp", &d, &denial);
	return record_denied(&g->record, &denial, g->now_us);
}

void watch_ready(struct gateway *g, struct source *s, uint32_t events)
{
	unsigned char packet[WATCH_PACKET];

	(void)events;
	for (unsigned i = 0; i < WATCH_A_TURN && !g->failed; i++) {
		struct net_address to;
		uint16_t port;
		bool udp;
		ssize_t n = recv(s->fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n < 0)
			return;
		if (watch_parse(packet, (size_t)n, &to, &port, &udp))
			gateway_fail(g, tell(g, &to, port, udp));
	}
}
