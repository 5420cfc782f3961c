/*
 * The peer in C, the limit that others are compared with: frames with a 4-byte big-endian length.
 *
 *     gcc -O2 -o bench/peers/.build/c-peer bench/peers/c/peer.c
 *     bench/peers/.build/c-peer recv|send|echo|idle SIZE COUNT [each]
 *
 * It listens on a free port of 127.0.0.1, prints "listening PORT" and serves until SIGTERM.
 *
 * recv  reads to the end into one buffer that it uses again and again, and answers with two counts of
 *       64 bits: frames, bytes of payload. A frame that the buffer cannot hold gets memory of its own.
 * send  writes COUNT frames of SIZE bytes, laid out in a buffer of 64 KiB; those that do not fit it are
 *       written from where they lie. With `each`, one write a frame.
 * echo  sends every frame back, on many connections at once. idle: the same, and nothing comes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PREFIX = 4, RECV_BUFFER = 256 * 1024, SEND_BUFFER = 64 * 1024, ECHO_BUFFER = 64 * 1024 };

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void *allocate(size_t n) {
  void *p = malloc(n ? n : 1);
  if (!p) die("malloc");
  return p;
}

static uint32_t length_at(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_length(uint8_t *p, uint32_t n) {
  p[0] = n >> 24, p[1] = n >> 16, p[2] = n >> 8, p[3] = n;
}

static void put_u64(uint8_t *p, uint64_t n) {
  for (int i = 7; i >= 0; i--, n >>= 8) p[i] = n;
}

/* read(), again if a signal came; -1 if the connection is broken. */
static ssize_t read_some(int fd, void *to, size_t n) {
  ssize_t got;
  do got = read(fd, to, n);
  while (got < 0 && errno == EINTR);
  return got;
}

static int write_all(int fd, const uint8_t *p, size_t n) {
  while (n) {
    ssize_t put = write(fd, p, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -1;
    p += put, n -= put;
  }
  return 0;
}

static uint64_t frames, payload_bytes;

/* What the user of a library does with a frame: here, count it. */
static void on_frame(const uint8_t *payload, size_t n) {
  (void)payload;
  frames++, payload_bytes += n;
}

static void serve_recv(int fd) {
  static uint8_t buffer[RECV_BUFFER];
  size_t start = 0, end = 0;
  frames = payload_bytes = 0;
  for (;;) {
    ssize_t got = read_some(fd, buffer + end, sizeof buffer - end);
    if (got <= 0) break;
    end += got;
    while (end - start >= PREFIX) {
      size_t n = length_at(buffer + start);
      if (end - start - PREFIX >= n) {
        on_frame(buffer + start + PREFIX, n);
        start += PREFIX + n;
        continue;
      }
      if (PREFIX + n <= sizeof buffer) break;
      /* Larger than the buffer: memory of its own, and the rest is read straight into it. */
      uint8_t *large = allocate(n);
      size_t have = end - start - PREFIX;
      memcpy(large, buffer + start + PREFIX, have);
      while (have < n) {
        got = read_some(fd, large + have, n - have);
        if (got <= 0) return free(large);
        have += got;
      }
      on_frame(large, n);
      free(large);
      start = end = 0;
    }
    memmove(buffer, buffer + start, end - start);
    end -= start, start = 0;
  }
  uint8_t counts[16];
  put_u64(counts, frames);
  put_u64(counts + 8, payload_bytes);
  write_all(fd, counts, sizeof counts);
}

static void serve_send(int fd, size_t size, uint64_t count, int each) {
  static uint8_t buffer[SEND_BUFFER];
  uint8_t *payload = allocate(size);
  memset(payload, 0, size);
  size_t used = 0;
  for (uint64_t i = 0; i < count; i++) {
    if (PREFIX + size > sizeof buffer) {
      uint8_t prefix[PREFIX];
      put_length(prefix, size);
      struct iovec parts[2] = {{prefix, PREFIX}, {payload, size}};
      ssize_t put = writev(fd, parts, 2);
      if (put < 0 && errno == EINTR) put = 0;
      if (put < 0) break;
      size_t done = put;
      if (done < PREFIX && write_all(fd, prefix + done, PREFIX - done) < 0) break;
      done = done < PREFIX ? 0 : done - PREFIX;
      if (write_all(fd, payload + done, size - done) < 0) break;
      continue;
    }
    if (used && (each || PREFIX + size > sizeof buffer - used)) {
      if (write_all(fd, buffer, used) < 0) break;
      used = 0;
    }
    put_length(buffer + used, size);
    memcpy(buffer + used + PREFIX, payload, size);
    used += PREFIX + size;
  }
  write_all(fd, buffer, used);
  free(payload);
}

/* A connection of the echo server: the start of a frame, and what could not be sent yet. */
struct peer {
  int fd;
  int ended;
  uint8_t *part;
  size_t part_size, part_room;
  uint8_t *unsent;
  size_t unsent_start, unsent_end;
};

static void close_peer(struct peer *peer) {
  close(peer->fd);
  free(peer->part);
  free(peer->unsent);
  free(peer);
}

/* Sends; what there is no room for is kept. Gives -1 if the connection is broken. */
static int echo_out(struct peer *peer, const uint8_t *p, size_t n) {
  while (n) {
    ssize_t put = write(peer->fd, p, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno != EAGAIN) return -1;
    if (put < 0) {
      peer->unsent = allocate(n);
      memcpy(peer->unsent, p, n);
      peer->unsent_start = 0, peer->unsent_end = n;
      return 0;
    }
    p += put, n -= put;
  }
  return 0;
}

/* Reads once and sends back the frames that are whole. Gives -1 if the connection is done. */
static int echo_in(struct peer *peer) {
  static uint8_t in[2 * ECHO_BUFFER], out[2 * ECHO_BUFFER];
  uint8_t *from = in;
  size_t room = ECHO_BUFFER, have = peer->part_size;
  if (have >= ECHO_BUFFER || peer->part_room > ECHO_BUFFER) {
    /* A frame larger than the buffer, in memory of its own. */
    from = peer->part, room = peer->part_room - have;
  } else if (have) {
    memcpy(in, peer->part, have);
  }
  ssize_t got = read_some(peer->fd, from + have, room);
  if (got < 0) return errno == EAGAIN ? 0 : -1;
  if (got == 0) {
    peer->ended = 1;
    return peer->unsent ? 0 : -1;
  }
  have += got;
  if (from != in) {
    peer->part_size = have;
    if (have < peer->part_room) return 0;
    uint8_t *whole = peer->part;
    peer->part = NULL, peer->part_size = peer->part_room = 0;
    int failed = echo_out(peer, whole, have);
    free(whole);
    return failed;
  }
  size_t start = 0, used = 0;
  while (have - start >= PREFIX) {
    size_t n = PREFIX + (size_t)length_at(in + start);
    if (have - start < n) break;
    memcpy(out + used, in + start, n);
    start += n, used += n;
  }
  size_t rest = have - start;
  if (rest) {
    size_t n = rest >= PREFIX ? PREFIX + (size_t)length_at(in + start) : PREFIX;
    if (n > peer->part_room) {
      free(peer->part);
      peer->part = allocate(n);
      peer->part_room = n;
    }
    memcpy(peer->part, in + start, rest);
  } else if (peer->part_room > ECHO_BUFFER) {
    free(peer->part);
    peer->part = NULL, peer->part_room = 0;
  }
  peer->part_size = rest;
  return used ? echo_out(peer, out, used) : 0;
}

static void set_events(int epoll, struct peer *peer, int op, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = peer};
  if (epoll_ctl(epoll, op, peer->fd, &event) < 0) die("epoll_ctl");
}

