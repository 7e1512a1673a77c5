#include "faults.h"

#include <errno.h>
#include <string.h>

#include "common/json.h"
#include "common/words.h"

static const struct {
  const char *name;
  int32_t number;
} numbers[] = {
#define NUMBER(name) {#name, name}
    NUMBER(EPERM), NUMBER(ENOENT), NUMBER(ESRCH), NUMBER(EINTR), NUMBER(EIO), NUMBER(ENXIO), NUMBER(E2BIG), NUMBER(ENOEXEC), NUMBER(EBADF),
    NUMBER(ECHILD), NUMBER(EAGAIN), NUMBER(EWOULDBLOCK), NUMBER(ENOMEM), NUMBER(EACCES), NUMBER(EFAULT), NUMBER(ENOTBLK), NUMBER(EBUSY),
    NUMBER(EEXIST), NUMBER(EXDEV), NUMBER(ENODEV), NUMBER(ENOTDIR), NUMBER(EISDIR), NUMBER(EINVAL), NUMBER(ENFILE), NUMBER(EMFILE),
    NUMBER(ENOTTY), NUMBER(ETXTBSY), NUMBER(EFBIG), NUMBER(ENOSPC), NUMBER(ESPIPE), NUMBER(EROFS), NUMBER(EMLINK), NUMBER(EPIPE),
    NUMBER(EDOM), NUMBER(ERANGE), NUMBER(EDEADLK), NUMBER(ENAMETOOLONG), NUMBER(ENOLCK), NUMBER(ENOSYS), NUMBER(ENOTEMPTY), NUMBER(ELOOP),
    NUMBER(ENODATA), NUMBER(ETIME), NUMBER(EPROTO), NUMBER(EBADMSG), NUMBER(EOVERFLOW), NUMBER(EILSEQ), NUMBER(ENOTSOCK),
    NUMBER(EDESTADDRREQ), NUMBER(EMSGSIZE), NUMBER(EPROTONOSUPPORT), NUMBER(EOPNOTSUPP), NUMBER(ENOTSUP), NUMBER(EADDRINUSE),
    NUMBER(EADDRNOTAVAIL), NUMBER(ENETDOWN), NUMBER(ENETUNREACH), NUMBER(ECONNABORTED), NUMBER(ECONNRESET), NUMBER(ENOBUFS), NUMBER(EISCONN),
    NUMBER(ENOTCONN), NUMBER(ETIMEDOUT), NUMBER(ECONNREFUSED), NUMBER(EHOSTDOWN), NUMBER(EHOSTUNREACH), NUMBER(EALREADY),
    NUMBER(EINPROGRESS), NUMBER(ESTALE), NUMBER(EDQUOT), NUMBER(ECANCELED), NUMBER(EOWNERDEAD), NUMBER(ENOTRECOVERABLE),
#undef NUMBER
};

static int32_t read_number(struct json *json) {
  if (!json_begins(json, '"')) {
    uint64_t number = 0;
    json_whole(json, &number);
    return number >= 1 && number < 4096 ? (int32_t)number : 0;
  }
  char name[24];
  json_text(json, name, sizeof name);
  for (uint32_t i = 0; i < sizeof numbers / sizeof *numbers; ++i)
    if (same(numbers[i].name, name)) return numbers[i].number;
  return 0;
}

/* Bits: a number, or "0x…". */
static void read_bits(struct json *json, uint64_t *value) {
  char text[24];
  if (!json_begins(json, '"')) {
    json_whole(json, value);
    return;
  }
  json_text(json, text, sizeof text);
  *value = 0;
  if (text[0] != '0' || (text[1] | 32) != 'x' || text[2] == 0 || strlen(text) > 18) json->failed = 1;
  for (const char *at = text + 2; !json->failed && *at != 0; ++at) {
    const int digit = *at >= '0' && *at <= '9' ? *at - '0' : (*at | 32) >= 'a' && (*at | 32) <= 'f' ? (*at | 32) - 'a' + 10 : -1;
    if (digit < 0) json->failed = 1;
    else *value = *value << 4 | (uint64_t)digit;
  }
}

