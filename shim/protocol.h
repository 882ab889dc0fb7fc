/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol - names and versions of the protocol that several parts of the shim speak of
 *
 * Process:  shim
 *
 * What is a row of one table alone has its name there: methods.c, keys.c, fields.c, vocabulary.c.
 */
#pragma once
#include "shim/role.h"

/* Versions are dates: before the modern one there is a handshake. The newest of those that have one, and all of them,
 * newest first. */
#define VERSION_MODERN	"2026-07-28"
#define VERSION_LEGACY	"2025-11-25"
#define VERSIONS_LEGACY VERSION_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"
#define VERSIONS_ALL	"2024-11-05 2025-03-26 2025-06-18 " VERSION_LEGACY " " VERSION_MODERN

/* Members of _meta. */
#define META_PREFIX	  "io.modelcontextprotocol/"
#define META_VERSION	  META_PREFIX "protocolVersion"
#define META_CLIENT	  META_PREFIX "clientInfo"
#define META_OFFERS	  META_PREFIX "clientCapabilities"
#define META_SERVER	  META_PREFIX "serverInfo"
#define META_SUBSCRIPTION META_PREFIX "subscriptionId"
#define META_LOG_LEVEL	  META_PREFIX "logLevel"
#define META_TASK	  META_PREFIX "related-task"

/* What is said when a list has changed. */
#define CHANGED_TOOLS	  "notifications/tools/list_changed"
#define CHANGED_PROMPTS	  "notifications/prompts/list_changed"
#define CHANGED_RESOURCES "notifications/resources/list_changed"
