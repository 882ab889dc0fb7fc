/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_list - arrays that have all their elements, or are none
 *
 * Process:  supervisor
 */
#pragma once
#include <jansson.h>
#include "supervisor/role.h"

/* The array with that value at its end. Takes both; NULL where either is NULL or there is no memory: a shorter list
 * would be a wrong one. */
json_t *json_list_add(json_t *array, json_t *value);
