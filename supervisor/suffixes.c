/* SPDX-License-Identifier: Apache-2.0 */
/* suffixes - see suffixes.h */
#include "supervisor/suffixes.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "wire/net.h"

static bool has_rule(const char *list, const char *mark, const char *domain)
{
	char line[NET_NAME_MAX + 8];

	snprintf(line, sizeof(line), "\n%s%s\n", mark, domain);
	return strstr(list, line) != NULL;
}

static bool in_list(const char *list, const char *domain)
{
	const char *parent = strchr(domain, '.');

	if (has_rule(list, "!", domain))
		return false;
	return has_rule(list, "", domain) || (parent && has_rule(list, "*.", parent + 1));
}

enum suffix_kind suffix_kind(const char *domain)
{
	if (!strchr(domain, '.') || in_list(suffix_registries, domain))
		return SUFFIX_REGISTRY;
	return in_list(suffix_shared, domain) ? SUFFIX_SHARED : SUFFIX_NONE;
}
