/* SPDX-License-Identifier: Apache-2.0 */
/* json_list - see json_list.h */
#include "supervisor/json_list.h"

json_t *json_list_add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == 0)
		return array;
	json_decref(array);
	return NULL;
}
