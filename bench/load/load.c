/*
 * The other side of every peer, and the only one with a clock.
 *
 *     gcc -O2 -o bench/peers/.build/load bench/load/load.c
 *     load ROLE PORT SIZE COUNT [--framing u32|varint] [--connections N] [--window N] [--chunk BYTES] [--pid PID]
 *
 * ROLE is what the peer does. Against `recv` it sends COUNT frames from memory laid out before connecting,
 * closes its half and checks the counts that come back; `--chunk` bounds a write. Against `send` it reads to
 * the end and checks the number of bytes. Against `echo` it keeps up to `--window` frames under way on each of
 * `--connections` until COUNT are back, and compares every byte; a first frame on each, before the clock
 * starts, makes sure that all are served. Against `idle` it holds `--connections` (COUNT without it) for a
 * second.
 *
 * It prints one line of JSON: ns of the exchange, count of frames, bytes of payload, what the process PID took
 * (CPU time within the exchange, peak and present memory, for `idle` also the memory before, or null), and the
 * latencies in ns of all round trips when the window is 1. If something is wrong it says what, and exits with 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LAYOUT = 256 * 1024, READ_BUFFER = 256 * 1024, MAX_PREFIX = 5 };

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  exit(1);
}

static uint64_t now(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t) < 0) return 0;
  return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What was asked for. */
static size_t size;
static uint64_t count;
static int port, varint;
static long connections = 1, window = 1, chunk = 0, pid = 0;
static size_t frame_size; /* with the prefix */

static size_t put_prefix(uint8_t *p) {
  if (!varint) {
    p[0] = size >> 24, p[1] = size >> 16, p[2] = size >> 8, p[3] = size;
    return 4;
  }
  size_t n = 0, rest = size;
  for (; rest >= 128; rest >>= 7) p[n++] = rest | 128;
  p[n++] = rest;
  return n;
}

/* Memory full of frames, at least `room` bytes of them, and at least one. */
static uint8_t *lay_out(size_t room, size_t *total) {
  uint8_t prefix[MAX_PREFIX];
  size_t prefix_size = put_prefix(prefix);
  size_t frames = room / frame_size;
  if (frames == 0) frames = 1;
  uint8_t *all = malloc(frames * frame_size);
  if (!all) fail("no memory for %zu bytes", frames * frame_size);
  memset(all, 0, frames * frame_size);
  for (size_t i = 0; i < frames; i++) memcpy(all + i * frame_size, prefix, prefix_size);
  *total = frames * frame_size;
  return all;
}

static int connect_peer(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return fd;
}

/* The process of the peer, as /proc tells of it. */

static uint64_t cpu_ns(void) {
  clockid_t clock;
  if (!pid || clock_getcpuclockid(pid, &clock) != 0) return 0;
  return now(clock);
}

static uint64_t memory(const char *field) {
  char path[64], line[256];
  unsigned long kib = 0;
  if (!pid) return 0;
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  FILE *status = fopen(path, "r");
  if (!status) return 0;
  while (fgets(line, sizeof line, status)) {
    if (!strncmp(line, field, strlen(field))) sscanf(line + strlen(field), ": %lu", &kib);
  }
  fclose(status);
  return (uint64_t)kib * 1024;
}

/* Latencies, in buckets that are at most 1/512 of their value wide: off by 0.1 % at most. */
static uint64_t buckets[58 * 512], latencies, slowest;

static void note_latency(uint64_t ns) {
  int shift = ns < 1024 ? 0 : 63 - __builtin_clzll(ns) - 9;
  size_t at = (size_t)shift * 512 + (ns >> shift);
  buckets[at]++, latencies++;
  if (ns > slowest) slowest = ns;
}

static uint64_t percentile(double part) {
  uint64_t wanted = (uint64_t)(part * latencies), seen = 0;
  if (wanted >= latencies) wanted = latencies - 1;
  for (size_t at = 0; at < sizeof buckets / sizeof *buckets; at++) {
    seen += buckets[at];
    if (seen <= wanted) continue;
    if (at < 1024) return at;
    int shift = at / 512 - 1;
    uint64_t low = (uint64_t)(at - (size_t)shift * 512) << shift, middle = low + ((1ull << shift) >> 1);
    return middle < slowest ? middle : slowest;
  }
  return slowest;
}

static void print_number(const char *name, uint64_t value, int known) {
  printf(",\"%s\":", name);
  if (known) printf("%llu", (unsigned long long)value);
  else printf("null");
}

