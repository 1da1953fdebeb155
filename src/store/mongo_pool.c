#include "store/mongo_pool.h"

#include <stdio.h>
#include <string.h>

static void set_default(mongoc_uri_t *uri, const char *option, int64_t value)
{
    if (!mongoc_uri_has_option(uri, option)) {
        mongoc_uri_set_option_as_int32(uri, option, (int32_t)value);
    }
}

// A second @ before the path is one of a password that is not encoded: the driver would take the
// rest of the password for a host, and name it.
static bool is_ambiguous(const char *url)
{
    const char *authority = strstr(url, "://");
    authority = authority != NULL ? authority + 3 : url;
    const char *first = strchr(authority, '@');
    return first != NULL && memchr(first + 1, '@', strcspn(first + 1, "/?")) != NULL;
}

mongoc_client_pool_t *lsig_mongo_pool_open(const struct lsig_mongo_options *options,
                                           int64_t *pool_max,
                                           int64_t *pool_min,
                                           char error[LSIG_MONGO_ERROR_SIZE])
{
    bson_error_t reason;
    mongoc_init();                      // once in a process; later calls do nothing
    mongoc_log_set_handler(NULL, NULL); // what fails comes back as an error
    mongoc_uri_t *uri =
        is_ambiguous(options->url) ? NULL : mongoc_uri_new_with_error(options->url, &reason);
    if (uri == NULL) { // the reason may show a part of a password that is not encoded
        snprintf(error, LSIG_MONGO_ERROR_SIZE,
                 "MONGODB_URL is no URL of MongoDB, such as mongodb://USER:PASSWORD@HOST:27017/; "
                 "special characters of user and password have to be percent-encoded");
        return NULL;
    }
    set_default(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, options->selection_ms);
    set_default(uri, MONGOC_URI_CONNECTTIMEOUTMS, options->connect_ms);
    set_default(uri, MONGOC_URI_SOCKETTIMEOUTMS, options->socket_ms);
    set_default(uri, MONGOC_URI_MAXPOOLSIZE, options->pool_max);
    *pool_max = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, 2);
    *pool_min =
        mongoc_uri_get_option_as_int32(uri, MONGOC_URI_MINPOOLSIZE, (int32_t)options->pool_min);
    *pool_max = *pool_max < 2 ? 2 : *pool_max > 100 ? 100 : *pool_max;
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, (int32_t)*pool_max);
    mongoc_client_pool_t *pool = mongoc_client_pool_new_with_error(uri, &reason);
    mongoc_uri_destroy(uri);
    if (pool == NULL) {
        snprintf(error, LSIG_MONGO_ERROR_SIZE, "MONGODB_URL: %.400s", reason.message);
        return NULL;
    }
    mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_set_appname(pool, "lunasig");
    return pool;
}
