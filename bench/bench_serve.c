/* bench_serve.c - the viewer as a browser meets it: answers a second, and how long they take, alone
 * and while two heatmaps are computed that take minutes.
 *
 * usage: bench_serve CONVSCOPE MODEL IMAGE [REQUESTS]
 * One connection asks one thing after the other, kept alive as browsers do. Nothing here is a test:
 * figures depend on the machine. */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { MOST = 20000, PICTURES = 8, SIDE = 150, FRAME = SIDE * SIDE * 3 };

static int port;
static char picture[PICTURES][20]; /* ids; more than the viewer keeps passes of */
static char reply[4 << 20];

static void die(const char *what)
{
    fprintf(stderr, "bench_serve: %s\n", what);
    exit(1);
}

/* --- a client --- */

static int open_connection(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) < 0) die("cannot connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static void send_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        const ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n <= 0) die("the viewer hung up");
        at += n;
        size -= (size_t)n;
    }
}

static void ask(int fd, const char *method, const char *path, const void *body, size_t size)
{
    char head[1024];
    const int n =
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%.0zu%s\r\n", method,
                 path, port, body ? "Content-Length: " : "", body ? size : 0, body ? "\r\n" : "");
    send_all(fd, head, (size_t)n);
    if (body) send_all(fd, body, size);
}

/* The body of the answer, which has a length. */
static const char *read_answer(int fd)
{
    size_t have = 0, want = sizeof reply;
    const char *body = reply;
    while (have < want) {
        const ssize_t n = recv(fd, reply + have, sizeof reply - 1 - have, 0);
        if (n <= 0) die("there is no answer");
        have += (size_t)n;
        reply[have] = 0;
        const char *end = strstr(reply, "\r\n\r\n"), *length = strstr(reply, "Content-Length: ");
        if (!end || !length) continue;
        body = end + 4;
        want = (size_t)(body - reply) + strtoul(length + 16, NULL, 10);
    }
    if (strncmp(reply + 9, "20", 2) != 0) die(reply);
    return body;
}

/* --- the viewer --- */

static pid_t start(const char *program, const char *model)
{
    int ends[2];
    char line[200] = "";
    if (pipe(ends) < 0) die("no pipe");
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl(program, program, "serve", model, "--port", "0", "--no-browser", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    for (size_t n = 0; n + 1 < sizeof line && read(ends[0], line + n, 1) == 1; n++)
        if (line[n] == '\n') break;
    const char *colon = strrchr(line, ':');
    if (!colon) die("the viewer does not begin");
    port = (int)strtol(colon + 1, NULL, 10);
    return pid;
}

/* The same picture several times, each with other bytes at its end, which no reader looks at. */
static void send_pictures(int fd, const char *path)
{
    static char bytes[8 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) die("the picture cannot be read");
    const size_t n = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    for (int i = 0; i < PICTURES; i++) {
        bytes[n] = (char)i;
        ask(fd, "POST", "/api/v1/images", bytes, n + 1);
        const char *id = strstr(read_answer(fd), "\"id\": \"");
        if (!id) die("the picture was not taken");
        snprintf(picture[i], sizeof picture[i], "%.16s", id + 7);
    }
}

/* --- what is asked --- */

typedef struct job {
    const char *title, *method, *path; /* @ stands for a picture */
    int changes;                       /* 1: another picture each time */
    int sends;                         /* a frame */
} job;

static const job jobs[] = {
    {"the page's largest script", "GET", "/viewer.js", 0, 0},
    {"list of models", "GET", "/api/v1/models", 0, 0},
    {"predict, known picture", "GET", "/api/v1/models/m0/predict?image=@", 0, 0},
    {"predict, another picture each time", "GET", "/api/v1/models/m0/predict?image=@", 1, 0},
    {"sheet of LAYER", "GET", "/api/v1/models/m0/layers/LAYER/sheet.png?image=@", 0, 0},
    {"live frame, two layers", "POST",
     "/api/v1/models/m0/live?layers=LAYER&channels=16&width=150&height=150", 0, 1},
};

static const char *const layers[] = {"conv2d_4", "conv2d_4,max_pooling2d_3"};

static void fill(char out[512], const job *j, int round)
{
    size_t n = 0;
    for (const char *at = j->path; *at && n < 400;) {
        const char *word = NULL;
        if (*at == '@')
            word = picture[j->changes ? round % PICTURES : 0], at++;
        else if (strncmp(at, "LAYER", 5) == 0)
            word = layers[j->sends], at += 5;
        if (word)
            n += (size_t)snprintf(out + n, 512 - n, "%s", word);
        else
            out[n++] = *at++;
    }
    out[n] = 0;
}

static void measure(const job *j, int fd, int rounds)
{
    static double took[MOST];
    static uint8_t frame[FRAME];
    char path[512];
    const double begin = now();
    for (int i = 0; i < rounds; i++) {
        for (int k = 0; j->sends && k < FRAME; k += 97) frame[k] = (uint8_t)(i + k);
        fill(path, j, i);
        const double start = now();
        ask(fd, j->method, path, j->sends ? frame : NULL, FRAME);
        read_answer(fd);
        took[i] = now() - start;
    }
    const double all = now() - begin;
    qsort(took, (size_t)rounds, sizeof *took, ascending);
    printf("  %-36s %8.0f /s  median %7.2f ms  99 %% in %7.2f ms  fastest %7.2f ms\n", j->title,
           rounds / all, took[rounds / 2] * 1e3, took[rounds * 99 / 100] * 1e3, took[0] * 1e3);
    fflush(stdout);
}

static void measure_all(int fd, int rounds)
{
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) measure(&jobs[i], fd, rounds);
}

int main(int argc, char **argv)
{
    int rounds = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 300, long_work[2], status;
    char path[256];
    if (argc < 4 || rounds < 10 || rounds > MOST) die("CONVSCOPE MODEL IMAGE [REQUESTS]");
    const pid_t viewer = start(argv[1], argv[2]);
    const int fd = open_connection();
    send_pictures(fd, argv[3]);
    printf("one connection, %d requests each\n", rounds);
    measure_all(fd, rounds);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path,
                 "/api/v1/models/m0/heatmap?method=rise&steps=10000&class=%d&image=%s", i,
                 picture[0]);
        long_work[i] = open_connection();
        ask(long_work[i], "GET", path, NULL, 0);
    }
    usleep(300000);
    printf("the same while two heatmaps are computed\n");
    measure_all(fd, rounds);
    for (int i = 0; i < 2; i++) close(long_work[i]);
    close(fd);
    kill(viewer, SIGTERM);
    return waitpid(viewer, &status, 0) == viewer && status == 0 ? 0 : 1;
}
