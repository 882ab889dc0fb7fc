/* SPDX-License-Identifier: Apache-2.0 */
/* grants - see grants.h */
#include "supervisor/grants.h"

void grants_done(struct grants *g)
{
	free(g->name);
	free(g->profile_file);
	free(g->cwd);
	strv_done(&g->env_pass);
	strv_done(&g->env_set);
	strv_done(&g->read);
	strv_done(&g->write);
	strv_done(&g->hosts);
	strv_done(&g->sets);
	strv_done(&g->command);
	*g = (struct grants){ 0 };
}
