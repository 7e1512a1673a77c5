#include "messages/faults.h"

#include <string.h>

#include "common/json.h"
#include "common/words.h"

static const char *read_connection(struct json *json, uint32_t index, struct fault *fault) {
  static const char *const kinds[] = {"", "socket", "pipe", "fifo"};
  char key[24], word[16];
  int any = 0;
  for (int begun = 0; json_member(json, key, sizeof key, &begun); any = 1) {
    if (same(key, "peer")) json_text(json, fault->peer, sizeof fault->peer);
    else if (same(key, "local")) json_text(json, fault->local, sizeof fault->local);
    else if (same(key, "path")) json_text(json, fault->path, sizeof fault->path);
    else if (same(key, "kind")) {
      json_text(json, word, sizeof word);
      for (uint32_t i = SOCKET; i <= FIFO; ++i)
        if (same(word, kinds[i])) fault->kind = i;
      if (fault->kind == ANY_KIND) return say(index, "\"kind\" is socket, pipe or fifo", "");
    } else return say(index, ": \"connection\" has peer, local, path and kind", key);
    if (json->failed) return say(index, " of \"connection\" has a value of another kind", key);
  }
  return any ? NULL : say(index, "\"connection\" needs peer, local, path or kind", "");
}

static const char *read_rule(struct json *json, uint32_t index, struct rule *rule) {
  char key[24];
  uint64_t offset = 0, field = 0;
  uint32_t ways = 0, flag = 0;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "size")) json_whole(json, &rule->size), rule->kind = BY_SIZE, ++ways;
    else if (same(key, "line")) json_flag(json, &flag), rule->kind = BY_LINE, ++ways;
    else if (same(key, "lengthBytes")) json_whole(json, &field), rule->kind = BY_LENGTH, ++ways;
    else if (same(key, "lengthOffset")) json_whole(json, &offset);
    else if (same(key, "bigEndian")) json_flag(json, &rule->big_endian);
    else if (same(key, "header")) json_whole(json, &rule->header);
    else if (same(key, "extension")) json_text(json, rule->extension, sizeof rule->extension), rule->kind = BY_EXTENSION, ++ways;
    else return say(index, ": \"rule\" has size; line; extension; or lengthBytes, lengthOffset, bigEndian, header", key);
    if (json->failed) return say(index, " of \"rule\" has a value of another kind", key);
  }
  if (ways != 1 || (rule->kind == BY_LINE && !flag)) return say(index, "\"rule\" has one of size, line, lengthBytes and extension", "");
  if (rule->kind == BY_SIZE && rule->size < 1) return say(index, "\"size\" of \"rule\" is at least 1", "");
  if (rule->kind == BY_LENGTH && (field < 1 || field > 8 || offset > RULE_HEADER - 8))
    return say(index, "\"lengthBytes\" is from 1 to 8, and \"lengthOffset\" at most 56", "");
  rule->offset = (uint32_t)offset;
  rule->field = (uint32_t)field;
  return NULL;
}

static const char *read_corruption(struct json *json, uint32_t index, struct fault *fault) {
  char key[24];
  uint32_t sets = 0, flips = 0;
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "offset")) json_whole(json, &fault->offset);
    else if (same(key, "bytes")) sets = fault->size = json_bytes(json, FAULT_BYTES, fault->bytes);
    else if (same(key, "flip")) flips = fault->size = json_bytes(json, FAULT_BYTES, fault->bytes);
    else return say(index, ": \"corrupt\" has offset, and bytes or flip", key);
    if (json->failed) return say(index, " of \"corrupt\" has a value of another kind", key);
  }
  memset(fault->keep, flips > 0 ? 0xff : 0, sizeof fault->keep);
  return (sets == 0) == (flips == 0) ? say(index, "\"corrupt\" needs \"bytes\" or \"flip\": at most 64 bytes, of two hexadecimal digits each", "") : NULL;
}

