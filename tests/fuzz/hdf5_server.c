/* hdf5_server.c - forks children that read HDF5 files for a fuzzer (hdf5_fork.h). */
#define _DEFAULT_SOURCE
#include "formats/hdf5_wire.h"
#undef _DEFAULT_SOURCE /* hdf5_child.c says so itself */

/* One damaged file in twenty has libhdf5 run in circles until its time is up. */
#define cx_h5_cpu_ms(file_size) 60
#define _exit                   fork_leave
#include "formats/hdf5_child.c"
#undef _exit

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "hdf5_fork.h"

/* Set by the linker around the counters of libFuzzer's instrumentation. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];

static uint8_t *branches; /* seen by the fuzzer */

static size_t count_branches(void)
{
    return (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs);
}

/* The stream ends after that, so that its reader knows when to look. */
_Noreturn void fork_leave(int status)
{
    memcpy(branches, __start___sancov_cntrs, count_branches());
    syscall(SYS_close_range, 0U, ~0U, 0);
    _Exit(status);
}

static int take_order(fork_order *o)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof o->fd)];
    } control;
    struct iovec size = {&o->file_size, sizeof o->file_size};
    struct msghdr m = {.msg_iov = &size,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    if (recvmsg(FORK_ORDERS, &m, 0) <= 0) return 0;
    memcpy(o->fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof o->fd);
    return 1;
}

int main(void)
{
    fork_order o;
    branches = mmap(NULL, FORK_MAX_BRANCHES, PROT_READ | PROT_WRITE, MAP_SHARED, FORK_BRANCHES, 0);
    if (branches == MAP_FAILED || count_branches() > FORK_MAX_BRANCHES) return 1;
    H5open();
    while (take_order(&o)) {
        pid_t child = fork();
        int status = 0;
        if (child == 0) {
            memset(__start___sancov_cntrs, 0, count_branches());
            cx_h5_child(o.fd[0], o.fd[1], o.file_size);
        }
        close(o.fd[0]);
        close(o.fd[1]);
        if (write(FORK_ORDERS, &child, sizeof child) < 0 || child < 0) return 1;
        waitpid(child, &status, 0);
        if (write(FORK_ORDERS, &status, sizeof status) < 0) return 1;
    }
    return 0;
}
