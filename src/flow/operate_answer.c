#include "flow/operate_answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec/json.h"
#include "flow/operate_request.h"

void lsig_operate_print_detail(struct lsig_buf *out, const char *detail)
{
    lsig_json_open(out, NULL, '{');
    lsig_json_string(out, "detail", detail);
    lsig_json_close(out, '}');
}

int lsig_operate_refuse(struct lsig_buf *out, int status, const char *format, ...)
{
    char detail[LSIG_OPERATE_DETAIL_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    lsig_operate_print_detail(out, detail);
    return status;
}