static const char *read_fault(struct json *json, uint32_t index, struct fault *fault) {
  char key[24], word[16] = "";
  const char *why = NULL;
  uint32_t effects = 0, has_connection = 0, flag = 0;
  uint64_t delay = 0;
  *fault = (struct fault){.messages = CHOSEN_ALL};
  for (int begun = 0; json_member(json, key, sizeof key, &begun);) {
    if (same(key, "connection")) why = read_connection(json, index, fault), has_connection = 1;
    else if (same(key, "direction")) json_text(json, word, sizeof word);
    else if (same(key, "program")) json_text(json, fault->program, sizeof fault->program);
    else if (same(key, "rule")) why = read_rule(json, index, &fault->rule);
    else if (same(key, "messages")) why = chosen_read(json, index, "\"messages\"", &fault->messages);
    else if (same(key, "corrupt")) why = read_corruption(json, index, fault), fault->effect = CORRUPT, ++effects;
    else if (same(key, "delayUs")) json_whole(json, &delay), fault->effect = DELAY, ++effects;
    else if (same(key, "drop") || same(key, "duplicate") || same(key, "reorder")) {
      json_flag(json, &flag);
      fault->effect = key[0] == 'r' ? REORDER : key[1] == 'r' ? DROP : DUPLICATE;
      effects += flag;
    } else return say(index, ": there is connection, direction, program, rule, messages, drop, corrupt, delayUs, duplicate and reorder", key);
    if (why != NULL) return why;
    if (json->failed) return say(index, " has a value of another kind, or one that is too long", key);
  }
  if (json->failed) return NULL;
  fault->receives = same(word, "receive");
  fault->delay_ns = delay * 1000;
  if (!has_connection) return say(index, "it needs a \"connection\"", "");
  if (!fault->receives && !same(word, "send")) return say(index, "\"direction\" is send or receive", "");
  if (effects != 1) return say(index, "it needs one of drop, corrupt, delayUs, duplicate and reorder", "");
  if (delay > 3600000000u) return say(index, "\"delayUs\" is at most an hour", "");
  if (fault->receives && fault->effect >= DUPLICATE) return say(index, "\"duplicate\" and \"reorder\" are of messages that are sent: give them to whoever sends", "");
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

/* It has asked for more than it is shown: these are a message. */
static uint64_t length_told(const struct parse *parse, const struct rule *rule, uint64_t count) {
  const uint64_t length = rule->length(parse->header, count);
  if (length == 0) return count == RULE_HEADER ? count : 0;
  return length < count ? count : length;
}

static uint64_t length_of(const struct parse *parse, const struct rule *rule) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < rule->field; ++i) {
    const uint32_t at = rule->offset + (rule->big_endian ? i : rule->field - 1 - i);
    value = value << 8 | parse->header[at];
  }
  const uint64_t least = rule->offset + rule->field;
  /* One that would be shorter than its own length ends there: the connection is not read wrongly for ever. */
  return value + rule->header < least || value + rule->header < value ? least : value + rule->header;
}

static int each_call(const struct rule *rule) { return rule->kind == BY_CALL || (rule->kind == BY_EXTENSION && rule->length == NULL); }

void parse_call(struct parse *parse, const struct rule *rule, uint64_t count) {
  if (each_call(rule)) parse->length = count;
}

uint64_t parse_take(struct parse *parse, const struct rule *rule, const uint8_t *bytes, uint64_t count, int *ends) {
  uint64_t taken = 0;
  *ends = 0;
  if (rule->kind == BY_LINE) {
    const uint8_t *end = memchr(bytes, '\n', count);
    *ends = end != NULL;
    taken = end == NULL ? count : (uint64_t)(end - bytes) + 1;
  } else {
    if (rule->kind == BY_SIZE) parse->length = rule->size;
    const uint64_t needed = rule->offset + rule->field;
    for (; !each_call(rule) && parse->length == 0 && taken < count; ++taken) {
      parse->header[parse->position + taken] = bytes[taken];
      const uint64_t have = parse->position + taken + 1;
      if (rule->kind == BY_EXTENSION) parse->length = length_told(parse, rule, have);
      else if (have == needed) parse->length = length_of(parse, rule);
    }
    if (parse->length != 0) {
      const uint64_t left = parse->length - parse->position;
      taken = left < count ? left : count;
      *ends = left <= count;
    }
  }
  parse->position = *ends ? 0 : parse->position + taken;
  if (*ends) parse->length = 0;
  return taken;
}
