/* measure.c - runs a command and tells what it took.
 *
 *     measure STDOUT STDERR COMMAND ...
 *
 * Prints "STATUS MILLISECONDS KIB": the exit status (128 + n when signal n ended it), the time, and
 * the peak memory of the largest of the process and those that it waited for. */
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 60 }; /* seconds, then SIGALRM */

static void redirect(const char *path, int fd)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0 || dup2(file, fd) < 0) _exit(126);
}

static long milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    struct rusage used;
    int status;
    if (argc < 4) return 2;
    long start = milliseconds();
    pid_t child = fork();
    if (child == 0) {
        redirect("/dev/null", 0);
        redirect(argv[1], 1);
        redirect(argv[2], 2);
        alarm(LONGEST);
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &used) < 0) return 2;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("%d %ld %ld\n", code, milliseconds() - start, used.ru_maxrss);
    return 0;
}
