// operate_answer.h - the refusals of operate.h.
#pragma once

#include "base/buf.h"

// {"detail":…}
void lsig_operate_print_detail(struct lsig_buf *out, const char *detail);
// The same with a text of at most LSIG_OPERATE_DETAIL_SIZE (printf); returns status.
int lsig_operate_refuse(struct lsig_buf *out, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
