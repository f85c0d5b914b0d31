/* bench_process.c - what one look costs: whole processes, from exec to exit, in turn.
 *
 * usage: bench_process CONVSCOPE MODEL IMAGE [ROUNDS [--peer TITLE COMMAND ARGUMENT...]...]
 * Prints for each job the median wall time and the peak memory; /bin/true gives what a process
 * costs by itself. Of a peer, which is to give the same 8 activations, it also prints how many
 * times as long it takes as ours: the median of the rounds' ratios. Nothing here is a test: figures
 * depend on the machine. */
#define _DEFAULT_SOURCE /* wait4, vfork */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 1000, MAX_ARGS = 12, MAX_JOBS = 16 };

typedef struct job {
    const char *title;
    const char *args[MAX_ARGS];
    double ms[MAX_ROUNDS];
    long peak_kib;
} job;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Run a job once, its output thrown away. */
static int run_once(job *j, int round)
{
    static int nowhere = -1;
    if (nowhere < 0) nowhere = open("/dev/null", O_WRONLY);
    double start = now();
    pid_t pid = vfork(); /* fork would copy our pages: that is not the program's time */
    if (pid == 0) {
        if (dup2(nowhere, 1) < 0 || dup2(nowhere, 2) < 0) _exit(127);
        execvp(j->args[0], (char *const *)(size_t)j->args);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || status != 0) return -1;
    j->ms[round] = now() - start;
    if (usage.ru_maxrss > j->peak_kib) j->peak_kib = usage.ru_maxrss;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

/* How many times as long as another job. */
static double ratio(const job *j, const job *by, int rounds)
{
    double v[MAX_ROUNDS];
    for (int r = 0; r < rounds; r++) v[r] = j->ms[r] / by->ms[r];
    return median(v, rounds);
}

/* Those that peers are compared with; all of ours, the last one only beside peers. */
enum { NUMBERS = 3, PICTURES = 5, OURS = 7, TENSOR = OURS, PEERS };

static void add_ours(job *jobs, const char *program, const char *model, const char *image,
                     const char *dir)
{
    const job ours[OURS] = {
        {.title = "/bin/true", .args = {"/bin/true"}},
        {.title = "summary", .args = {program, "summary", model}},
        {.title = "predict", .args = {program, "predict", model, image}},
        {.title = "activations, 8 .npy",
         .args = {program, "activations", "--format", "npy", "-o", dir, model, image}},
        {.title = "activations, 8 .npy, 1 thread",
         .args = {program, "activations", "--format", "npy", "--threads", "1", "-o", dir, model,
                  image}},
        {.title = "activations, 8 pictures",
         .args = {program, "activations", "-o", dir, model, image}},
        {.title = "activations, 8 pictures, 1 thread",
         .args = {program, "activations", "--threads", "1", "-o", dir, model, image}},
    };
    memcpy(jobs, ours, sizeof ours);
}

/* A picture of the book's network as numbers. */
static int write_tensor(const char *path)
{
    static float x[150 * 150 * 3];
    char head[128 + 1];
    FILE *f = fopen(path, "wb");
    if (!f) return -1;
    memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
    snprintf(head + 10, sizeof head - 10, "%-117s\n",
             "{'descr': '<f4', 'fortran_order': False, 'shape': (150, 150, 3), }");
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)(i % 251) / 250;
    fwrite(head, 1, sizeof head - 1, f);
    fwrite(x, 1, sizeof x, f);
    return fclose(f);
}

/* --peer TITLE COMMAND ARGUMENT..., up to the next; gives how many jobs there are then. */
static int add_peers(job *jobs, char **words, int n)
{
    int count = PEERS, used = 0;
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], "--peer") == 0) {
            if (count == MAX_JOBS || i + 2 >= n) return -1;
            jobs[count++] = (job){.title = words[++i]};
            used = 0;
        } else if (count == PEERS || used + 1 == MAX_ARGS) {
            return -1;
        } else {
            jobs[count - 1].args[used++] = words[i];
        }
    }
    return count;
}

static void print(job *jobs, int n, int rounds, double model_size)
{
    static const int with[] = {TENSOR, NUMBERS, PICTURES};
    double times[MAX_JOBS][3];
    for (int i = PEERS; i < n; i++)
        for (int k = 0; k < 3; k++) times[i][k] = ratio(&jobs[i], &jobs[with[k]], rounds);
    printf("model file %.1f MiB, %d rounds\n", model_size / 1048576, rounds);
    printf("%-36s %10s %10s %10s %12s\n", "process", "median ms", "fastest", "peak MiB", "x model");
    for (int i = 0; i < n; i++) {
        const double peak = (double)jobs[i].peak_kib / 1024, middle = median(jobs[i].ms, rounds);
        printf("%-36s %10.2f %10.2f %10.1f %12.2f", jobs[i].title, middle, jobs[i].ms[0], peak,
               peak * 1048576 / model_size);
        printf("\n");
    }
    for (int i = PEERS; i < n; i++)
        printf("%s takes %.1f times as long as ours from .npy to .npy, %.1f from a photograph to "
               ".npy, %.1f to pictures\n",
               jobs[i].title, times[i][0], times[i][1], times[i][2]);
}

int main(int argc, char **argv)
{
    static job jobs[MAX_JOBS];
    if (argc < 4) {
        fprintf(stderr, "usage: %s CONVSCOPE MODEL IMAGE [ROUNDS [--peer TITLE COMMAND...]...]\n",
                argv[0]);
        return 2;
    }
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 41;
    if (rounds < 1 || rounds > MAX_ROUNDS) rounds = 41;
    char dir[] = "/tmp/convscope-bench-XXXXXX";
    struct stat st;
    if (!mkdtemp(dir) || stat(argv[2], &st) < 0) {
        perror(argv[2]);
        return 1;
    }
    add_ours(jobs, argv[1], argv[2], argv[3], dir);
    const int n = argc > 5 ? add_peers(jobs, argv + 5, argc - 5) : OURS;
    char tensor[64];
    snprintf(tensor, sizeof tensor, "%s/input.npy", dir);
    jobs[TENSOR] =
        (job){.title = "activations of a .npy, 8 .npy",
              .args = {argv[1], "activations", "--format", "npy", "-o", dir, argv[2], tensor}};
    if (n > OURS && write_tensor(tensor) < 0) perror(tensor);
    if (n < 0) {
        fprintf(stderr, "%s: --peer TITLE COMMAND, with at most %d words\n", argv[0], MAX_ARGS - 1);
        return 2;
    }
    for (int round = -1; round < rounds; round++) /* the first round only warms the file cache */
        for (int i = 0; i < n; i++)
            if (run_once(&jobs[i], round < 0 ? 0 : round) < 0) {
                fprintf(stderr, "%s: the run failed\n", jobs[i].title);
                return 1;
            }
    print(jobs, n, rounds, (double)st.st_size);
    printf("the files of the last round are in %s\n", dir);
    return 0;
}
