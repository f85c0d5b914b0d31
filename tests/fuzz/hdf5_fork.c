/* hdf5_fork.c - a listener in the place of the library's, whose children another program forks. */
#include "listen.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "hdf5_fork.h"

/* libFuzzer takes what is in this section for counters like its own. */
static uint8_t taken[FORK_MAX_BRANCHES] __attribute__((section("__libfuzzer_extra_counters")));
static uint8_t *branches; /* written by the child */
static int orders = -1;   /* our end of the socket */

/* --- the server --- */

_Noreturn static void become_server(int socket, int memory)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    socket = fcntl(socket, F_DUPFD, 10);
    memory = fcntl(memory, F_DUPFD, 10);
    dup2(socket, FORK_ORDERS);
    dup2(memory, FORK_BRANCHES);
    close_range(FORK_BRANCHES + 1, ~0U, 0);
    execl(HDF5_SERVER, HDF5_SERVER, (char *)NULL);
    _exit(1);
}

static void start_server(void)
{
    int ends[2], memory = memfd_create("branches", MFD_CLOEXEC);
    if (memory < 0 || ftruncate(memory, FORK_MAX_BRANCHES) < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    branches = mmap(NULL, FORK_MAX_BRANCHES, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    pid_t pid = fork();
    if (pid < 0 || branches == MAP_FAILED) abort();
    if (pid == 0) become_server(ends[1], memory);
    close(ends[1]);
    close(memory);
    orders = ends[0];
}

/* What the server says next. libFuzzer's clock interrupts. */
static int answer(void)
{
    int n;
    ssize_t got;
    while ((got = read(orders, &n, sizeof n)) < 0 && errno == EINTR) continue;
    if (got == sizeof n) return n;
    fprintf(stderr, "%s is gone\n", HDF5_SERVER);
    abort();
}

/* --- one child --- */

static pid_t start(int *out, int fd, int64_t file_size)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec size = {&file_size, sizeof file_size};
    struct msghdr m = {.msg_iov = &size,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&m);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) abort();
    *head = (struct cmsghdr){CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), (int[]){fd, ends[1]}, 2 * sizeof(int));
    memset(branches, 0, FORK_MAX_BRANCHES);
    if (sendmsg(orders, &m, 0) < 0) abort();
    close(ends[1]);
    *out = ends[0];
    return answer();
}

/* Let the child end, or end it. Its code traps where the C standard does not say what happens;
 * libhdf5, which may crash as it likes, has no such traps. */
static void end(pid_t child, int out)
{
    enum { PATIENCE = 2000 }; /* ms */
    static char rest[1 << 16];
    struct pollfd ready = {out, POLLIN, 0};
    const int64_t until = now_ms() + PATIENCE;
    ssize_t n;
    do {
        errno = 0;
        n = poll(&ready, 1, PATIENCE) == 1 ? read(out, rest, sizeof rest) : -1;
    } while ((n > 0 || errno == EINTR) && now_ms() < until);
    if (n != 0) kill(child, SIGKILL); /* it holds the pipe, so it is there */
    close(out);
    int status = answer();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGILL) abort();
    memcpy(taken, branches, sizeof taken);
}

int cx_h5_listen(cx_h5 *h5, cvs_error *err)
{
    int out;
    if (orders < 0) start_server();
    pid_t child = start(&out, h5->fd, h5->file_size);
    int rc = listen_to(h5, out, err);
    end(child, out);
    return rc;
}