static const char *read_output(struct json *json, uint32_t fault, struct fault_output *output) {
  char key[24];
  uint64_t argument = 0;
  uint32_t sets = 0, flips = 0;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "argument")) json_whole(json, &argument);
    else if (same(key, "offset")) json_whole(json, &output->offset);
    else if (same(key, "withinResult")) json_flag(json, &output->within_result);
    else if (same(key, "bytes")) sets = output->size = json_bytes(json, FAULT_BYTES, output->bytes);
    else if (same(key, "flip")) flips = output->size = json_bytes(json, FAULT_BYTES, output->bytes);
    else return say(fault, ": \"output\" has argument, offset, withinResult, and bytes or flip", key);
    if (json->failed) return say(fault, " of \"output\" has a value of another kind", key);
  }
  if (argument < 1 || argument > 6) return say(fault, "\"argument\" of \"output\" is from 1 to 6", "");
  if ((sets == 0) == (flips == 0))
    return say(fault, "\"output\" needs \"bytes\" or \"flip\": at most 64 bytes, of two hexadecimal digits each", "");
  output->argument = (uint32_t)argument;
  memset(output->keep, flips > 0 ? 0xff : 0, sizeof output->keep);
  return NULL;
}

static const char *read_fault(struct json *json, uint32_t index, struct fault *fault) {
  char key[24];
  uint32_t through = 2;
  uint64_t delay = 0;
  double floating = 0;
  const char *why = NULL;
  *fault = (struct fault){.calls = CHOSEN_ALL};
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "function")) json_text(json, fault->function, sizeof fault->function);
    else if (same(key, "library")) json_text(json, fault->library, sizeof fault->library);
    else if (same(key, "program")) json_text(json, fault->program, sizeof fault->program);
    else if (same(key, "calls")) why = chosen_read(json, index, "\"calls\"", &fault->calls);
    else if (same(key, "call")) json_flag(json, &through);
    else if (same(key, "delayUs")) json_whole(json, &delay);
    else if (same(key, "flip")) read_bits(json, &fault->flip);
    else if (same(key, "output")) why = read_output(json, index, &fault->output);
    else if (same(key, "return")) {
      read_bits(json, &fault->result);
      ++fault->returns;
    } else if (same(key, "returnDouble")) {
      json_double(json, &floating);
      memcpy(&fault->result, &floating, sizeof floating);
      fault->floating = 1;
      ++fault->returns;
    } else if (same(key, "errno")) {
      fault->number = read_number(json);
      if (fault->number == 0) why = say(index, "\"errno\" is a name such as \"EIO\", or its number", "");
    } else return say(index, ": there is function, library, program, calls, call, return, returnDouble, errno, flip, output and delayUs", key);
    if (why != NULL) return why;
    if (json->failed) return say(index, " has a value of another kind, or one that is too long", key);
  }
  if (json->failed) return NULL;
  if (fault->function[0] == 0) return say(index, "it needs a \"function\"", "");
  if (fault->returns > 1) return say(index, "\"return\" or \"returnDouble\", not both", "");
  if (delay > 3600000000u) return say(index, "\"delayUs\" is at most an hour", "");
  fault->delay_ns = delay * 1000;
  fault->calls_through = through == 2 ? !fault->returns : through;
  if (!fault->calls_through && !fault->returns) return say(index, "a function that is not called needs what to return: \"return\" or \"returnDouble\"", "");
  if (!fault->calls_through && (fault->flip != 0 || fault->output.argument != 0))
    return say(index, "\"flip\" and \"output\" are about a call that is made: \"call\": true", "");
  if (fault->returns && fault->flip != 0) return say(index, "\"return\" or \"flip\", not both", "");
  if (!fault->returns && fault->number == 0 && fault->flip == 0 && fault->output.argument == 0 && delay == 0)
    return say(index, "it does nothing: it needs return, returnDouble, errno, flip, output or delayUs", "");
  return NULL;
}

const char *faults_read(const char *text, struct faults *faults) {
  static const char no_object[] = "they are no JSON object with a list \"faults\"";
  struct json json = {text, 0};
  char key[24];
  int has = 0;
  memset(faults, 0, sizeof *faults);
  for (int begun = 0; json_member(&json, key, sizeof key, &begun);) {
    if (same(key, "cumulative")) {
      json_flag(&json, &faults->cumulative);
    } else if (same(key, "report")) {
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
      return "they have a name that is none: there is faults, cumulative and report";
    }
  }
  json_end(&json);
  return json.failed || !has ? no_object : NULL;
}
