/* bench_process.c - what one look costs: whole processes, from exec to exit, in turn.
 *
 * usage: bench_process CONVSCOPE MODEL IMAGE [ROUNDS]
 * Prints for each job the median wall time and the peak memory; /bin/true gives what a process
 * costs by itself. Nothing here is a test: figures depend on the machine. */
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

enum { MAX_ROUNDS = 1000, MAX_ARGS = 12 };

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
        execv(j->args[0], (char *const *)(size_t)j->args);
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

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s CONVSCOPE MODEL IMAGE [ROUNDS]\n", argv[0]);
        return 2;
    }
    const char *program = argv[1], *model = argv[2], *image = argv[3];
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 41;
    if (rounds < 1 || rounds > MAX_ROUNDS) rounds = 41;
    char dir[] = "/tmp/convscope-bench-XXXXXX";
    struct stat st;
    if (!mkdtemp(dir) || stat(model, &st) < 0) {
        perror(model);
        return 1;
    }
    static job jobs[] = {{.title = "/bin/true"},
                         {.title = "summary"},
                         {.title = "predict"},
                         {.title = "activations, 8 .npy"},
                         {.title = "activations, 8 .npy, 1 thread"},
                         {.title = "activations, 8 pictures"},
                         {.title = "activations, 8 pictures, 1 thread"}};
    const int n = sizeof jobs / sizeof *jobs;
    const char *const args[][MAX_ARGS] = {
        {"/bin/true"},
        {program, "summary", model},
        {program, "predict", model, image},
        {program, "activations", "--format", "npy", "-o", dir, model, image},
        {program, "activations", "--format", "npy", "--threads", "1", "-o", dir, model, image},
        {program, "activations", "-o", dir, model, image},
        {program, "activations", "--threads", "1", "-o", dir, model, image},
    };
    for (int i = 0; i < n; i++) memcpy(jobs[i].args, args[i], sizeof args[i]);
    for (int round = -1; round < rounds; round++) /* the first round only warms the file cache */
        for (int i = 0; i < n; i++)
            if (run_once(&jobs[i], round < 0 ? 0 : round) < 0) {
                fprintf(stderr, "%s: the run failed\n", jobs[i].title);
                return 1;
            }
    printf("model file %.1f MiB, %d rounds\n", (double)st.st_size / 1048576, rounds);
    printf("%-36s %10s %10s %10s %12s\n", "process", "median ms", "fastest", "peak MiB", "x model");
    for (int i = 0; i < n; i++) {
        qsort(jobs[i].ms, (size_t)rounds, sizeof(double), by_value);
        double peak = (double)jobs[i].peak_kib / 1024;
        printf("%-36s %10.2f %10.2f %10.1f %12.2f\n", jobs[i].title, jobs[i].ms[rounds / 2],
               jobs[i].ms[0], peak, peak * 1048576 / (double)st.st_size);
    }
    printf("the files of the last round are in %s\n", dir);
    return 0;
}