static void report(uint64_t ns, uint64_t cpu, uint64_t rss_before, int is_idle) {
  uint64_t peak = memory("VmHWM"), rss = memory("VmRSS");
  printf("{\"ns\":%llu", (unsigned long long)ns);
  print_number("count", is_idle ? 0 : count, 1);
  print_number("bytes", is_idle ? 0 : count * size, 1);
  print_number("cpuNs", cpu, pid != 0 && cpu != 0);
  print_number("peakRss", peak, peak != 0);
  print_number("rss", rss, rss != 0);
  if (is_idle) {
    print_number("rssBefore", rss_before, rss_before != 0);
    print_number("connections", connections, 1);
  }
  printf(",\"latency\":");
  if (latencies == 0) {
    printf("null}\n");
    return;
  }
  printf("{\"p50\":%llu", (unsigned long long)percentile(0.5));
  print_number("p75", percentile(0.75), 1);
  print_number("p90", percentile(0.9), 1);
  print_number("p99", percentile(0.99), 1);
  print_number("p999", percentile(0.999), 1);
  print_number("max", slowest, 1);
  printf("}}\n");
}

/* The peer receives. */
static void load_recv(void) {
  size_t laid_out;
  uint8_t *frames = lay_out(LAYOUT, &laid_out);
  uint64_t cpu = cpu_ns(), started = now(CLOCK_MONOTONIC);
  int fd = connect_peer();
  uint64_t left = count * frame_size;
  size_t at = 0;
  while (left) {
    size_t n = laid_out - at;
    if (n > left) n = left;
    if (chunk && n > (size_t)chunk) n = chunk;
    ssize_t put = write(fd, frames + at, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write: %s, %llu bytes left", strerror(errno), (unsigned long long)left);
    left -= put, at += put;
    if (at == laid_out) at = 0;
  }
  shutdown(fd, SHUT_WR);
  uint8_t answer[17];
  size_t have = 0;
  ssize_t got = 1;
  while (have < sizeof answer && got != 0) {
    got = read(fd, answer + have, sizeof answer - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read: %s", strerror(errno));
    have += got;
    /* The clock stops at the answer, not at the end of the stream behind it. */
    if (have == 16) break;
  }
  uint64_t ns = now(CLOCK_MONOTONIC) - started;
  cpu = cpu_ns() - cpu;
  if (have != 16) fail("the answer has %zu bytes, not 16", have);
  uint64_t counts[2] = {0, 0};
  for (int i = 0; i < 16; i++) counts[i / 8] = counts[i / 8] << 8 | answer[i];
  if (counts[0] != count || counts[1] != count * size) {
    fail("the peer received %llu frames of %llu bytes in all, not %llu of %llu", (unsigned long long)counts[0],
         (unsigned long long)counts[1], (unsigned long long)count, (unsigned long long)(count * size));
  }
  report(ns, cpu, 0, 0);
  close(fd);
}

/* The peer sends. */
static void load_send(void) {
  static uint8_t buffer[READ_BUFFER];
  uint8_t prefix[MAX_PREFIX], first[MAX_PREFIX];
  size_t prefix_size = put_prefix(prefix);
  uint64_t cpu = cpu_ns(), started = now(CLOCK_MONOTONIC), total = 0;
  int fd = connect_peer();
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read: %s after %llu bytes", strerror(errno), (unsigned long long)total);
    if (got == 0) break;
    for (size_t i = 0; total + i < prefix_size && i < (size_t)got; i++) first[total + i] = buffer[i];
    total += got;
  }
  uint64_t ns = now(CLOCK_MONOTONIC) - started;
  cpu = cpu_ns() - cpu;
  if (total != count * frame_size) {
    fail("%llu bytes came, not %llu", (unsigned long long)total, (unsigned long long)(count * frame_size));
  }
  if (count && memcmp(first, prefix, prefix_size)) fail("the first frame has another length than %zu", size);
  report(ns, cpu, 0, 0);
  close(fd);
}

/* A connection to a peer that echoes: how many bytes may go, went, and came back. */
struct line {
  int fd, wants_room, closed;
  uint64_t allowed, sent, back, sent_at;
};

static uint8_t *pattern;
static size_t pattern_size;
static uint64_t to_send, frames_back;
static int timing; /* only the frames after the first of each connection count */

static void set_events(int epoll, struct line *line, int op, int room) {
  struct epoll_event event = {.events = EPOLLIN | (room ? EPOLLOUT : 0), .data.ptr = line};
  if (epoll_ctl(epoll, op, line->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
  line->wants_room = room;
}

/* Sends as much as the window allows and there is room for. */
static void send_more(int epoll, struct line *line) {
  uint64_t under_way = (line->allowed - line->back + frame_size - 1) / frame_size;
  if (window == 1 && to_send > 0 && under_way == 0) line->sent_at = now(CLOCK_MONOTONIC);
  while (to_send > 0 && under_way < (uint64_t)window) line->allowed += frame_size, under_way++, to_send--;
  while (line->sent < line->allowed) {
    size_t phase = line->sent % frame_size, n = line->allowed - line->sent;
    if (n > pattern_size - phase) n = pattern_size - phase;
    if (chunk && n > (size_t)chunk) n = chunk;
    ssize_t put = write(line->fd, pattern + phase, n);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) {
      if (!line->wants_room) set_events(epoll, line, EPOLL_CTL_MOD, 1);
      return;
    }
    if (put < 0) fail("write: %s", strerror(errno));
    line->sent += put;
  }
  if (line->wants_room) set_events(epoll, line, EPOLL_CTL_MOD, 0);
}

/* Takes what came back and compares it. */
static void take_back(struct line *line) {
  static uint8_t buffer[READ_BUFFER];
  ssize_t got = read(line->fd, buffer, sizeof buffer);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got < 0) fail("read: %s", strerror(errno));
  if (got == 0) {
    if (line->back != line->allowed) fail("the peer closed with frames under way");
    line->closed = 1;
    return;
  }
  if (line->back + got > line->sent) fail("more came back than was sent");
  for (size_t at = 0; at < (size_t)got;) {
    size_t phase = (line->back + at) % frame_size, n = got - at;
    if (n > pattern_size - phase) n = pattern_size - phase;
    if (memcmp(buffer + at, pattern + phase, n)) fail("other bytes came back than were sent");
    at += n;
  }
  uint64_t before = line->back / frame_size;
  line->back += got;
  uint64_t whole = line->back / frame_size - before;
  frames_back += whole;
  if (timing && window == 1 && whole) note_latency(now(CLOCK_MONOTONIC) - line->sent_at);
}

/* Exchanges n more frames in all. */
static void exchange(int epoll, struct line *lines, uint64_t n) {
  struct epoll_event events[1024];
  frames_back = 0, to_send = n;
  for (long i = 0; i < connections; i++) send_more(epoll, &lines[i]);
  while (frames_back < n) {
    int ready = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < ready; i++) {
      struct line *line = events[i].data.ptr;
      if (events[i].events & ~EPOLLOUT) take_back(line);
      if (line->closed) fail("the peer closed too early");
      send_more(epoll, line);
    }
  }
}