static void serve_echo(int listener) {
  int epoll = epoll_create1(0);
  struct peer door = {.fd = listener};
  fcntl(listener, F_SETFL, O_NONBLOCK);
  set_events(epoll, &door, EPOLL_CTL_ADD, EPOLLIN);
  struct epoll_event events[1024];
  for (;;) {
    int n = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < n; i++) {
      struct peer *peer = events[i].data.ptr;
      if (peer == &door) {
        int fd;
        while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
          struct peer *new = allocate(sizeof *new);
          *new = (struct peer){.fd = fd};
          set_events(epoll, new, EPOLL_CTL_ADD, EPOLLIN);
        }
        continue;
      }
      int had_unsent = peer->unsent != NULL, done;
      if (had_unsent) {
        uint8_t *unsent = peer->unsent;
        peer->unsent = NULL;
        done = echo_out(peer, unsent + peer->unsent_start, peer->unsent_end - peer->unsent_start);
        free(unsent);
        if (done == 0 && peer->ended && !peer->unsent) done = -1;
      } else {
        done = echo_in(peer);
      }
      if (done < 0) {
        close_peer(peer);
        continue;
      }
      int has_unsent = peer->unsent != NULL;
      if (has_unsent != had_unsent) set_events(epoll, peer, EPOLL_CTL_MOD, has_unsent ? EPOLLOUT : EPOLLIN);
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: peer recv|send|echo|idle SIZE COUNT [each]\n"), 2;
  const char *role = argv[1];
  int recv = !strcmp(role, "recv"), send = !strcmp(role, "send");
  int echo = !strcmp(role, "echo") || !strcmp(role, "idle");
  if (!recv && !send && !echo) return fprintf(stderr, "unknown role: %s\n", role), 2;
  size_t size = strtoull(argv[2], NULL, 10);
  uint64_t count = strtoull(argv[3], NULL, 10);
  int each = argc > 4 && !strcmp(argv[4], "each");

  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t address_size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, address_size) < 0) die("bind");
  if (listen(listener, 4096) < 0) die("listen");
  getsockname(listener, (struct sockaddr *)&address, &address_size);
  printf("listening %d\n", ntohs(address.sin_port));
  fflush(stdout);

  if (echo) serve_echo(listener);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (recv) serve_recv(fd);
    else serve_send(fd, size, count, each);
    close(fd);
  }
}
