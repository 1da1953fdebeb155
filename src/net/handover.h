// handover.h - sessions over a restart: a server that stops writes down who is away, and the one
// that starts next on the same data folder takes them up, so that a deploy ends no call.
//
// The file holds what clients missed, SDP and chat included: it is readable by its owner only, is
// removed as soon as it has been read. After RESUME_WINDOW_S those who were away have left; what
// rooms remember is of use for LSIG_KEPT_MS. Values of policies are texts that hold JSON. One JSON
// object a line:
//   {"kind":"head","version":2,"saved_at":unix milliseconds}
//   {"kind":"room",id,revision,join_seq,empty_ms}  what follows belongs to it
//   {"kind":"former",id,role,was_here}             whom it remembers, oldest first
//   {"kind":"kept",keep,type,user_id,peer_id,timestamp,payload}  oldest first
//   {"kind":"state",policy,version}
//   {"kind":"field",name,field_kind,max,number}    of the state
//   {"kind":"entry",key,value}                     of the field, in order
//   {"kind":"timer",name,left_ms,arg}              the time that is left counts from the restart
//   {"kind":"member",id,username,role,joined_ms,claims}
//   {"kind":"attr",name,value}, {"kind":"data",name,value}       of the member
//   {"kind":"connection",…}                        of the member; see handover_write.c
//   {"kind":"frame",text}                          of the connection, oldest first
// Rate windows and who spoke to whom begin anew.
#pragma once

#include "net/context.h"

// Every socket has been lost. Writes DATA_DIR/sessions; a failure is logged, and members will then
// have left. Nothing is written when nobody is away and no room remembers anything.
void lsig_handover_write(struct lsig_net *net);
// Before anybody is let in. A file that is damaged, of another version or too old is dropped whole
// or from the damaged line on, and said so.
void lsig_handover_read(struct lsig_net *net);
// For both: DATA_DIR/sessions into out (size bytes); false: too long.
bool lsig_handover_path(const struct lsig_net *net, char *out, size_t size);

enum { LSIG_HANDOVER_VERSION = 2 };
