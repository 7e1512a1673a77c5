#include "process/faults.h"

#include <string.h>

#include "common/json.h"
#include "common/words.h"

static const char *const general[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8",
                                      "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags"};

static int hexadecimal(const char *text, uint64_t *value) {
  if (text[0] != '0' || (text[1] | 32) != 'x' || text[2] == 0 || strlen(text) > 18) return 0;
  *value = 0;
  for (const char *at = text + 2; *at != 0; ++at) {
    const int digit = *at >= '0' && *at <= '9' ? *at - '0' : (*at | 32) >= 'a' && (*at | 32) <= 'f' ? (*at | 32) - 'a' + 10 : -1;
    if (digit < 0) return 0;
    *value = *value << 4 | (uint64_t)digit;
  }
  return 1;
}

/* "xmm3", "ymm12" */
static int is_vector(const char *text, struct fault *fault) {
  if ((text[0] != 'x' && text[0] != 'y') || text[1] != 'm' || text[2] != 'm' || text[3] < '0' || text[3] > '9') return 0;
  uint32_t number = (uint32_t)(text[3] - '0');
  if (text[4] != 0) {
    if (text[3] != '1' || text[4] < '0' || text[4] > '5' || text[5] != 0) return 0;
    number = 10 + (uint32_t)(text[4] - '0');
  }
  fault->reg = REGISTER_VECTOR + number;
  fault->width = text[0] == 'x' ? 128 : 256;
  return 1;
}

static const char *read_register(struct json *json, uint32_t index, struct fault *fault) {
  char name[16];
  json_text(json, name, sizeof name);
  fault->target = IN_REGISTER;
  if (!json->failed && is_vector(name, fault)) return NULL;
  for (uint32_t i = 0; !json->failed && i < sizeof general / sizeof *general; ++i) {
    if (!same(name, general[i])) continue;
    fault->reg = i;
    fault->width = 64;
    return NULL;
  }
  return say(index, "\"register\" is rax to r15, rip, rflags, xmm0 to xmm15 or ymm0 to ymm15", "");
}

static const char *read_memory(struct json *json, uint32_t index, struct fault *fault) {
  char key[24], address[24] = "";
  uint64_t element = 0, size = 1;
  uint32_t ways = 0;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "symbol")) {
      json_text(json, fault->name, sizeof fault->name);
      fault->target = IN_SYMBOL, ++ways;
    } else if (same(key, "mapping")) {
      json_text(json, fault->name, sizeof fault->name);
      fault->target = IN_MAPPING, ++ways;
    } else if (same(key, "address")) {
      json_text(json, address, sizeof address);
      fault->target = AT_ADDRESS, ++ways;
    } else if (same(key, "object")) json_text(json, fault->object, sizeof fault->object);
    else if (same(key, "source")) json_text(json, fault->source, sizeof fault->source);
    else if (same(key, "offset")) json_whole(json, &fault->offset), fault->has_offset = 1;
    else if (same(key, "index")) json_whole(json, &element), fault->has_offset = 1;
    else if (same(key, "size")) json_whole(json, &size);
    else if (same(key, "writable")) json_flag(json, &fault->writable);
    else return say(index, ": \"memory\" has symbol, object, source; address; or mapping, writable; and offset, index, size", key);
    if (json->failed) return say(index, " of \"memory\" has a value of another kind, or one that is too long", key);
  }
  if (ways != 1) return say(index, "\"memory\" is a symbol, an address or a mapping", "");
  if (fault->target == AT_ADDRESS && !hexadecimal(address, &fault->address)) return say(index, "\"address\" is \"0x…\"", "");
  if (fault->target != AT_ADDRESS && fault->name[0] == 0) return say(index, "\"memory\" needs a name", "");
  fault->offset += element * size;
  fault->width = 8;
  return NULL;
}

