#include "codec/version.h"

#include <jansson.h>

const char *lsig_version_jansson(void)
{
    return jansson_version_str();
}
