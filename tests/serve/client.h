/* client.h - a viewer in a process of its own, and a client that says to it whatever it likes. */
#ifndef CLIENT_H
#define CLIENT_H

#include "test.h"

#include <sys/types.h>

/* The viewer that the test talks to. */
typedef struct viewer {
    pid_t pid;
    int port;
    int out;         /* its stdout */
    char errors[64]; /* file with its stderr */
    char token[64];  /* "" where it needs none */
    char address[256];
} viewer;

/* `convscope serve` with these arguments after the model, NULL-ended. The program and its data are
 * named by the environment, see meson.build. */
void viewer_start(viewer *v, const char *const *more);
/* SIGTERM: it ends within so many seconds with 0, and no sanitizer has said anything. */
void viewer_stop(viewer *v, int seconds);

/* A connection; its reads give up after so many seconds. */
int client_connect(const viewer *v, int seconds);
/* 0 where it was hung up before all was sent. */
int client_send(int fd, const char *bytes, size_t size);

/* The answer to one request: its status, 0 where the connection was closed without any, -1 where
 * none came in time. The whole is in reply->bytes, ended by 0. */
typedef struct reply {
    int status;
    size_t size;
    const char *body;
    char bytes[1 << 18];
} reply;
int client_read(reply *r, int fd);

/* Send these bytes over a new connection and read the answer. */
int client_say(reply *r, const viewer *v, const char *bytes, size_t size);
/* The same for a GET with a right Host; `headers` are further lines, each ended by CR and LF. */
int client_get(reply *r, const viewer *v, const char *path, const char *headers);
int client_post(reply *r, const viewer *v, const char *path, const void *body, size_t size);

/* A file of the environment's folder `variable`, whole; the caller's to free(). */
char *client_file(size_t *size, const char *path);
/* Send the test's photograph to that path; gives its id. */
void client_bring(char id[17], reply *r, const viewer *v, const char *path);

#endif
