// A VPI module: a value change callback on the clock registers one callback per cycle, which writes the counter into a tree on the
// heap and a log, and puts a digest of the tree's neighbours back into the design.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vpi_user.h>

struct node {
  uint32_t key, times;
  char *note;
  struct node *left, *right;
};

struct cycle {
  uint64_t number;
};

static struct node *root;
static vpiHandle clock_net, count_net, answer_net;
static uint64_t cycles, nodes;
static uint32_t digest = 2166136261u;
static FILE *log_file;

static uint32_t value_of(vpiHandle net) {
  s_vpi_value value = {.format = vpiIntVal};
  vpi_get_value(net, &value);
  return (uint32_t)value.value.integer;
}

static struct node *find(uint32_t key) {
  struct node **place = &root;
  while (*place && (*place)->key != key) {
    digest = (digest ^ (*place)->times ^ (uint32_t)(*place)->note[0]) * 16777619u;
    place = key < (*place)->key ? &(*place)->left : &(*place)->right;
  }
  if (!*place) {
    *place = calloc(1, sizeof **place);
    (*place)->key = key;
    nodes++;
  }
  return *place;
}

// Once a cycle: the key runs through a few thousand values, so that notes are allocated and freed all the time.
static PLI_INT32 at_cycle(p_cb_data data) {
  struct cycle *cycle = (struct cycle *)data->user_data;
  uint32_t count = value_of(count_net);
  struct node *node = find(count * 2654435761u % 4001);
  free(node->note);
  if (asprintf(&node->note, "%x in cycle %llu", count, (unsigned long long)cycle->number) < 0) abort();
  node->times++;
  if (cycle->number % 100 == 0) fprintf(log_file, "%s: %08x\n", node->note, digest);
  free(cycle);
  s_vpi_value value = {.format = vpiIntVal};
  value.value.integer = (PLI_INT32)digest;
  s_vpi_time delay = {.type = vpiSimTime};
  vpi_put_value(answer_net, &value, &delay, vpiNoDelay);
  return 0;
}

static PLI_INT32 at_clock(p_cb_data data) {
  (void)data;
  if (value_of(clock_net) != 1) return 0;
  struct cycle *cycle = malloc(sizeof *cycle);
  cycle->number = cycles++;
  s_vpi_time time = {.type = vpiSimTime};
  s_cb_data callback = {.reason = cbReadWriteSynch, .cb_rtn = at_cycle, .time = &time, .user_data = (PLI_BYTE8 *)cycle};
  vpi_register_cb(&callback);
  return 0;
}

static PLI_INT32 at_end(p_cb_data data) {
  (void)data;
  vpi_printf("ledger: %llu cycles, %llu nodes, %08x\n", (unsigned long long)cycles, (unsigned long long)nodes, digest);
  return fclose(log_file);
}

static PLI_INT32 ledger(PLI_BYTE8 *data) {
  (void)data;
  vpiHandle arguments = vpi_iterate(vpiArgument, vpi_handle(vpiSysTfCall, NULL));
  clock_net = vpi_scan(arguments);
  count_net = vpi_scan(arguments);
  answer_net = vpi_scan(arguments);
  vpi_free_object(arguments);
  log_file = fopen("ledger.log", "w");
  s_vpi_time time = {.type = vpiSuppressTime};
  s_vpi_value value = {.format = vpiSuppressVal};
  s_cb_data callback = {.reason = cbValueChange, .cb_rtn = at_clock, .obj = clock_net, .time = &time, .value = &value};
  vpi_register_cb(&callback);
  s_cb_data end = {.reason = cbEndOfSimulation, .cb_rtn = at_end};
  vpi_register_cb(&end);
  return 0;
}

static void start(void) {
  s_vpi_systf_data begin = {.type = vpiSysTask, .tfname = "$ledger", .calltf = ledger};
  vpi_register_systf(&begin);
}

void (*vlog_startup_routines[])(void) = {start, NULL};
