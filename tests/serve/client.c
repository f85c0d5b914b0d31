/* client.c - a viewer and its client. */
#define _DEFAULT_SOURCE
#include "client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START = 60 }; /* seconds, under a sanitizer on a busy machine */

static void run_program(const viewer *v, const char *const *more, int out)
{
    const char *argv[24] = {getenv("CONVSCOPE"),
                            "serve",
                            getenv("CONVSCOPE_MODEL"),
                            "--images",
                            getenv("CONVSCOPE_IMAGES"),
                            "--no-browser",
                            "--port",
                            "0"};
    int n = 8;
    for (; more && *more && n < 23; more++) argv[n++] = *more;
    const int errors = open(v->errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    char *own[24]; /* execv does not say that it changes nothing */
    memcpy(own, argv, sizeof own);
    execv(argv[0], own);
    _exit(127);
}

/* The line with the address. */
static void read_address(viewer *v)
{
    size_t n = 0;
    struct pollfd p = {.fd = v->out, .events = POLLIN};
    while (n + 1 < sizeof v->address && poll(&p, 1, START * 1000) == 1) {
        if (read(v->out, v->address + n, 1) != 1 || v->address[n] == '\n') break;
        n++;
    }
    v->address[n] = 0;
    const char *colon = strrchr(v->address, ':'), *token = strstr(v->address, "token=");
    if (!colon) fail_msg("the viewer said \"%s\", see %s", v->address, v->errors);
    v->port = (int)strtol(colon + 1, NULL, 10);
    if (token) snprintf(v->token, sizeof v->token, "%s", token + 6);
}

void viewer_start(viewer *v, const char *const *more)
{
    int ends[2];
    *v = (viewer){0};
    snprintf(v->errors, sizeof v->errors, "/tmp/convscope-serve-XXXXXX");
    const int fd = mkstemp(v->errors);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(pipe(ends), 0);
    v->pid = fork();
    assert_true(v->pid >= 0);
    if (v->pid == 0) run_program(v, more, ends[1]);
    close(ends[1]);
    v->out = ends[0];
    read_address(v);
}

static void check_errors(const viewer *v)
{
    size_t size;
    char *text = client_file(&size, v->errors);
    if (strstr(text, "Sanitizer") || strstr(text, "runtime error")) fail_msg("%s", text);
    free(text);
    unlink(v->errors);
}

void viewer_stop(viewer *v, int seconds)
{
    int status = 0;
    pid_t ended = 0;
    kill(v->pid, SIGTERM);
    for (int i = 0; i < seconds * 20 && ended == 0; i++) {
        usleep(50000);
        ended = waitpid(v->pid, &status, WNOHANG);
    }
    if (ended == 0) {
        kill(v->pid, SIGKILL);
        waitpid(v->pid, &status, 0);
        fail_msg("it did not end within %d s", seconds);
    }
    close(v->out);
    check_errors(v);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("it ended with status %x", (unsigned)status);
}

int client_connect(const viewer *v, int seconds)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)v->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = seconds};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        fail_msg("cannot connect: %s", strerror(errno));
    return fd;
}

int client_send(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0) return 0;
        bytes += n;
        size -= (size_t)n;
    }
    return 1;
}

/* Whether the whole answer is there: its head, and as many bytes as that says. */
static int is_whole(const reply *r)
{
    const char *end = strstr(r->bytes, "\r\n\r\n"), *length;
    if (!end) return 0;
    length = strstr(r->bytes, "Content-Length: ");
    if (!length || length > end) return 0; /* until it is closed */
    return r->size >= (size_t)(end + 4 - r->bytes) + strtoul(length + 16, NULL, 10);
}

int client_read(reply *r, int fd)
{
    ssize_t n = 1;
    r->size = 0;
    r->bytes[0] = 0;
    while (r->size + 1 < sizeof r->bytes && !is_whole(r)) {
        n = recv(fd, r->bytes + r->size, sizeof r->bytes - 1 - r->size, 0);
        if (n <= 0) break;
        r->size += (size_t)n;
        r->bytes[r->size] = 0;
    }
    const int late = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    r->body = strstr(r->bytes, "\r\n\r\n");
    r->body = r->body ? r->body + 4 : "";
    r->status = strncmp(r->bytes, "HTTP/1.", 7) == 0 ? (int)strtol(r->bytes + 9, NULL, 10)
                : late                               ? -1
                                                     : 0;
    return r->status;
}

int client_say(reply *r, const viewer *v, const char *bytes, size_t size)
{
    const int fd = client_connect(v, START);
    client_send(fd, bytes, size);
    const int status = client_read(r, fd);
    close(fd);
    return status;
}

int client_get(reply *r, const viewer *v, const char *path, const char *headers)
{
    char text[1 << 14];
    const int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n",
                           path, v->port, headers ? headers : "");
    assert_true(n > 0 && (size_t)n < sizeof text);
    return client_say(r, v, text, (size_t)n);
}

int client_post(reply *r, const viewer *v, const char *path, const void *body, size_t size)
{
    char text[1024];
    const int fd = client_connect(v, START);
    const int n = snprintf(text, sizeof text,
                           "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %zu\r\n\r\n",
                           path, v->port, size);
    if (client_send(fd, text, (size_t)n)) client_send(fd, body, size);
    const int status = client_read(r, fd);
    close(fd);
    return status;
}

char *client_file(size_t *size, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot open %s", path);
    fseek(f, 0, SEEK_END);
    const long n = ftell(f);
    rewind(f);
    char *bytes = malloc((size_t)n + 1);
    assert_non_null(bytes);
    *size = fread(bytes, 1, (size_t)n, f);
    bytes[*size] = 0;
    fclose(f);
    return bytes;
}

void client_bring(char id[17], reply *r, const viewer *v, const char *path)
{
    size_t size;
    char *bytes = client_file(&size, getenv("CONVSCOPE_PICTURE"));
    assert_int_equal(client_post(r, v, path, bytes, size), 201);
    free(bytes);
    const char *at = strstr(r->body, "\"id\": \"");
    assert_non_null(at);
    snprintf(id, 17, "%.16s", at + 7);
}
