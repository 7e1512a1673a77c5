/*
 * Where messages of a connection end, told by the plugin of those who know the protocol: an extension (host->publish) by a name of the plugin's own, which
 * settings of fault-messages give: "rule": { "extension": "acme.messages/1" }. C11; also compiles as C++.
 */
#ifndef CAIRN_MESSAGES_H
#define CAIRN_MESSAGES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cairn_messages {
  uint32_t size;
  uint32_t reserved;
  /* [any] Bytes of the message that begins with these, of which there are `count`, 64 at most. 0: they do not tell yet; of 64 bytes: these are a
   * message. */
  uint64_t (*length)(const void *bytes, uint64_t count);
};

#ifdef __cplusplus
}
#endif

#endif
