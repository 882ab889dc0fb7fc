/* SPDX-License-Identifier: Apache-2.0 */
/* verdict - see verdict.h */
#include "supervisor/policy_test/verdict.h"
#include <string.h>
#include "wire/net_block.h"

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = {
		[VERDICT_DENIED] = "denied", [VERDICT_RECORDED] = "recorded", [VERDICT_ALLOWED] = "allowed"
	};

	return words[v];
}

enum verdict verdict_tool(const struct effective *e, const char *tool, const char **ret_where)
{
	struct shim_judgement j = shim_rules_judge(&e->profile.tools, tool, strlen(tool));

	*ret_where = j.where;
	if (j.allowed)
		return VERDICT_ALLOWED;
	/* Not killed tools: who asks is told what a policy does. */
	return e->observe_until && !j.by_ceiling ? VERDICT_RECORDED : VERDICT_DENIED;
}

enum verdict verdict_host(
	const struct effective *e, const char *name, const struct net_address *a, uint16_t port, const char **ret_where)
{
	const struct net_config *c = &e->profile.network;
	uint32_t g = *name ? net_match_name(c, name, port) : a->family ? net_match_address(c, a, port) : NET_NO_GRANT;

	*ret_where = NULL;
	if (g == NET_NO_GRANT)
		return VERDICT_DENIED;
	*ret_where = c->grants[g].where;
	/* Is its address one that this grant reaches? dial/filter.h decides by the same blocks. */
	if (*name && a->family && net_block_of(a)->level != NET_BLOCK_PUBLIC && !c->grants[g].private_allowed &&
		c->grants[g].kind != NET_LOCALHOST)
		return VERDICT_DENIED;
	return c->grants[g].observed ? VERDICT_RECORDED : VERDICT_ALLOWED;
}
