#include "auth/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

enum { PROBLEM_MAX = 1024 }; // bytes of one sentence

// Reads what is there, one byte more than max at most. False: errno says why.
static bool read_all(int fd, struct lsig_key_file *file, size_t max)
{
    file->bytes = lsig_alloc(max + 2);
    for (;;) {
        ssize_t n = read(fd, file->bytes + file->len, max + 1 - file->len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0;
        }
        file->len += (size_t)n;
        if (file->len > max) {
            return true;
        }
    }
}

bool lsig_key_file_read(struct lsig_key_file *file,
                        const char *path,
                        size_t max,
                        struct lsig_buf *problem)
{
    *file = (struct lsig_key_file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO is no reason to hang
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        lsig_buf_append_format(problem, "%s cannot be read: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    bool fine = S_ISREG(info.st_mode);
    if (!fine) {
        lsig_buf_append_format(problem, "%s is not a file", path);
    } else if (!read_all(fd, file, max)) {
        lsig_buf_append_format(problem, "%s cannot be read: %s", path, strerror(errno));
        fine = false;
    } else if (file->len > max) {
        lsig_buf_append_format(problem, "%s is larger than %zu bytes", path, max);
        fine = false;
    }
    close(fd);
    file->read_by_all = (info.st_mode & S_IROTH) != 0;
    file->written_by_all = (info.st_mode & S_IWOTH) != 0;
    if (!fine) {
        lsig_key_file_clear(file);
    }
    return fine;
}

void lsig_key_file_clear(struct lsig_key_file *file)
{
    if (file->bytes != NULL) {
        explicit_bzero(file->bytes, file->len);
        free(file->bytes);
    }
    *file = (struct lsig_key_file){0};
}

void lsig_key_file_warn(const struct lsig_key_file *file, bool is_private, struct lsig_buf *warning)
{
    if (file->written_by_all) {
        lsig_buf_append_text(warning, "everybody on this machine can change the file, and so make "
                                      "tokens: chmod o-w");
    } else if (is_private && file->read_by_all) {
        lsig_buf_append_text(warning, "everybody on this machine can read the file, and it holds a "
                                      "private key or a secret: chmod 600");
    }
}

struct lsig_key *lsig_key_file_open(const char *path,
                                    enum lsig_algorithm algorithm,
                                    enum lsig_key_use use,
                                    struct lsig_buf *warning,
                                    struct lsig_buf *problem)
{
    struct lsig_key_file file;
    if (!lsig_key_file_read(&file, path, LSIG_KEY_TEXT_MAX, problem)) {
        return NULL;
    }
    struct lsig_span text = {file.bytes, file.len};
    if (lsig_algorithm_is_hmac(algorithm)) {
        while (text.len > 0 &&
               (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r')) {
            text.len--;
        }
    }
    lsig_key_file_warn(&file, lsig_key_text_is_private(algorithm, text), warning);
    struct lsig_buf what;
    lsig_buf_init(&what, PROBLEM_MAX);
    struct lsig_key *key = lsig_key_new(algorithm, text, use, &what);
    if (key == NULL) {
        lsig_buf_append_format(problem, "%s: %s", path, what.data);
    }
    lsig_buf_clear(&what);
    lsig_key_file_clear(&file);
    return key;
}
