/* What the parts of the licence plugin share. All of it may run while the tool's threads are stopped. */
#ifndef LICENCE_PLUGIN_H
#define LICENCE_PLUGIN_H

#include <cairn/plugin.h>

#include "../client/link.h"
#include "settings.h"

#define LICENCE_MARK "licence"

extern const struct cairn_host *host;
extern struct settings settings;
extern struct lic_link *licence; /* NULL: this process has none */

uint64_t licence_deadline(void);
uint32_t licence_hold_ms(void);
/* host->fail with what lic_ask or lic_connect has returned, and what it was for. */
int32_t licence_fails(int32_t error, const struct lic_answer *answer, const char *what);
/* Work may begin, and the library asks the daemon again. */
void licence_open(void);

/* ---- again.c: a restart ---- */
/* CAIRN_EVENT_RESTART */
void licence_begin_restart(void);
/* CAIRN_EVENT_EXTERNAL_RESTORE */
int32_t licence_connect(struct cairn_external *connection);
/* The barriers: a seat is reserved, or there will be none; all processes have theirs, and this one may work. */
int32_t licence_seat(void);
int32_t licence_begin(void);

#endif
