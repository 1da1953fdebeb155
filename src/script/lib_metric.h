// lib_metric.h - sig.metric: what policies count, on /metrics.
//
// A metric is declared at the top level of a file and lives in the server's table
// (base/metric_table.h), so that its numbers survive a reload. Every state of a version holds it
// open. Without a table of the server's, the state has one of its own that nobody prints.
//
// Lua-side documentation: lua/lunasig/_meta/metric.lua.
#pragma once

#include "base/metric_table.h"

struct lua_State;

#define LSIG_LIB_METRIC_PREFIX "lunasig_policy_"

enum { LSIG_LIB_METRIC_NAME_MAX = 64 };

void lsig_lib_metric_register(struct lua_State *L); // adds `metric` to the table on top; raises
// The text as the value of a label: cut at a character, with U+FFFD for what is no UTF-8. Points
// into out.
struct lsig_span lsig_lib_metric_label(struct lsig_span text,
                                       char out[LSIG_METRIC_LABEL_VALUE_MAX]);
