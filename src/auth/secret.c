#include "auth/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/random.h"
#include "codec/jwt_secret.h"

enum { SECRET_BYTES = 32, SECRET_FILE_MAX = 4096, PATH_SIZE = 4400 };

__attribute__((format(printf, 2, 3))) static enum lsig_status
fail(struct lsig_secret *secret, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(secret->error, sizeof(secret->error), format, args);
    va_end(args);
    return LSIG_INTERNAL_ERROR;
}

// Reads the open file. The file is the operator's, so its text may be any, in one line.
static enum lsig_status read_text(struct lsig_secret *secret, int fd, const char *path)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return fail(secret, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(secret, "%s is not a file", path);
    }
    secret->exposed = (info.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    char text[SECRET_FILE_MAX + 1];
    ssize_t len = read(fd, text, sizeof(text));
    enum lsig_status status = LSIG_OK;
    if (len < 0) {
        status = fail(secret, "%s: %s", path, strerror(errno));
    } else if (len > SECRET_FILE_MAX) {
        status = fail(secret, "%s is longer than %d bytes", path, SECRET_FILE_MAX);
    } else {
        while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
            len--;
        }
        if (len < LSIG_JWT_SECRET_MIN || memchr(text, '\0', (size_t)len) != NULL ||
            memchr(text, '\n', (size_t)len) != NULL) {
            status =
                fail(secret,
                     "%s does not hold a secret (one line of at least %d bytes): remove it and "
                     "a new one is made; tokens made so far end with that",
                     path, LSIG_JWT_SECRET_MIN);
        } else {
            secret->text = lsig_strndup(text, (size_t)len);
        }
    }
    explicit_bzero(text, sizeof(text));
    return status;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(fd, bytes + done, len - done);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

// A name of a file survives a power failure only when its folder was synced too.
static void sync_folder(const char *data_dir)
{
    int fd = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

// Writes a new secret aside and links it to path. LSIG_EXISTS: somebody else was first.
static enum lsig_status
make_file(struct lsig_secret *secret, const char *data_dir, const char *path)
{
    char name[17];
    lsig_random_hex(name, sizeof(name) / 2);
    char aside[PATH_SIZE];
    snprintf(aside, sizeof(aside), "%s/.jwt-secret-%s", data_dir, name);
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail(secret, "cannot make %s: %s", path, strerror(errno));
    }
    char text[2 * SECRET_BYTES + 2];
    lsig_random_hex(text, SECRET_BYTES);
    memcpy(text + sizeof(text) - 2, "\n", 2);
    bool written = write_all(fd, text, sizeof(text) - 1);
    int error = errno;
    explicit_bzero(text, sizeof(text));
    close(fd);
    enum lsig_status status = LSIG_OK;
    if (!written) {
        status = fail(secret, "cannot write %s: %s", path, strerror(error));
    } else if (link(aside, path) != 0) {
        status = errno == EEXIST ? LSIG_EXISTS
                                 : fail(secret, "cannot make %s: %s", path, strerror(errno));
    }
    (void)unlink(aside);
    sync_folder(data_dir);
    return status;
}

enum lsig_status lsig_secret_open(struct lsig_secret *secret, const char *data_dir)
{
    *secret = (struct lsig_secret){0};
    if (strlen(data_dir) > PATH_SIZE - 64) {
        return fail(secret, "the name of the data folder is too long");
    }
    if (mkdir(data_dir, 0700) != 0 && errno != EEXIST) {
        return fail(secret, "cannot make the data folder %s: %s", data_dir, strerror(errno));
    }
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/jwt-secret", data_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        enum lsig_status status = make_file(secret, data_dir, path);
        if (status != LSIG_OK && status != LSIG_EXISTS) {
            return status;
        }
        secret->made = status == LSIG_OK;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0) {
        return fail(secret, "cannot read %s: %s", path, strerror(errno));
    }
    enum lsig_status status = read_text(secret, fd, path);
    close(fd);
    return status;
}

void lsig_secret_clear(struct lsig_secret *secret)
{
    if (secret->text != NULL) {
        explicit_bzero(secret->text, strlen(secret->text));
        free(secret->text);
        secret->text = NULL;
    }
}
