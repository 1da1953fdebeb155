#include "scenario/coverage_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct row {
    const struct lsig_coverage_file *file;
    size_t total; // lines that can run
    size_t ran;
};

struct table {
    struct row *rows;
    size_t count;
};

static bool counts(const struct lsig_coverage_file *file, size_t line)
{
    return file->lines[line].code && !file->lines[line].left_out;
}

// False: nothing of it counts.
static bool sum_up(const struct lsig_coverage_file *file, struct row *row)
{
    *row = (struct row){file, 0, 0};
    for (size_t line = 1; !file->scenario && line < file->line_count; line++) {
        row->total += counts(file, line);
        row->ran += counts(file, line) && file->lines[line].runs > 0;
    }
    return row->total > 0;
}

// The bundles' own first, then by share, then by name and path.
static int compare_rows(const void *left, const void *right)
{
    const struct row *one = left;
    const struct row *other = right;
    if (one->file->library != other->file->library) {
        return one->file->library ? 1 : -1;
    }
    uint64_t share = (uint64_t)one->ran * other->total;
    uint64_t other_share = (uint64_t)other->ran * one->total;
    if (share != other_share) {
        return share < other_share ? -1 : 1;
    }
    int order = strcmp(one->file->name, other->file->name);
    return order != 0 ? order : strcmp(one->file->path, other->file->path);
}

static struct table make_table(const struct lsig_coverage *coverage)
{
    struct table table = {NULL, 0};
    size_t number = 0;
    const struct lsig_coverage_file *file;
    while ((file = lsig_coverage_file(coverage, number++)) != NULL) {
        struct row row;
        if (sum_up(file, &row)) {
            table.rows = lsig_realloc(table.rows, (table.count + 1) * sizeof(*table.rows));
            table.rows[table.count++] = row;
        }
    }
    if (table.count > 0) {
        qsort(table.rows, table.count, sizeof(*table.rows), compare_rows);
    }
    return table;
}

// --- for people

// Rounded down: all is only what has all.
static void print_share(const struct row *row, struct lsig_buf *out)
{
    uint64_t tenths = (uint64_t)row->ran * 1000 / row->total;
    lsig_buf_append_format(out, "  %3" PRIu64 ".%" PRIu64 "%%  %5zu/%-5zu", tenths / 10,
                           tenths % 10, row->ran, row->total);
}

static bool shares_name(const struct table *table, const struct row *row)
{
    for (size_t i = 0; i < table->count; i++) {
        if (&table->rows[i] != row && strcmp(table->rows[i].file->name, row->file->name) == 0) {
            return true;
        }
    }
    return false;
}

// The lines that never ran. Lines between them that cannot run do not part a range.
static void print_ranges(const struct lsig_coverage_file *file, struct lsig_buf *out)
{
    size_t shown = 0;
    size_t more = 0;
    size_t line = 1;
    while (line < file->line_count) {
        if (!counts(file, line) || file->lines[line].runs > 0) {
            line++;
            continue;
        }
        size_t first = line;
        size_t last = line;
        for (; line < file->line_count && (!counts(file, line) || file->lines[line].runs == 0);
             line++) {
            last = counts(file, line) ? line : last;
        }
        if (shown == LSIG_COVERAGE_REPORT_RANGES) {
            more++;
            continue;
        }
        lsig_buf_append_format(out, "%s%zu", shown++ == 0 ? "  never ran: " : ", ", first);
        if (last > first) {
            lsig_buf_append_format(out, "-%zu", last);
        }
    }
    if (more > 0) {
        lsig_buf_append_format(out, " and %zu more places", more);
    }
}

static void print_row(const struct table *table, const struct row *row, struct lsig_buf *out)
{
    const struct lsig_coverage_file *file = row->file;
    print_share(row, out);
    lsig_buf_append_format(out, "  %s", shares_name(table, row) ? file->path : file->name);
    print_ranges(file, out);
    lsig_buf_append_text(out, "\n");
}

static void
print_part(const struct table *table, bool library, const char *title, struct lsig_buf *out)
{
    struct row total = {NULL, 0, 0};
    size_t files = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        if (row->file->library != library) {
            continue;
        }
        if (files == 0) {
            lsig_buf_append_text(out, title);
        }
        files++;
        total.total += row->total;
        total.ran += row->ran;
        if (files <= LSIG_COVERAGE_REPORT_FILES) {
            print_row(table, row, out);
        }
    }
    if (files > LSIG_COVERAGE_REPORT_FILES) {
        lsig_buf_append_format(out, "  and %zu more files\n", files - LSIG_COVERAGE_REPORT_FILES);
    }
    if (files > 0) {
        print_share(&total, out);
        lsig_buf_append_text(out, "  total\n");
    }
}

void lsig_coverage_report_print(const struct lsig_coverage *coverage, struct lsig_buf *out)
{
    struct table table = make_table(coverage);
    if (table.count == 0) {
        lsig_buf_append_text(out, "No line of a policy was loaded.\n");
    }
    print_part(&table, false, "Lines that ran:\n", out);
    print_part(&table, true, "Lines of the library that ran:\n", out);
    if (lsig_coverage_is_full(coverage)) {
        lsig_buf_append_format(out, "  more than %d files: the others were not counted\n",
                               LSIG_COVERAGE_FILES_MAX);
    }
    free(table.rows);
}

// --- for tools

static int compare_paths(const void *left, const void *right)
{
    const struct row *one = left;
    const struct row *other = right;
    return strcmp(one->file->path, other->file->path);
}

bool lsig_coverage_report_write_lcov(const struct lsig_coverage *coverage, FILE *out)
{
    struct table table = make_table(coverage);
    if (table.count > 0) {
        qsort(table.rows, table.count, sizeof(*table.rows), compare_paths);
    }
    for (size_t i = 0; i < table.count; i++) {
        const struct row *row = &table.rows[i];
        const struct lsig_coverage_file *file = row->file;
        if (strpbrk(file->path, "\r\n") != NULL) {
            continue; // the form has no way to write it
        }
        fprintf(out, "TN:\nSF:%s\n", file->path);
        for (size_t line = 1; line < file->line_count; line++) {
            if (counts(file, line)) {
                fprintf(out, "DA:%zu,%" PRIu64 "\n", line, file->lines[line].runs);
            }
        }
        fprintf(out, "LF:%zu\nLH:%zu\nend_of_record\n", row->total, row->ran);
    }
    free(table.rows);
    return fflush(out) == 0 && ferror(out) == 0;
}
