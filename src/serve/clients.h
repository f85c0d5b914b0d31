/* clients.h - connections, and a thread that ends those that keep the server waiting. */
#ifndef CX_SERVE_CLIENTS_H
#define CX_SERVE_CLIENTS_H

#include "serve/desk.h"

typedef struct cx_clients cx_clients;
typedef struct cx_client cx_client;

/* What a connection is about, and for how many seconds it may be. */
typedef enum cx_phase {
    CX_PHASE_ASKING,  /* between requests, or while one comes in: 15 */
    CX_PHASE_SENDING, /* a body comes in: 60 */
    CX_PHASE_WAITING, /* for the answer: as long as that takes */
    CX_PHASE_READING, /* the answer goes out: 300 */
} cx_phase;

/* The thread also lets the desk look for clients that have hung up. */
int cx_clients_new(cx_clients **out, cx_desk *desk, cvs_error *err);
void cx_clients_free(cx_clients *clients);

/* A connection began; NULL where there is no memory. It is to be removed before its file is closed.
 */
cx_client *cx_clients_add(cx_clients *clients, int fd);
void cx_clients_remove(cx_clients *clients, cx_client *client);
void cx_clients_enter(cx_clients *clients, cx_client *client, cx_phase phase);

#endif