static const char *read_when(struct json *json, uint32_t index, struct fault *fault) {
  char key[24];
  uint32_t ways = 0;
  uint64_t from = 0, to = 0, processor = 0, is_chance = 0;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    const char *why = NULL;
    if (same(key, "afterUs")) json_whole(json, &from), to = from, fault->when = AFTER_TIME, ++ways;
    else if (same(key, "afterProcessorUs")) json_whole(json, &from), to = from, processor = 1, ++ways;
    else if (same(key, "fromUs")) json_whole(json, &from), is_chance = 1, ++ways;
    else if (same(key, "toUs")) json_whole(json, &to);
    else if (same(key, "processor")) {
      uint32_t flag = 0;
      json_flag(json, &flag);
      processor = flag;
    } else if (same(key, "function")) {
      json_text(json, fault->function, sizeof fault->function);
      fault->when = IN_CALL, ++ways;
    } else if (same(key, "library")) json_text(json, fault->library, sizeof fault->library);
    else if (same(key, "calls")) why = chosen_read(json, index, "\"calls\"", &fault->calls);
    else return say(index, ": \"when\" has afterUs; afterProcessorUs; fromUs, toUs, processor; or function, library, calls", key);
    if (why != NULL) return why;
    if (json->failed) return say(index, " of \"when\" has a value of another kind", key);
  }
  if (ways != 1) return say(index, "\"when\" has one of afterUs, afterProcessorUs, fromUs and function", "");
  if (is_chance && to < from) return say(index, "\"toUs\" of \"when\" is not before \"fromUs\"", "");
  if (to > 86400000000u * 365) return say(index, "\"when\" is at most a year away", "");
  if (fault->when != IN_CALL) fault->when = processor ? AFTER_PROCESSOR_TIME : AFTER_TIME;
  fault->after_ns = from * 1000;
  fault->last_ns = to * 1000;
  return NULL;
}

static const char *read_thread(struct json *json, uint32_t index, struct fault *fault) {
  if (json_begins(json, '"')) json_text(json, fault->thread, sizeof fault->thread);
  else {
    json_whole(json, &fault->thread_number);
    if (fault->thread_number < 1) json->failed = 1;
  }
  return json->failed ? say(index, "\"thread\" is the name of one, or its number, of which the first is 1", "") : NULL;
}

static void read_bits(struct json *json, struct fault *fault) {
  for (int begun = 0; json_element(json, &begun);) {
    uint64_t bit = 0;
    json_whole(json, &bit);
    if (fault->bit_count == FAULT_BITS || bit >= 8 * MOST_BYTES) json->failed = 1;
    else fault->bits[fault->bit_count++] = (uint32_t)bit;
  }
}

static const char *read_fault(struct json *json, uint32_t index, struct fault *fault) {
  char key[24], word[16];
  const char *why = NULL;
  uint32_t targets = 0;
  *fault = (struct fault){.calls = CHOSEN_ALL};
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "memory")) why = read_memory(json, index, fault), ++targets;
    else if (same(key, "register")) why = read_register(json, index, fault), ++targets;
    else if (same(key, "instruction")) {
      json_text(json, word, sizeof word);
      fault->target = AT_INSTRUCTION, ++targets;
      if (!same(word, "skip")) why = say(index, "\"instruction\" can be \"skip\"", "");
    } else if (same(key, "bits")) read_bits(json, fault);
    else if (same(key, "seed")) json_whole(json, &fault->seed);
    else if (same(key, "thread")) why = read_thread(json, index, fault);
    else if (same(key, "program")) json_text(json, fault->program, sizeof fault->program);
    else if (same(key, "when")) why = read_when(json, index, fault);
    else return say(index, ": there is memory, register, instruction, bits, seed, thread, program and when", key);
    if (why != NULL) return why;
    if (json->failed) return say(index, " has a value of another kind, or one that is too long", key);
  }
  if (json->failed) return NULL;
  if (targets != 1) return say(index, "it needs one of \"memory\", \"register\" and \"instruction\"", "");
  for (uint32_t i = 0; fault->target == IN_REGISTER && i < fault->bit_count; ++i)
    if (fault->bits[i] >= fault->width) return say(index, "the register has fewer bits", "");
  if (fault->target == AT_INSTRUCTION && fault->bit_count != 0) return say(index, "an instruction that is skipped has no bits", "");
  if (fault->calls.seed == 0) fault->calls.seed = fault->seed;
  return NULL;
}

const char *faults_read(const char *text, struct faults *faults) {
  static const char no_object[] = "they are no JSON object with a list \"faults\"";
  struct json json = {text, 0};
  char key[24];
  int has = 0;
  memset(faults, 0, sizeof *faults);
  for (int begun = 0; json_member(&json, key, sizeof key, &begun);) {
    if (same(key, "report")) {
      json_text(&json, faults->report, sizeof faults->report);
    } else if (same(key, "faults")) {
      has = 1;
      for (int first = 0; json_element(&json, &first);) {
        if (faults->count == FAULTS) return "there are more than 32 faults";
        const char *why = read_fault(&json, faults->count, &faults->list[faults->count]);
        if (why != NULL) return why;
        ++faults->count;
      }
    } else {
      return "they have a name that is none: there is faults and report";
    }
  }
  json_end(&json);
  return json.failed || !has ? no_object : NULL;
}
