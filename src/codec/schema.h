// schema.h - the shape of a payload, checked against the scanned bytes without a tree.
//
// A schema is a tree of nodes that a policy declares once; checking reads the bytes of a payload
// that the scanner has accepted. Two strengths (the dialects of the protocol): lenient checks a
// known field for its JSON type only, where null always passes and missing fields, extra fields,
// enumerations and bounds are not looked at; strict checks everything.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "base/status.h"
#include "codec/refusal.h"
#include "codec/scan.h"

enum { LSIG_SCHEMA_FIELDS_MAX = 64, LSIG_SCHEMA_CHOICES_MAX = 64, LSIG_SCHEMA_NESTING_MAX = 8 };

// What a text has to be besides (strict checks only). CANDIDATE: an object is an
// RTCIceCandidateInit (W3C webrtc-pc section 4.8.1.1).
enum lsig_schema_format { LSIG_FORMAT_NONE, LSIG_FORMAT_SDP, LSIG_FORMAT_CANDIDATE };

struct lsig_schema {
    unsigned types;         // set of enum lsig_json_type; all bits: any value
    unsigned lenient_types; // the set that passes in lenient checks (holds `types`)
    bool integer;           // numbers must be whole
    enum lsig_schema_format format;
    bool optional;  // as a field: may be missing
    bool extra;     // objects: unknown members pass in strict checks too
    double min;     // numbers: value; strings: Unicode characters; arrays: elements
    double max;     // infinity: none
    char **choices; // strings: one of these (plain text); choice_count 0: any
    size_t choice_count;
    char **names; // objects: plain names of the members, fields[i] belongs to names[i]
    struct lsig_schema **fields;
    size_t field_count;       // 0: any members
    struct lsig_schema *item; // arrays: every element; NULL: any
};

// The node is the caller's; lsig_schema_free frees it with all below it.
struct lsig_schema *lsig_schema_new(unsigned types);
void lsig_schema_free(struct lsig_schema *schema); // NULL is fine
// Takes over field. False (field stays the caller's) at LSIG_SCHEMA_FIELDS_MAX or if the name is
// there already.
bool lsig_schema_add_field(struct lsig_schema *object,
                           struct lsig_span name,
                           struct lsig_schema *field);
bool lsig_schema_add_choice(struct lsig_schema *string,
                            struct lsig_span choice);       // copied; false at the bound
size_t lsig_schema_depth(const struct lsig_schema *schema); // 1 for a leaf
// LSIG_OK or LSIG_INVALID_MESSAGE; duplicates of a known member are LSIG_INVALID_JSON. The refusal
// names the path (payload.reply.text), what was expected and the limit, never the value that came.
LSIG_MUST_USE enum lsig_status lsig_schema_check(const struct lsig_schema *schema,
                                                 struct lsig_span value,
                                                 bool strict,
                                                 struct lsig_refusal *refusal);