static void load_echo(void) {
  pattern = lay_out(LAYOUT, &pattern_size);
  int epoll = epoll_create1(0);
  struct line *lines = calloc(connections, sizeof *lines);
  for (long i = 0; i < connections; i++) {
    lines[i].fd = connect_peer();
    fcntl(lines[i].fd, F_SETFL, O_NONBLOCK);
    set_events(epoll, &lines[i], EPOLL_CTL_ADD, 0);
  }
  long asked = window;
  window = 1;
  exchange(epoll, lines, connections);
  window = asked;

  timing = 1;
  uint64_t cpu = cpu_ns(), started = now(CLOCK_MONOTONIC);
  exchange(epoll, lines, count);
  uint64_t ns = now(CLOCK_MONOTONIC) - started;
  cpu = cpu_ns() - cpu;
  report(ns, cpu, 0, 0);

  for (long i = 0; i < connections; i++) {
    shutdown(lines[i].fd, SHUT_WR);
    fcntl(lines[i].fd, F_SETFL, 0);
    while (!lines[i].closed) take_back(&lines[i]);
    close(lines[i].fd);
  }
}

static void load_idle(void) {
  int *fds = malloc(connections * sizeof *fds);
  uint64_t rss_before = memory("VmRSS"), cpu = cpu_ns(), started = now(CLOCK_MONOTONIC);
  for (long i = 0; i < connections; i++) fds[i] = connect_peer();
  uint64_t ns = now(CLOCK_MONOTONIC) - started;
  sleep(1);
  cpu = cpu_ns() - cpu;
  report(ns, cpu, rss_before, 1);
  for (long i = 0; i < connections; i++) close(fds[i]);
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "usage: load recv|send|echo|idle PORT SIZE COUNT [options]\n"), 2;
  const char *role = argv[1];
  port = atoi(argv[2]);
  size = strtoull(argv[3], NULL, 10);
  count = strtoull(argv[4], NULL, 10);
  if (!strcmp(role, "idle")) connections = count;
  for (int i = 5; i < argc; i += 2) {
    if (i + 1 == argc) return fprintf(stderr, "no value for %s\n", argv[i]), 2;
    if (!strcmp(argv[i], "--framing")) varint = !strcmp(argv[i + 1], "varint");
    else if (!strcmp(argv[i], "--connections")) connections = atol(argv[i + 1]);
    else if (!strcmp(argv[i], "--window")) window = atol(argv[i + 1]);
    else if (!strcmp(argv[i], "--chunk")) chunk = atol(argv[i + 1]);
    else if (!strcmp(argv[i], "--pid")) pid = atol(argv[i + 1]);
    else return fprintf(stderr, "unknown option: %s\n", argv[i]), 2;
  }
  if (connections < 1 || window < 1) return fprintf(stderr, "--connections and --window are 1 or more\n"), 2;
  uint8_t prefix[MAX_PREFIX];
  frame_size = put_prefix(prefix) + size;

  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  if (!strcmp(role, "recv")) load_recv();
  else if (!strcmp(role, "send")) load_send();
  else if (!strcmp(role, "echo")) load_echo();
  else if (!strcmp(role, "idle")) load_idle();
  else return fprintf(stderr, "unknown role: %s\n", role), 2;
  return 0;
}
